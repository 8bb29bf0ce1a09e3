"""tf.contrib.keras: tf.keras, by its name before TensorFlow 1.4."""

from thalweg._src.compat.keras_library import __dir__ as __dir__
from thalweg._src.compat.keras_library import __getattr__ as __getattr__
