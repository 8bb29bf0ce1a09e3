"""tf.contrib.linear_optimizer: linear models by stochastic dual coordinate ascent."""

from thalweg._src.contrib.linear_optimizer.optimizer import SDCAOptimizer as SDCAOptimizer
from thalweg._src.lib.estimators.sdca import SdcaModel as SdcaModel
from thalweg._src.lib.estimators.sdca import SparseFeatureColumn as SparseFeatureColumn
