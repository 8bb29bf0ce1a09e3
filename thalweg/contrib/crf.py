"""tf.contrib.crf: linear-chain conditional random fields."""

from thalweg._src.contrib.crf.crf import CrfDecodeBackwardRnnCell as CrfDecodeBackwardRnnCell
from thalweg._src.contrib.crf.crf import CrfDecodeForwardRnnCell as CrfDecodeForwardRnnCell
from thalweg._src.contrib.crf.crf import CrfForwardRnnCell as CrfForwardRnnCell
from thalweg._src.contrib.crf.crf import crf_binary_score as crf_binary_score
from thalweg._src.contrib.crf.crf import crf_decode as crf_decode
from thalweg._src.contrib.crf.crf import crf_log_likelihood as crf_log_likelihood
from thalweg._src.contrib.crf.crf import crf_log_norm as crf_log_norm
from thalweg._src.contrib.crf.crf import crf_multitag_sequence_score as crf_multitag_sequence_score
from thalweg._src.contrib.crf.crf import crf_sequence_score as crf_sequence_score
from thalweg._src.contrib.crf.crf import crf_unary_score as crf_unary_score
from thalweg._src.contrib.crf.crf import viterbi_decode as viterbi_decode
