"""tf.contrib.tpu: programs for TPUs, run as one shard on the device of this process."""

from thalweg._src.lib.tpu.computation import CrossShardOptimizer as CrossShardOptimizer
from thalweg._src.lib.tpu.computation import batch_parallel as batch_parallel
from thalweg._src.lib.tpu.computation import bfloat16_scope as bfloat16_scope
from thalweg._src.lib.tpu.computation import cross_replica_sum as cross_replica_sum
from thalweg._src.lib.tpu.computation import initialize_system as initialize_system
from thalweg._src.lib.tpu.computation import outside_compilation as outside_compilation
from thalweg._src.lib.tpu.computation import repeat as repeat
from thalweg._src.lib.tpu.computation import replicate as replicate
from thalweg._src.lib.tpu.computation import rewrite as rewrite
from thalweg._src.lib.tpu.computation import shard as shard
from thalweg._src.lib.tpu.computation import shutdown_system as shutdown_system
from thalweg._src.lib.tpu.config import InputPipelineConfig as InputPipelineConfig
from thalweg._src.lib.tpu.config import RunConfig as RunConfig
from thalweg._src.lib.tpu.config import TPUConfig as TPUConfig
from thalweg._src.lib.tpu.estimator import TPUEstimator as TPUEstimator
from thalweg._src.lib.tpu.estimator import TPUEstimatorSpec as TPUEstimatorSpec
