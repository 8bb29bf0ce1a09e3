"""tf.sparse: sparse tensors."""

from thalweg._src.ops.sparse_segments import sparse_segment_mean as segment_mean
from thalweg._src.ops.sparse_segments import sparse_segment_sqrt_n as segment_sqrt_n
from thalweg._src.ops.sparse_segments import sparse_segment_sum as segment_sum
