"""Our own version, and the version of TensorFlow whose namespace this is."""

__version__ = "0.1.0"
TENSORFLOW = "1.15.5"  # what programs read in tf.__version__
