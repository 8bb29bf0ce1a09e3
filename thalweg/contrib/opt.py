"""tf.contrib.opt: more optimizers."""

from thalweg._src.contrib.opt.adam_kinds import AdaMaxOptimizer as AdaMaxOptimizer
from thalweg._src.contrib.opt.adam_kinds import LazyAdamOptimizer as LazyAdamOptimizer
from thalweg._src.contrib.opt.adam_kinds import NadamOptimizer as NadamOptimizer
from thalweg._src.contrib.opt.external import ExternalOptimizerInterface as ExternalOptimizerInterface
from thalweg._src.contrib.opt.external import ScipyOptimizerInterface as ScipyOptimizerInterface
from thalweg._src.contrib.opt.signs import AddSignOptimizer as AddSignOptimizer
from thalweg._src.contrib.opt.signs import PowerSignOptimizer as PowerSignOptimizer
from thalweg._src.contrib.opt.signs import get_linear_decay_fn as get_linear_decay_fn
from thalweg._src.contrib.opt.wrappers import AdamWOptimizer as AdamWOptimizer
from thalweg._src.contrib.opt.wrappers import DecoupledWeightDecayExtension as DecoupledWeightDecayExtension
from thalweg._src.contrib.opt.wrappers import LARSOptimizer as LARSOptimizer
from thalweg._src.contrib.opt.wrappers import MomentumWOptimizer as MomentumWOptimizer
from thalweg._src.contrib.opt.wrappers import MovingAverageOptimizer as MovingAverageOptimizer
from thalweg._src.contrib.opt.wrappers import VariableClippingOptimizer as VariableClippingOptimizer
from thalweg._src.contrib.opt.wrappers import clip_gradients_by_global_norm as clip_gradients_by_global_norm
from thalweg._src.contrib.opt.wrappers import extend_with_decoupled_weight_decay as extend_with_decoupled_weight_decay
