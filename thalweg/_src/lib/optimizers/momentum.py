"""Gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops.updates import training


class MomentumOptimizer(Optimizer):
    """accumulation = momentum accumulation + gradient; var -= learning_rate accumulation.

    `use_nesterov` looks ahead by one step (Sutskever et al. 2013).
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ):
        super().__init__(use_locking, name)
        self._learning_rate, self._momentum, self._use_nesterov = learning_rate, momentum, use_nesterov

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            self._zeros_slot(v, "momentum", self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = self._number(self._learning_rate, "learning_rate")
        self._momentum_tensor = self._number(self._momentum, "momentum")

    def _dense(self, grad: Tensor, var: Any) -> Any:
        rate, momentum = self._scalars(var, self._learning_rate_tensor, self._momentum_tensor)
        return training.apply_momentum(
            var,
            self.get_slot(var, "momentum"),
            rate,
            grad,
            momentum,
            use_locking=self._use_locking,
            use_nesterov=self._use_nesterov,
        )

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        rate, momentum = self._scalars(var, self._learning_rate_tensor, self._momentum_tensor)
        return training.sparse_apply_momentum(
            var,
            self.get_slot(var, "momentum"),
            rate,
            grad,
            indices,
            momentum,
            use_locking=self._use_locking,
            use_nesterov=self._use_nesterov,
        )
