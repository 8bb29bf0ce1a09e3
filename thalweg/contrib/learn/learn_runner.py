"""tf.contrib.learn.learn_runner."""

from thalweg._src.contrib.learn.learn_runner import run as run
from thalweg._src.contrib.learn.learn_runner import tune as tune
