"""tensorflow.python.keras.utils.tf_utils: other classes that layers take for tensors."""

from thalweg._src.compat.internals.framework_ops import register_dense_tensor_like_type as register_symbolic_tensor_type

__all__ = ["register_symbolic_tensor_type"]
