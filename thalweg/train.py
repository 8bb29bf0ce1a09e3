"""tf.train: optimizers, savers, sessions that survive, queues."""

from thalweg._src.lib.global_step import assert_global_step as assert_global_step
from thalweg._src.lib.global_step import create_global_step as create_global_step
from thalweg._src.lib.global_step import get_global_step as get_global_step
from thalweg._src.lib.global_step import get_or_create_global_step as get_or_create_global_step
from thalweg._src.lib.global_step import global_step as global_step
from thalweg._src.lib.graph_io import write_graph as write_graph
from thalweg._src.lib.optimizers.adagrad import AdagradOptimizer as AdagradOptimizer
from thalweg._src.lib.optimizers.adam import AdamOptimizer as AdamOptimizer
from thalweg._src.lib.optimizers.gradient_descent import GradientDescentOptimizer as GradientDescentOptimizer
from thalweg._src.lib.optimizers.momentum import MomentumOptimizer as MomentumOptimizer
from thalweg._src.lib.optimizers.optimizer import Optimizer as Optimizer
from thalweg._src.lib.summary.writer import SummaryWriter as SummaryWriter
from thalweg._src.lib.summary.writer import summary_iterator as summary_iterator
