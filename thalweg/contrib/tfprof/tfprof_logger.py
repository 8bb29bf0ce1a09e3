"""tf.contrib.tfprof.tfprof_logger: what profiles need to know of a graph, as a file."""

from thalweg._src.lib.profiler.profiler import write_op_log as write_op_log
