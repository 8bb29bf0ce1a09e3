"""tf.contrib.optimizer_v2: the second version of the optimizers."""

from thalweg._src.contrib.opt.second_version import AdadeltaOptimizer as AdadeltaOptimizer
from thalweg._src.contrib.opt.second_version import AdagradOptimizer as AdagradOptimizer
from thalweg._src.contrib.opt.second_version import AdamOptimizer as AdamOptimizer
from thalweg._src.contrib.opt.second_version import GradientDescentOptimizer as GradientDescentOptimizer
from thalweg._src.contrib.opt.second_version import MomentumOptimizer as MomentumOptimizer
from thalweg._src.contrib.opt.second_version import OptimizerV2 as OptimizerV2
from thalweg._src.contrib.opt.second_version import RMSPropOptimizer as RMSPropOptimizer
