"""tf.contrib.learn.learn_runner."""

from thalweg._src.contrib.learn.experiment import run as run
from thalweg._src.contrib.learn.experiment import tune as tune
