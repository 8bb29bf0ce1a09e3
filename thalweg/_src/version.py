"""Our own version, and what programs read of the TensorFlow whose namespace this is."""

__version__ = "0.1.0"

TENSORFLOW = "1.15.5"  # tf.__version__
GIT_VERSION = f"thalweg-{__version__}"
COMPILER_VERSION = "XLA, through JAX"
GRAPH_DEF_VERSION = 134
GRAPH_DEF_VERSION_MIN_CONSUMER = 0
GRAPH_DEF_VERSION_MIN_PRODUCER = 0
