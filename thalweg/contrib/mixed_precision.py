"""tf.contrib.mixed_precision: losses that are scaled, so that small gradients are no zeros in half precision."""

from thalweg._src.contrib.mixed_precision import ExponentialUpdateLossScaleManager as ExponentialUpdateLossScaleManager
from thalweg._src.contrib.mixed_precision import FixedLossScaleManager as FixedLossScaleManager
from thalweg._src.contrib.mixed_precision import LossScaleManager as LossScaleManager
from thalweg._src.contrib.mixed_precision import LossScaleOptimizer as LossScaleOptimizer
