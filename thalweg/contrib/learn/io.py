"""tf.contrib.learn.io: input functions."""

from thalweg._src.contrib.learn.learn_io import generator_input_fn as generator_input_fn
from thalweg._src.contrib.learn.learn_io import numpy_input_fn as numpy_input_fn
from thalweg._src.contrib.learn.learn_io import pandas_input_fn as pandas_input_fn
