"""tf.profiler: what the parts of a graph cost."""

from thalweg._src.lib.messages import of_profiler as __getattr__
from thalweg._src.lib.profiler.options import ProfileOptionBuilder as ProfileOptionBuilder
from thalweg._src.lib.profiler.profiler import Profiler as Profiler
from thalweg._src.lib.profiler.profiler import profile as profile
from thalweg._src.lib.profiler.profiler import write_op_log as write_op_log
