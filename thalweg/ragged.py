"""tf.ragged: tensors whose rows have different lengths."""

from thalweg._src.ops.ragged import RaggedTensorValue as RaggedTensorValue
from thalweg._src.ops.ragged import map_flat_values as map_flat_values
from thalweg._src.ops.ragged_constants import constant as constant
from thalweg._src.ops.ragged_constants import constant_value as constant_value
from thalweg._src.ops.ragged_constants import placeholder as placeholder
