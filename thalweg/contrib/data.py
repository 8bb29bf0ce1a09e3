"""tf.contrib.data: what became tf.data.experimental, and a few names that did not."""

from thalweg._src.lib.data.dataset import AUTOTUNE as AUTOTUNE
from thalweg._src.lib.data.dataset import Dataset as Dataset
from thalweg._src.lib.data.experimental.formats import make_batched_features_dataset as make_batched_features_dataset
from thalweg._src.lib.data.experimental.formats import make_csv_dataset as make_csv_dataset
from thalweg._src.lib.data.experimental.formats import parse_example_dataset as parse_example_dataset
from thalweg._src.lib.data.experimental.formats import read_batch_features as read_batch_features
from thalweg._src.lib.data.experimental.grouping import Reducer as Reducer
from thalweg._src.lib.data.experimental.grouping import bucket_by_sequence_length as bucket_by_sequence_length
from thalweg._src.lib.data.experimental.grouping import group_by_reducer as group_by_reducer
from thalweg._src.lib.data.experimental.grouping import group_by_window as group_by_window
from thalweg._src.lib.data.experimental.grouping import reduce_dataset as reduce_dataset
from thalweg._src.lib.data.experimental.mixing import choose_from_datasets as choose_from_datasets
from thalweg._src.lib.data.experimental.mixing import parallel_interleave as parallel_interleave
from thalweg._src.lib.data.experimental.mixing import rejection_resample as rejection_resample
from thalweg._src.lib.data.experimental.mixing import sample_from_datasets as sample_from_datasets
from thalweg._src.lib.data.experimental.mixing import sloppy_interleave as sloppy_interleave
from thalweg._src.lib.data.experimental.saving import CheckpointInputPipelineHook as CheckpointInputPipelineHook
from thalweg._src.lib.data.experimental.saving import make_saveable_from_iterator as make_saveable_from_iterator
from thalweg._src.lib.data.experimental.transformations import Counter as Counter
from thalweg._src.lib.data.experimental.transformations import RandomDataset as RandomDataset
from thalweg._src.lib.data.experimental.transformations import TFRecordWriter as TFRecordWriter
from thalweg._src.lib.data.experimental.transformations import assert_element_shape as assert_element_shape
from thalweg._src.lib.data.experimental.transformations import batch_and_drop_remainder as batch_and_drop_remainder
from thalweg._src.lib.data.experimental.transformations import copy_to_device as copy_to_device
from thalweg._src.lib.data.experimental.transformations import dense_to_sparse_batch as dense_to_sparse_batch
from thalweg._src.lib.data.experimental.transformations import enumerate_dataset as enumerate_dataset
from thalweg._src.lib.data.experimental.transformations import get_single_element as get_single_element
from thalweg._src.lib.data.experimental.transformations import ignore_errors as ignore_errors
from thalweg._src.lib.data.experimental.transformations import map_and_batch as map_and_batch
from thalweg._src.lib.data.experimental.transformations import (
    padded_batch_and_drop_remainder as padded_batch_and_drop_remainder,
)
from thalweg._src.lib.data.experimental.transformations import prefetch_to_device as prefetch_to_device
from thalweg._src.lib.data.experimental.transformations import scan as scan
from thalweg._src.lib.data.experimental.transformations import shuffle_and_repeat as shuffle_and_repeat
from thalweg._src.lib.data.experimental.transformations import sliding_window_batch as sliding_window_batch
from thalweg._src.lib.data.experimental.transformations import unbatch as unbatch
from thalweg._src.lib.data.experimental.transformations import unique as unique
from thalweg._src.lib.data.iterator import Iterator as Iterator
from thalweg._src.lib.data.optional import Optional as Optional
from thalweg._src.lib.data.optional import get_next_as_optional as get_next_as_optional
from thalweg._src.lib.data.readers import CsvDataset as CsvDataset
from thalweg._src.lib.data.readers import FixedLengthRecordDataset as FixedLengthRecordDataset
from thalweg._src.lib.data.readers import LMDBDataset as LMDBDataset
from thalweg._src.lib.data.readers import SqlDataset as SqlDataset
from thalweg._src.lib.data.readers import TextLineDataset as TextLineDataset
from thalweg._src.lib.data.readers import TFRecordDataset as TFRecordDataset
