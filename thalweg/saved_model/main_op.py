"""tf.saved_model.main_op: what runs after loading."""

from thalweg._src.lib.saved_model.loader import main_op as main_op
from thalweg._src.lib.saved_model.loader import main_op_with_restore as main_op_with_restore
