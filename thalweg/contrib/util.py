"""tf.contrib.util: values of tensors as messages and back."""

from thalweg._src.core.infer import get_static_value as constant_value
from thalweg._src.core.tensor_protos import make_ndarray as make_ndarray
from thalweg._src.core.tensor_protos import make_tensor_proto as make_tensor_proto
