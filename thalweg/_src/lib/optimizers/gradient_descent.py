"""Gradient descent."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices, scaled
from thalweg._src.ops.updates import training, updating


class GradientDescentOptimizer(Optimizer):
    """var -= learning_rate gradient. `learning_rate`: a number, a tensor, or a function of no arguments."""

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent"):
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._learning_rate_tensor: Any = None

    def _prepare(self) -> None:
        self._learning_rate_tensor = self._number(self._learning_rate, "learning_rate")

    def _dense(self, grad: Tensor, var: Any) -> Any:
        (rate,) = self._scalars(var, self._learning_rate_tensor)
        return training.apply_gradient_descent(var, rate, grad, use_locking=self._use_locking)

    # Rows named twice are subtracted twice, so nothing has to be summed before.

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Any) -> Any:
        (rate,) = self._scalars(var, self._learning_rate_tensor)
        return var.scatter_sub(scaled(grad, rate), use_locking=self._use_locking)

    def _resource_apply_sparse_duplicate_indices(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        return updating.resource_scatter_add(handle, indices, -grad * self._learning_rate)
