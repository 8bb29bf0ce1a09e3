"""RMSProp: gradients divided by the root of their mean square (Tieleman and Hinton 2012)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.updates import training


class RMSPropOptimizer(Optimizer):
    """momentum' = momentum momentum' + learning_rate gradient / sqrt(mean square + epsilon); var -= momentum'.

    The mean fades with `decay` and starts at one. `centered` divides by the standard deviation instead.
    """

    def __init__(
        self,
        learning_rate: Any,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ):
        super().__init__(use_locking, name)
        self._learning_rate, self._decay, self._momentum, self._epsilon = learning_rate, decay, momentum, epsilon
        self._centered = centered

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        from thalweg._src.ops.stateful.initializers import ones_initializer

        for v in var_list:
            dtype, shape = v.dtype.base_dtype, v.get_shape()
            ones = ones_initializer(dtype=dtype) if shape.is_fully_defined() else constants.ones_like(v)
            self._get_or_make_slot_with_initializer(v, ones, shape, dtype, "rms", self._name)
            if self._centered:
                self._zeros_slot(v, "mg", self._name)
            self._zeros_slot(v, "momentum", self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = self._number(self._learning_rate, "learning_rate")
        self._decay_tensor = self._number(self._decay, "decay")
        self._momentum_tensor = self._number(self._momentum, "momentum")
        self._epsilon_tensor = self._number(self._epsilon, "epsilon")

    def _arguments(self, var: Any) -> list[Any]:
        """Slots and numbers of the update of `var`, in the order of the ops."""
        names = ("mg", "rms", "momentum") if self._centered else ("rms", "momentum")
        slots = [self.get_slot(var, name) for name in names]
        return slots + self._scalars(
            var, self._learning_rate_tensor, self._decay_tensor, self._momentum_tensor, self._epsilon_tensor
        )

    def _dense(self, grad: Tensor, var: Any) -> Any:
        rule = training.apply_centered_rms_prop if self._centered else training.apply_rms_prop
        return rule(var, *self._arguments(var), grad, use_locking=self._use_locking)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        rule = training.sparse_apply_centered_rms_prop if self._centered else training.sparse_apply_rms_prop
        return rule(var, *self._arguments(var), grad, indices, use_locking=self._use_locking)
