"""tf.saved_model.utils: tensors and what a signature tells of them."""

from thalweg._src.lib.saved_model.signatures import build_tensor_info as build_tensor_info
from thalweg._src.lib.saved_model.signatures import get_tensor_from_tensor_info as get_tensor_from_tensor_info
