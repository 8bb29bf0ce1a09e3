"""tf.estimator.tpu: estimators for TPUs, run as one shard on the device of this process."""

from thalweg._src.lib.tpu.config import InputPipelineConfig as InputPipelineConfig
from thalweg._src.lib.tpu.config import RunConfig as RunConfig
from thalweg._src.lib.tpu.config import TPUConfig as TPUConfig
from thalweg._src.lib.tpu.estimator import TPUEstimator as TPUEstimator
from thalweg._src.lib.tpu.estimator import TPUEstimatorSpec as TPUEstimatorSpec
