"""tf.keras: the Keras library, on thalweg, where it is installed."""

from thalweg._src.compat.keras_library import __dir__ as __dir__
from thalweg._src.compat.keras_library import __getattr__ as __getattr__
