"""tensorflow.python.ops.control_flow_ops: what is not public."""

from thalweg._src.ops.basic import tuple_ as tuple
from thalweg._src.ops.basic import with_dependencies

__all__ = ["tuple", "with_dependencies"]
