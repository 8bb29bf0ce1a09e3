"""tf.contrib.learn.datasets.mnist."""

from thalweg._src.contrib.learn.datasets.mnist import DataSet as DataSet
from thalweg._src.contrib.learn.datasets.mnist import dense_to_one_hot as dense_to_one_hot
from thalweg._src.contrib.learn.datasets.mnist import extract_images as extract_images
from thalweg._src.contrib.learn.datasets.mnist import extract_labels as extract_labels
from thalweg._src.contrib.learn.datasets.mnist import load_mnist as load_mnist
from thalweg._src.contrib.learn.datasets.mnist import read_data_sets as read_data_sets
