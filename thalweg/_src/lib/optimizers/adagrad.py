"""Adagrad: a rate of its own for each weight, which falls with the gradients it has seen (Duchi et al. 2011)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.late import array, math
from thalweg._src.ops.updates import training


class AdagradOptimizer(Optimizer):
    """accumulator += gradient^2; var -= learning_rate gradient / sqrt(accumulator)."""

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ):
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name)
        self._learning_rate, self._initial_accumulator_value = learning_rate, initial_accumulator_value
        self._learning_rate_tensor: Any = None

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            constant_slot(self, v, self._initial_accumulator_value, "accumulator", self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = self._number(self._learning_rate, "learning_rate")

    def _dense(self, grad: Tensor, var: Any) -> Any:
        (rate,) = self._scalars(var, self._learning_rate_tensor)
        slot = self.get_slot(var, "accumulator")
        return training.apply_adagrad(var, slot, rate, grad, use_locking=self._use_locking)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        (rate,) = self._scalars(var, self._learning_rate_tensor)
        slot = self.get_slot(var, "accumulator")
        return training.sparse_apply_adagrad(var, slot, rate, grad, indices, use_locking=self._use_locking)


def constant_slot(optimizer: Any, var: Any, value: float, slot_name: str, op_name: str) -> None:
    """Make a slot of `optimizer` that starts with one value everywhere."""
    from thalweg._src.ops.stateful.initializers import constant_initializer

    dtype = var.dtype.base_dtype
    if var.get_shape().is_fully_defined():
        initial: Any = constant_initializer(value, dtype=dtype)
    else:

        def initial() -> Tensor:
            return math.cast(constants.fill(array.shape(var), value), dtype)

    optimizer._get_or_make_slot_with_initializer(var, initial, var.get_shape(), dtype, slot_name, op_name)
