"""An optimizer that throws away gradients of weights that are too old."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful import initializers
from thalweg._src.ops.stateful.variable_scope import get_variable


class DropStaleGradientOptimizer(Optimizer):
    """Applies gradients only if the global step went on by at most `staleness` since they were computed."""

    def __init__(self, opt: Any, staleness: int, use_locking: bool = False, name: str = "DropStaleGradient"):
        super().__init__(use_locking, name)
        self._opt, self._staleness = opt, staleness
        self._local_step: Any = None

    def compute_gradients(self, loss: Any, *args: Any, **kwargs: Any) -> Any:
        graph = get_default_graph()
        with graph.colocate_with(loss.op):
            self._local_step = get_global_step() + 0
        with graph.control_dependencies([self._local_step]):
            return self._opt.compute_gradients(basic.identity(loss), *args, **kwargs)

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        return self._opt.get_slot(*args, **kwargs)

    def get_slot_names(self, *args: Any, **kwargs: Any) -> Any:
        return self._opt.get_slot_names(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """How many gradients were thrown away so far, once these are applied or thrown away too."""
        graph = get_default_graph()
        pairs = list(grads_and_vars)
        with graph.colocate_with(global_step.op):
            dropped = get_variable("stale_counter", [], initializer=initializers.zeros_initializer(), trainable=False)

        def accept() -> Any:
            applied = self._opt.apply_gradients(pairs, global_step=global_step, name=name)
            with get_default_graph().control_dependencies([applied]):
                return basic.identity(0.0)

        computed = [g if isinstance(g, Tensor) else g.op for g, _ in pairs if g is not None]
        with graph.control_dependencies(computed), graph.colocate_with(global_step.op):
            age = array.reshape(global_step - self._local_step, shape=[])
        done = dropped.assign_add(cond(math.less_equal(age, self._staleness), accept, lambda: basic.identity(1.0)))
        summary.scalar("Gradient staleness percentage", dropped / math.cast(global_step + 1, dtypes.float32))
        return done
