"""tf.contrib.proto: fields of serialized messages as tensors."""

from thalweg._src.ops.io.protos import decode_proto as decode_proto
from thalweg._src.ops.io.protos import encode_proto as encode_proto
