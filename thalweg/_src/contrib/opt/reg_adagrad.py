"""Adagrad that can leave its accumulators alone for the part of a loss that regularizes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.lib.optimizers.adagrad import AdagradOptimizer
from thalweg._src.ops.updates import training


class RegAdagradOptimizer(AdagradOptimizer):
    """Adagrad; what is minimized inside of `avoid_updating_slots()` does not slow later steps down."""

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "RegAdagrad",
    ):
        super().__init__(learning_rate, initial_accumulator_value, use_locking, name)
        self._should_update_slots = True

    @contextlib.contextmanager
    def avoid_updating_slots(self) -> Iterator[None]:
        """Updates that are made in this context only read the accumulators."""
        before, self._should_update_slots = self._should_update_slots, False
        try:
            yield
        finally:
            self._should_update_slots = before

    def _flags(self) -> dict[str, bool]:
        return {"use_locking": self._use_locking, "update_slots": self._should_update_slots}

    def _dense(self, grad: Tensor, var: Any) -> Any:
        (rate,) = self._scalars(var, self._learning_rate_tensor)
        return training.apply_adagrad(var, self.get_slot(var, "accumulator"), rate, grad, **self._flags())

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        (rate,) = self._scalars(var, self._learning_rate_tensor)
        slot = self.get_slot(var, "accumulator")
        return training.sparse_apply_adagrad(var, slot, rate, grad, indices, **self._flags())
