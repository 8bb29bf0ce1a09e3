"""tf.contrib.resampler: images read at any places."""

from thalweg._src.contrib.resampling import resampler as resampler
