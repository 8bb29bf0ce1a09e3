"""Adadelta: steps in the units of the weights, without a rate to choose (Zeiler 2012)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops.updates import training


class AdadeltaOptimizer(Optimizer):
    """var -= learning_rate gradient RMS(updates) / RMS(gradients), the means fading with `rho`."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.95,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ):
        super().__init__(use_locking, name)
        self._lr, self._rho, self._epsilon = learning_rate, rho, epsilon

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            self._zeros_slot(v, "accum", self._name)
            self._zeros_slot(v, "accum_update", self._name)

    def _prepare(self) -> None:
        self._lr_t = self._number(self._lr, "lr")
        self._rho_t = self._number(self._rho, "rho")
        self._epsilon_t = self._number(self._epsilon, "epsilon")

    def _arguments(self, var: Any) -> list[Any]:
        slots = [self.get_slot(var, "accum"), self.get_slot(var, "accum_update")]
        return slots + self._scalars(var, self._lr_t, self._rho_t, self._epsilon_t)

    def _dense(self, grad: Tensor, var: Any) -> Any:
        return training.apply_adadelta(var, *self._arguments(var), grad, use_locking=self._use_locking)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        return training.sparse_apply_adadelta(var, *self._arguments(var), grad, indices, use_locking=self._use_locking)
