"""tf.contrib.memory_stats: how much memory of its device a program uses."""

from thalweg._src.contrib.memory_stats import BytesInUse as BytesInUse
from thalweg._src.contrib.memory_stats import BytesLimit as BytesLimit
from thalweg._src.contrib.memory_stats import MaxBytesInUse as MaxBytesInUse
