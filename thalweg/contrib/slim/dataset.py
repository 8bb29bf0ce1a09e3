"""tf.contrib.slim.dataset."""

from thalweg._src.contrib.slim.data.provider import Dataset as Dataset
