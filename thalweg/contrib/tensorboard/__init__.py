"""tf.contrib.tensorboard: what TensorBoard's plugins read."""

from thalweg.contrib.tensorboard import plugins as plugins
