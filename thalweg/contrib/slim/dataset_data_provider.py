"""tf.contrib.slim.dataset_data_provider."""

from thalweg._src.contrib.slim.data.provider import DatasetDataProvider as DatasetDataProvider
