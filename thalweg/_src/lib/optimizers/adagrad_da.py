"""Adagrad with dual averaging, for large sparse linear models (Duchi et al. 2011)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops import basic
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.updates import training


class AdagradDAOptimizer(Optimizer):
    """Each weight follows from the sum of its gradients and of their squares; `global_step` counts the steps.

    With L1 regularization, weights stay exactly zero until their gradients exceed it on average.
    """

    def __init__(
        self,
        learning_rate: Any,
        global_step: Any,
        initial_gradient_squared_accumulator_value: float = 0.1,
        l1_regularization_strength: Any = 0.0,
        l2_regularization_strength: Any = 0.0,
        use_locking: bool = False,
        name: str = "AdagradDA",
    ):
        if initial_gradient_squared_accumulator_value <= 0.0:
            raise ValueError(
                "initial_gradient_squared_accumulator_value must be positive: "
                f"{initial_gradient_squared_accumulator_value}"
            )
        super().__init__(use_locking, name)
        self._learning_rate, self._global_step = learning_rate, global_step
        self._initial = initial_gradient_squared_accumulator_value
        self._l1, self._l2 = l1_regularization_strength, l2_regularization_strength

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        graph = get_default_graph()
        for v in var_list:
            dtype, shape = v.dtype.base_dtype, v.get_shape()
            with graph.colocate_with(v.op):
                zeros = constant(0.0, shape=shape, dtype=dtype)
                squares = constant(self._initial, shape=shape, dtype=dtype)
            self._get_or_make_slot(v, zeros, "gradient_accumulator", self._name)
            self._get_or_make_slot(v, squares, "gradient_squared_accumulator", self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = self._number(self._learning_rate, "learning_rate")
        with get_default_graph().colocate_with(self._learning_rate_tensor.op):
            self._step_of_this_run = basic.identity(self._global_step) + 1

    def _numbers(self, var: Any) -> list[Any]:
        from thalweg._src.ops.late import math

        dtype = var.dtype.base_dtype
        step = basic.identity(self._step_of_this_run)
        return [*(math.cast(x, dtype) for x in (self._learning_rate_tensor, self._l1, self._l2)), step]

    def _slots_of(self, var: Any) -> list[Any]:
        return [self.get_slot(var, "gradient_accumulator"), self.get_slot(var, "gradient_squared_accumulator")]

    def _dense(self, grad: Tensor, var: Any) -> Any:
        return training.apply_adagrad_da(
            var, *self._slots_of(var), grad, *self._numbers(var), use_locking=self._use_locking
        )

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        return training.sparse_apply_adagrad_da(
            var, *self._slots_of(var), grad, indices, *self._numbers(var), use_locking=self._use_locking
        )
