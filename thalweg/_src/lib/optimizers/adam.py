"""Adam: momentum and a rate of its own for each weight (Kingma and Ba 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops import basic
from thalweg._src.ops.late import math
from thalweg._src.ops.stateful.assigning import assign, assign_sub
from thalweg._src.ops.stateful.resource_variables import ResourceVariable
from thalweg._src.ops.updates import training, updating


class AdamOptimizer(Optimizer):
    """var -= learning_rate m / (sqrt(v) + epsilon), with m the mean of the gradients and v of their squares.

    The means fade with `beta1` and `beta2`, and are corrected for having started at zero. For rows (IndexedSlices),
    the means of all rows fade, and all rows of the variable move.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ):
        super().__init__(use_locking, name)
        self._lr, self._beta1, self._beta2, self._epsilon = learning_rate, beta1, beta2, epsilon

    def _get_beta_accumulators(self) -> tuple[Any, Any]:
        graph = get_default_graph().outermost
        return self._get_non_slot_variable("beta1_power", graph), self._get_non_slot_variable("beta2_power", graph)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        first = min(var_list, key=lambda v: v.name)
        self._create_non_slot_variable(self._beta1, "beta1_power", first)
        self._create_non_slot_variable(self._beta2, "beta2_power", first)
        for v in var_list:
            self._zeros_slot(v, "m", self._name)
            self._zeros_slot(v, "v", self._name)

    def _prepare(self) -> None:
        self._lr_t = self._number(self._lr, "learning_rate")
        self._beta1_t = self._number(self._beta1, "beta1")
        self._beta2_t = self._number(self._beta2, "beta2")
        self._epsilon_t = self._number(self._epsilon, "epsilon")

    def _dense(self, grad: Tensor, var: Any) -> Any:
        powers = self._get_beta_accumulators()
        scalars = self._scalars(var, *powers, self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        return training.apply_adam(var, m, v, *scalars, grad, use_locking=self._use_locking)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        powers = self._get_beta_accumulators()
        power1, power2, rate, beta1, beta2, epsilon = self._scalars(
            var, *powers, self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t
        )
        rate = rate * math.sqrt(1 - power2) / (1 - power1)
        m_t = self._fade_and_add(self.get_slot(var, "m"), beta1, grad * (1 - beta1), indices)
        v_t = self._fade_and_add(self.get_slot(var, "v"), beta2, (grad * grad) * (1 - beta2), indices)
        root = math.sqrt(v_t)
        moved = assign_sub(var, rate * m_t / (root + epsilon), use_locking=self._use_locking)
        return basic.group(moved, m_t, v_t)

    def _fade_and_add(self, slot: Any, beta: Any, rows: Any, indices: Any) -> Any:
        graph = get_default_graph()
        faded = assign(slot, slot * beta, use_locking=self._use_locking)
        with graph.control_dependencies([faded]):
            if not isinstance(slot, ResourceVariable):
                return updating.scatter_add(slot, indices, rows, use_locking=self._use_locking)
            with graph.control_dependencies([updating.resource_scatter_add(slot, indices, rows)]):
                return slot.value()

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        graph = get_default_graph()
        with graph.control_dependencies(update_ops):
            powers = self._get_beta_accumulators()
            with graph.colocate_with(powers[0].op):
                updates = [
                    power.assign(power * beta, use_locking=self._use_locking)
                    for power, beta in zip(powers, (self._beta1_t, self._beta2_t), strict=True)
                ]
        return basic.group(*update_ops, *updates, name=name_scope)
