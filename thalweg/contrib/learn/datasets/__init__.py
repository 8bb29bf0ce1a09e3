"""tf.contrib.learn.datasets."""

from thalweg._src.contrib.learn.datasets.named import DATASETS as DATASETS
from thalweg._src.contrib.learn.datasets.named import SYNTHETIC as SYNTHETIC
from thalweg._src.contrib.learn.datasets.named import load_boston as load_boston
from thalweg._src.contrib.learn.datasets.named import load_dataset as load_dataset
from thalweg._src.contrib.learn.datasets.named import load_iris as load_iris
from thalweg._src.contrib.learn.datasets.named import make_dataset as make_dataset
from thalweg.contrib.learn.datasets import base as base
from thalweg.contrib.learn.datasets import mnist as mnist
from thalweg.contrib.learn.datasets import synthetic as synthetic
from thalweg.contrib.learn.datasets import text_datasets as text_datasets
