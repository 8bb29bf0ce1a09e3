"""tf.contrib.slim.data_decoder."""

from thalweg._src.contrib.slim.data.provider import DataDecoder as DataDecoder
