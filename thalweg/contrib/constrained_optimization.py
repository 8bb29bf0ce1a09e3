"""tf.contrib.constrained_optimization: minimization under constraints."""

from thalweg._src.contrib.constrained.candidates import (
    find_best_candidate_distribution as find_best_candidate_distribution,
)
from thalweg._src.contrib.constrained.candidates import find_best_candidate_index as find_best_candidate_index
from thalweg._src.contrib.constrained.optimizers import (
    AdditiveExternalRegretOptimizer as AdditiveExternalRegretOptimizer,
)
from thalweg._src.contrib.constrained.optimizers import AdditiveSwapRegretOptimizer as AdditiveSwapRegretOptimizer
from thalweg._src.contrib.constrained.optimizers import ConstrainedOptimizer as ConstrainedOptimizer
from thalweg._src.contrib.constrained.optimizers import (
    MultiplicativeSwapRegretOptimizer as MultiplicativeSwapRegretOptimizer,
)
from thalweg._src.contrib.constrained.problem import ConstrainedMinimizationProblem as ConstrainedMinimizationProblem
