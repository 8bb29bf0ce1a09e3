"""tf.contrib.learn.datasets.synthetic."""

from thalweg._src.contrib.learn.datasets.synthetic import circles as circles
from thalweg._src.contrib.learn.datasets.synthetic import spirals as spirals
