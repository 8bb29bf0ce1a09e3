"""tf.data: datasets and iterators."""

from thalweg._src.lib.data.dataset import Dataset as Dataset
from thalweg._src.lib.data.dataset_spec import DatasetSpec as DatasetSpec
from thalweg._src.lib.data.experimental.transformations import get_output_classes as get_output_classes
from thalweg._src.lib.data.experimental.transformations import get_output_shapes as get_output_shapes
from thalweg._src.lib.data.experimental.transformations import get_output_types as get_output_types
from thalweg._src.lib.data.experimental.transformations import (
    make_initializable_iterator as make_initializable_iterator,
)
from thalweg._src.lib.data.experimental.transformations import make_one_shot_iterator as make_one_shot_iterator
from thalweg._src.lib.data.iterator import Iterator as Iterator
from thalweg._src.lib.data.options import Options as Options
from thalweg._src.lib.data.readers import FixedLengthRecordDataset as FixedLengthRecordDataset
from thalweg._src.lib.data.readers import TextLineDataset as TextLineDataset
from thalweg._src.lib.data.readers import TFRecordDataset as TFRecordDataset
from thalweg.data import experimental as experimental
