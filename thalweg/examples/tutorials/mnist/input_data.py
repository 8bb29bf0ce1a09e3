"""MNIST's files as arrays: `input_data.read_data_sets("MNIST_data/", one_hot=True)`."""

from thalweg._src.contrib.learn.datasets.base import maybe_download as maybe_download
from thalweg._src.contrib.learn.datasets.mnist import DataSet as DataSet
from thalweg._src.contrib.learn.datasets.mnist import dense_to_one_hot as dense_to_one_hot
from thalweg._src.contrib.learn.datasets.mnist import extract_images as extract_images
from thalweg._src.contrib.learn.datasets.mnist import extract_labels as extract_labels
from thalweg._src.contrib.learn.datasets.mnist import read_data_sets as read_data_sets
