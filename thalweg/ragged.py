"""tf.ragged: tensors whose rows have different lengths."""

from thalweg._src.ops.ragged_tensors.ragged import RaggedTensorValue as RaggedTensorValue
from thalweg._src.ops.ragged_tensors.ragged import map_flat_values as map_flat_values
from thalweg._src.ops.ragged_tensors.ragged_constants import constant as constant
from thalweg._src.ops.ragged_tensors.ragged_constants import constant_value as constant_value
from thalweg._src.ops.ragged_tensors.ragged_constants import placeholder as placeholder
from thalweg._src.ops.ragged_tensors.ragged_rows import boolean_mask as boolean_mask
from thalweg._src.ops.ragged_tensors.ragged_rows import range as range
from thalweg._src.ops.ragged_tensors.ragged_rows import row_splits_to_segment_ids as row_splits_to_segment_ids
from thalweg._src.ops.ragged_tensors.ragged_rows import segment_ids_to_row_splits as segment_ids_to_row_splits
from thalweg._src.ops.ragged_tensors.ragged_rows import stack as stack
from thalweg._src.ops.ragged_tensors.ragged_rows import stack_dynamic_partitions as stack_dynamic_partitions
