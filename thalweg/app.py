"""`tf.app.run()` parses the flags and calls the program's main."""

from thalweg import flags as flags
from thalweg._src.lib.platform.app import run as run
