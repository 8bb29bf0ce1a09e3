"""tf.contrib.tfprof: tf.profiler, by its name before TensorFlow 1.4."""

from thalweg._src.lib.profiler.context import ProfileContext as ProfileContext
from thalweg.contrib.tfprof import model_analyzer as model_analyzer
from thalweg.contrib.tfprof import tfprof_logger as tfprof_logger
