"""tf.contrib.tensorboard.plugins."""

from thalweg.contrib.tensorboard.plugins import projector as projector
