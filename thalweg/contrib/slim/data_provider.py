"""tf.contrib.slim.data_provider."""

from thalweg._src.contrib.slim.data.provider import DataProvider as DataProvider
