"""tf.io: examples, files and encodings."""

from thalweg._src.ops.decoding import decode_compressed as decode_compressed
from thalweg._src.ops.decoding import decode_csv as decode_csv
from thalweg._src.ops.decoding import decode_json_example as decode_json_example
from thalweg._src.ops.decoding import decode_raw as decode_raw
from thalweg._src.ops.decoding import parse_tensor as parse_tensor
from thalweg._src.ops.decoding import serialize_tensor as serialize_tensor
from thalweg._src.ops.files import matching_files as matching_files
from thalweg._src.ops.files import read_file as read_file
from thalweg._src.ops.files import write_file as write_file
from thalweg._src.ops.parsing import FixedLenFeature as FixedLenFeature
from thalweg._src.ops.parsing import FixedLenSequenceFeature as FixedLenSequenceFeature
from thalweg._src.ops.parsing import SparseFeature as SparseFeature
from thalweg._src.ops.parsing import VarLenFeature as VarLenFeature
from thalweg._src.ops.parsing import parse_example as parse_example
from thalweg._src.ops.parsing import parse_sequence_example as parse_sequence_example
from thalweg._src.ops.parsing import parse_single_example as parse_single_example
from thalweg._src.ops.parsing import parse_single_sequence_example as parse_single_sequence_example
from thalweg._src.ops.queue_api import PaddingFIFOQueue as PaddingFIFOQueue
from thalweg._src.ops.queue_api import PriorityQueue as PriorityQueue
from thalweg._src.ops.queue_api import QueueBase as QueueBase
from thalweg._src.ops.queue_api import RandomShuffleQueue as RandomShuffleQueue
from thalweg._src.ops.sparse_serial import deserialize_many_sparse as deserialize_many_sparse
from thalweg._src.ops.sparse_serial import serialize_many_sparse as serialize_many_sparse
from thalweg._src.ops.sparse_serial import serialize_sparse as serialize_sparse
from thalweg._src.ops.string_numbers import decode_base64 as decode_base64
from thalweg._src.ops.string_numbers import encode_base64 as encode_base64
