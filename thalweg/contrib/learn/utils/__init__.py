"""tf.contrib.learn.utils."""

from thalweg._src.contrib.learn.export_strategies import make_export_strategy as make_export_strategy
from thalweg._src.contrib.learn.export_strategies import make_parsing_export_strategy as make_parsing_export_strategy
from thalweg._src.contrib.learn.exporting import InputFnOps as InputFnOps
from thalweg._src.contrib.learn.exporting import build_default_serving_input_fn as build_default_serving_input_fn
from thalweg._src.contrib.learn.exporting import build_parsing_serving_input_fn as build_parsing_serving_input_fn
from thalweg.contrib.learn.utils import export as export
from thalweg.contrib.learn.utils import input_fn_utils as input_fn_utils
from thalweg.contrib.learn.utils import saved_model_export_utils as saved_model_export_utils
