"""Gradient descent and Adagrad, followed by a step back towards zero (Duchi and Singer 2009, FOBOS)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.updates import training


def _prepare(self: Any) -> None:
    self._numbers = [
        self._number(value, name)
        for value, name in (
            (self._learning_rate, "learning_rate"),
            (self._l1, "l1_regularization_strength"),
            (self._l2, "l2_regularization_strength"),
        )
    ]


class ProximalGradientDescentOptimizer(Optimizer):
    """var = prox(var - learning_rate gradient), with L1 and L2 regularization in `prox`."""

    def __init__(
        self,
        learning_rate: Any,
        l1_regularization_strength: Any = 0.0,
        l2_regularization_strength: Any = 0.0,
        use_locking: bool = False,
        name: str = "ProximalGradientDescent",
    ):
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._l1, self._l2 = l1_regularization_strength, l2_regularization_strength

    _prepare = _prepare

    def _dense(self, grad: Tensor, var: Any) -> Any:
        return training.apply_proximal_gradient_descent(
            var, *self._scalars(var, *self._numbers), grad, use_locking=self._use_locking
        )

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        return training.sparse_apply_proximal_gradient_descent(
            var, *self._scalars(var, *self._numbers), grad, indices, use_locking=self._use_locking
        )


class ProximalAdagradOptimizer(Optimizer):
    """As ProximalGradientDescentOptimizer, with the rates of Adagrad."""

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: Any = 0.0,
        l2_regularization_strength: Any = 0.0,
        use_locking: bool = False,
        name: str = "ProximalAdagrad",
    ):
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name)
        self._learning_rate, self._initial_accumulator_value = learning_rate, initial_accumulator_value
        self._l1, self._l2 = l1_regularization_strength, l2_regularization_strength

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            with get_default_graph().colocate_with(v.op):
                start = constant(self._initial_accumulator_value, shape=v.get_shape(), dtype=v.dtype.base_dtype)
            self._get_or_make_slot(v, start, "accumulator", self._name)

    _prepare = _prepare

    def _dense(self, grad: Tensor, var: Any) -> Any:
        slot, numbers = self.get_slot(var, "accumulator"), self._scalars(var, *self._numbers)
        return training.apply_proximal_adagrad(var, slot, *numbers, grad, use_locking=self._use_locking)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        slot, numbers = self.get_slot(var, "accumulator"), self._scalars(var, *self._numbers)
        return training.sparse_apply_proximal_adagrad(var, slot, *numbers, grad, indices, use_locking=self._use_locking)
