"""tf.contrib.learn.utils.input_fn_utils."""

from thalweg._src.contrib.learn.exporting import InputFnOps as InputFnOps
from thalweg._src.contrib.learn.exporting import build_default_serving_input_fn as build_default_serving_input_fn
from thalweg._src.contrib.learn.exporting import build_parsing_serving_input_fn as build_parsing_serving_input_fn
