"""tf.estimator.inputs: input functions over data in memory."""

from thalweg._src.lib.estimators.inputs import numpy_input_fn as numpy_input_fn
from thalweg._src.lib.estimators.inputs import pandas_input_fn as pandas_input_fn
