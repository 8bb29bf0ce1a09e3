"""tf.contrib.tfprof.model_analyzer: profiles, and options for them."""

from thalweg._src.lib.profiler.context import ProfileContext as ProfileContext
from thalweg._src.lib.profiler.options import ProfileOptionBuilder as ProfileOptionBuilder
from thalweg._src.lib.profiler.profiler import FLOAT_OPS_OPTIONS as FLOAT_OPS_OPTIONS
from thalweg._src.lib.profiler.profiler import PRINT_ALL_TIMING_MEMORY as PRINT_ALL_TIMING_MEMORY
from thalweg._src.lib.profiler.profiler import TRAINABLE_VARS_PARAMS_STAT_OPTIONS as TRAINABLE_VARS_PARAMS_STAT_OPTIONS
from thalweg._src.lib.profiler.profiler import Profiler as Profiler
from thalweg._src.lib.profiler.profiler import print_model_analysis as print_model_analysis
from thalweg._src.lib.profiler.profiler import profile as profile
