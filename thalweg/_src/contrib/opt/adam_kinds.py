"""Kinds of Adam: lazy for rows, with Nesterov's momentum, and by the maximum norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.contrib.opt.rows import scatter_add, scatter_update
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.optimizers.adam import AdamOptimizer
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.numeric import elementwise
from thalweg._src.ops.stateful.assigning import assign
from thalweg._src.ops.updates import training


class LazyAdamOptimizer(AdamOptimizer):
    """Adam that, given rows, moves and fades those rows alone: faster, and another rule than Adam's."""

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        powers = self._get_beta_accumulators()
        power1, power2, rate, beta1, beta2, epsilon = self._scalars(
            var, *powers, self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t
        )
        rate = rate * elementwise.sqrt(1 - power2) / (1 - power1)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        m_rows = beta1 * array.gather(m, indices) + (1 - beta1) * grad
        m_t = scatter_update(m, indices, m_rows, self._use_locking)
        v_rows = beta2 * array.gather(v, indices) + (1 - beta2) * elementwise.square(grad)
        v_t = scatter_update(v, indices, v_rows, self._use_locking)
        step = rate * m_rows / (elementwise.sqrt(v_rows) + epsilon)
        moved = scatter_add(var, indices, -step, self._use_locking)
        return basic.group(moved, m_t, v_t)


class NadamOptimizer(AdamOptimizer):
    """Adam with Nesterov's momentum (Dozat 2016)."""

    def _dense(self, grad: Tensor, var: Any) -> Any:
        powers = self._get_beta_accumulators()
        scalars = self._scalars(var, *powers, self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        return training.apply_adam(var, m, v, *scalars, grad, use_locking=self._use_locking, use_nesterov=True)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        powers = self._get_beta_accumulators()
        power1, power2, rate, beta1, beta2, epsilon = self._scalars(
            var, *powers, self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t
        )
        rate = rate * elementwise.sqrt(1 - power2) / (1 - power1)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        graph = get_default_graph()
        scaled = grad * (1 - beta1)
        with graph.control_dependencies([assign(m, m * beta1, use_locking=self._use_locking)]):
            m_t = scatter_add(m, indices, scaled, self._use_locking)
            ahead = scaled + beta1 * array.gather(m_t, indices)
        with graph.control_dependencies([assign(v, v * beta2, use_locking=self._use_locking)]):
            v_t = scatter_add(v, indices, (grad * grad) * (1 - beta2), self._use_locking)
        root = elementwise.sqrt(array.gather(v_t, indices))
        moved = scatter_add(var, indices, -rate * ahead / (root + epsilon), self._use_locking)
        return basic.group(moved, ahead, v_t)


class AdaMaxOptimizer(AdamOptimizer):
    """Adam by the maximum norm (Kingma and Ba 2014, section 7.1)."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "AdaMax",
    ):
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)

    def _get_beta_accumulators(self) -> Any:
        return self._get_non_slot_variable("beta1_power", get_default_graph().outermost)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        self._create_non_slot_variable(self._beta1, "beta1_power", min(var_list, key=lambda v: v.name))
        for v in var_list:
            self._zeros_slot(v, "m", self._name)
            self._zeros_slot(v, "v", self._name)

    def _dense(self, grad: Tensor, var: Any) -> Any:
        scalars = self._scalars(
            var, self._get_beta_accumulators(), self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t
        )
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        return training.apply_ada_max(var, m, v, *scalars, grad, use_locking=self._use_locking)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        power, rate, beta1, beta2, epsilon = self._scalars(
            var, self._get_beta_accumulators(), self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t
        )
        graph = get_default_graph()
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        m_rows = array.gather(m, indices) * beta1 + grad * (1 - beta1)
        with graph.control_dependencies([m_rows]):
            m_t = scatter_update(m, indices, m_rows, self._use_locking)
        v_rows = math.maximum(array.gather(v, indices) * beta2, elementwise.abs(grad))
        with graph.control_dependencies([v_rows]):
            v_t = scatter_update(v, indices, v_rows, self._use_locking)
        step = -rate / (1 - power) * (m_rows / (v_rows + epsilon))
        with graph.control_dependencies([step]):
            moved = scatter_add(var, indices, step, self._use_locking)
        return basic.group(moved, m_t, v_t)

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        graph = get_default_graph()
        with graph.control_dependencies(update_ops):
            power = self._get_beta_accumulators()
            with graph.colocate_with(power.op):
                faded = power.assign(power * self._beta1_t, use_locking=self._use_locking)
        return basic.group(*update_ops, faded, name=name_scope)
