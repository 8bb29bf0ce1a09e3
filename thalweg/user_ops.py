"""tf.user_ops: TensorFlow's example of an op of one's own."""

from thalweg._src.ops.signals.audio import my_fact as my_fact
