"""tf.contrib.learn.datasets.base."""

from thalweg._src.contrib.learn.datasets.base import Dataset as Dataset
from thalweg._src.contrib.learn.datasets.base import Datasets as Datasets
from thalweg._src.contrib.learn.datasets.base import load_csv_with_header as load_csv_with_header
from thalweg._src.contrib.learn.datasets.base import load_csv_without_header as load_csv_without_header
from thalweg._src.contrib.learn.datasets.base import maybe_download as maybe_download
from thalweg._src.contrib.learn.datasets.named import load_boston as load_boston
from thalweg._src.contrib.learn.datasets.named import load_iris as load_iris
from thalweg._src.contrib.learn.datasets.named import shrink_csv as shrink_csv
