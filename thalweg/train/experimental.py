"""tf.train.experimental."""

from thalweg._src.lib.mixed_precision.loss_scale import DynamicLossScale as DynamicLossScale
from thalweg._src.lib.mixed_precision.loss_scale import FixedLossScale as FixedLossScale
from thalweg._src.lib.mixed_precision.loss_scale import LossScale as LossScale
from thalweg._src.lib.mixed_precision.optimizer import (
    MixedPrecisionLossScaleOptimizer as MixedPrecisionLossScaleOptimizer,
)
from thalweg._src.lib.mixed_precision.optimizer import (
    disable_mixed_precision_graph_rewrite as disable_mixed_precision_graph_rewrite,
)
from thalweg._src.lib.mixed_precision.optimizer import (
    enable_mixed_precision_graph_rewrite as enable_mixed_precision_graph_rewrite,
)
