"""tf.raw_ops: the ops by the names of their types, called by keywords."""

from thalweg._src.ops.raw import __dir__ as __dir__
from thalweg._src.ops.raw import __getattr__ as __getattr__
