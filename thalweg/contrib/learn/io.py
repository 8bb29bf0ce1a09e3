"""tf.contrib.learn.io: input functions."""

from thalweg._src.contrib.learn.batch_files import queue_parsed_features as queue_parsed_features
from thalweg._src.contrib.learn.batch_files import read_batch_examples as read_batch_examples
from thalweg._src.contrib.learn.batch_files import read_batch_features as read_batch_features
from thalweg._src.contrib.learn.batch_files import read_batch_record_features as read_batch_record_features
from thalweg._src.contrib.learn.batch_files import read_keyed_batch_examples as read_keyed_batch_examples
from thalweg._src.contrib.learn.batch_files import (
    read_keyed_batch_examples_shared_queue as read_keyed_batch_examples_shared_queue,
)
from thalweg._src.contrib.learn.batch_files import read_keyed_batch_features as read_keyed_batch_features
from thalweg._src.contrib.learn.batch_files import (
    read_keyed_batch_features_shared_queue as read_keyed_batch_features_shared_queue,
)
from thalweg._src.contrib.learn.learn_io import generator_input_fn as generator_input_fn
from thalweg._src.contrib.learn.learn_io import numpy_input_fn as numpy_input_fn
from thalweg._src.contrib.learn.learn_io import pandas_input_fn as pandas_input_fn
from thalweg._src.contrib.learn.tables import HAS_DASK as HAS_DASK
from thalweg._src.contrib.learn.tables import HAS_PANDAS as HAS_PANDAS
from thalweg._src.contrib.learn.tables import extract_dask_data as extract_dask_data
from thalweg._src.contrib.learn.tables import extract_dask_labels as extract_dask_labels
from thalweg._src.contrib.learn.tables import extract_pandas_data as extract_pandas_data
from thalweg._src.contrib.learn.tables import extract_pandas_labels as extract_pandas_labels
from thalweg._src.contrib.learn.tables import extract_pandas_matrix as extract_pandas_matrix
