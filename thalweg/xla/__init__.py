"""tf.xla: what XLA compiles."""

from thalweg.xla import experimental as experimental
