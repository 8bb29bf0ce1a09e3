"""tf.config.threading: how many threads."""

from thalweg._src.lib.configuring import get_inter_op_parallelism_threads as get_inter_op_parallelism_threads
from thalweg._src.lib.configuring import get_intra_op_parallelism_threads as get_intra_op_parallelism_threads
from thalweg._src.lib.configuring import set_inter_op_parallelism_threads as set_inter_op_parallelism_threads
from thalweg._src.lib.configuring import set_intra_op_parallelism_threads as set_intra_op_parallelism_threads
