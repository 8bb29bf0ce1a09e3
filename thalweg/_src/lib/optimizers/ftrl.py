"""FTRL-Proximal: follow the regularized leader (McMahan et al. 2013)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.updates import training


class FtrlOptimizer(Optimizer):
    """For sparse models: L1 regularization makes weights exactly zero, L2 shrinks them.

    `l2_shrinkage_regularization_strength` is a penalty on the weights as they are, beside the one on their average.
    """

    def __init__(
        self,
        learning_rate: Any,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
    ):
        super().__init__(use_locking, name)
        if learning_rate_power > 0.0:
            raise ValueError(f"learning_rate_power {learning_rate_power:f} needs to be negative or zero")
        for what, value in (
            ("initial_accumulator_value", initial_accumulator_value),
            ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):
            if value < 0.0:
                raise ValueError(f"{what} {value:f} needs to be positive or zero")
        self._learning_rate, self._learning_rate_power = learning_rate, learning_rate_power
        self._initial_accumulator_value = initial_accumulator_value
        self._l1, self._l2 = l1_regularization_strength, l2_regularization_strength
        self._l2_shrinkage = l2_shrinkage_regularization_strength
        self._accum_name, self._linear_name = accum_name, linear_name

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            with get_default_graph().colocate_with(v.op):
                start = constant(self._initial_accumulator_value, dtype=v.dtype.base_dtype, shape=v.get_shape())
                self._get_or_make_slot(v, start, "accum", self._accum_name or self._name)
                self._zeros_slot(v, "linear", self._linear_name or self._name)

    def _prepare(self) -> None:
        self._numbers = [
            self._number(value, name)
            for value, name in (
                (self._learning_rate, "learning_rate"),
                (self._l1, "l1_regularization_strength"),
                (self._l2, "l2_regularization_strength"),
                (self._l2_shrinkage, "l2_shrinkage_regularization_strength"),
                (self._learning_rate_power, "learning_rate_power"),
            )
        ]

    def _numbers_of(self, var: Any) -> list[Any]:
        rate, l1, l2, shrinkage, power = self._scalars(var, *self._numbers)
        return [rate, l1, l2, shrinkage, power] if self._l2_shrinkage > 0.0 else [rate, l1, l2, power]

    def _slots_of(self, var: Any) -> list[Any]:
        return [self.get_slot(var, "accum"), self.get_slot(var, "linear")]

    def _dense(self, grad: Tensor, var: Any) -> Any:
        rule = training.apply_ftrl_v2 if self._l2_shrinkage > 0.0 else training.apply_ftrl
        return rule(var, *self._slots_of(var), grad, *self._numbers_of(var), use_locking=self._use_locking)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        rule = training.sparse_apply_ftrl_v2 if self._l2_shrinkage > 0.0 else training.sparse_apply_ftrl
        return rule(var, *self._slots_of(var), grad, indices, *self._numbers_of(var), use_locking=self._use_locking)
