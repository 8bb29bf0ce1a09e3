"""tf.contrib.batching: functions whose work is done for several steps at once."""

from thalweg._src.lib.joint_calls import batch_function as batch_function
