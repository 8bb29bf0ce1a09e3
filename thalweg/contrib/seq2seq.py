"""tf.contrib.seq2seq: decoders in loops, attention, beam search."""

from thalweg._src.contrib.seq2seq.attention import AttentionMechanism as AttentionMechanism
from thalweg._src.contrib.seq2seq.attention import BahdanauAttention as BahdanauAttention
from thalweg._src.contrib.seq2seq.attention import BahdanauMonotonicAttention as BahdanauMonotonicAttention
from thalweg._src.contrib.seq2seq.attention import LuongAttention as LuongAttention
from thalweg._src.contrib.seq2seq.attention import LuongMonotonicAttention as LuongMonotonicAttention
from thalweg._src.contrib.seq2seq.attention import hardmax as hardmax
from thalweg._src.contrib.seq2seq.attention import monotonic_attention as monotonic_attention
from thalweg._src.contrib.seq2seq.attention import safe_cumprod as safe_cumprod
from thalweg._src.contrib.seq2seq.beams import BeamSearchDecoder as BeamSearchDecoder
from thalweg._src.contrib.seq2seq.beams import BeamSearchDecoderOutput as BeamSearchDecoderOutput
from thalweg._src.contrib.seq2seq.beams import BeamSearchDecoderState as BeamSearchDecoderState
from thalweg._src.contrib.seq2seq.beams import FinalBeamSearchDecoderOutput as FinalBeamSearchDecoderOutput
from thalweg._src.contrib.seq2seq.beams import gather_tree_from_array as gather_tree_from_array
from thalweg._src.contrib.seq2seq.beams import tile_batch as tile_batch
from thalweg._src.contrib.seq2seq.decoder import BasicDecoder as BasicDecoder
from thalweg._src.contrib.seq2seq.decoder import BasicDecoderOutput as BasicDecoderOutput
from thalweg._src.contrib.seq2seq.decoder import Decoder as Decoder
from thalweg._src.contrib.seq2seq.decoder import dynamic_decode as dynamic_decode
from thalweg._src.contrib.seq2seq.decoder_functions import (
    attention_decoder_fn_inference as attention_decoder_fn_inference,
)
from thalweg._src.contrib.seq2seq.decoder_functions import attention_decoder_fn_train as attention_decoder_fn_train
from thalweg._src.contrib.seq2seq.decoder_functions import dynamic_rnn_decoder as dynamic_rnn_decoder
from thalweg._src.contrib.seq2seq.decoder_functions import prepare_attention as prepare_attention
from thalweg._src.contrib.seq2seq.decoder_functions import simple_decoder_fn_inference as simple_decoder_fn_inference
from thalweg._src.contrib.seq2seq.decoder_functions import simple_decoder_fn_train as simple_decoder_fn_train
from thalweg._src.contrib.seq2seq.inputs import CustomHelper as CustomHelper
from thalweg._src.contrib.seq2seq.inputs import GreedyEmbeddingHelper as GreedyEmbeddingHelper
from thalweg._src.contrib.seq2seq.inputs import Helper as Helper
from thalweg._src.contrib.seq2seq.inputs import InferenceHelper as InferenceHelper
from thalweg._src.contrib.seq2seq.inputs import SampleEmbeddingHelper as SampleEmbeddingHelper
from thalweg._src.contrib.seq2seq.inputs import ScheduledEmbeddingTrainingHelper as ScheduledEmbeddingTrainingHelper
from thalweg._src.contrib.seq2seq.inputs import ScheduledOutputTrainingHelper as ScheduledOutputTrainingHelper
from thalweg._src.contrib.seq2seq.inputs import TrainingHelper as TrainingHelper
from thalweg._src.contrib.seq2seq.losses import sequence_loss as sequence_loss
from thalweg._src.contrib.seq2seq.wrapper import AttentionWrapper as AttentionWrapper
from thalweg._src.contrib.seq2seq.wrapper import AttentionWrapperState as AttentionWrapperState
from thalweg._src.ops.nets.beams import gather_tree as gather_tree
