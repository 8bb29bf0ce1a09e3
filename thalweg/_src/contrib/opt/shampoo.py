"""Shampoo: a preconditioner for each axis of a weight (Gupta, Koren and Singer 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.contrib.opt.matrix_roots import matrix_inverse_pth_root, matrix_square_root
from thalweg._src.contrib.opt.rows import scatter_add
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.platform import logging
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import array, math
from thalweg._src.ops.linear import linalg
from thalweg._src.ops.stateful.assigning import assign, assign_add, assign_sub


class ShampooOptimizer(Optimizer):
    """Moves a weight against its averaged gradient, multiplied along each axis i by G_i^(-alpha / rank).

    G_i averages the gradient's products with itself over the other axes; where an axis is longer than `max_matrix_size`
    only their diagonal is kept. Averages are `decay` times the old plus `weight` times the new. Numbers may be functions
    of the step. Roots are by singular values unless `use_iterative_root`, each `svd_interval` steps.
    """

    def __init__(
        self,
        global_step: Any = 0,
        max_matrix_size: int = 768,
        gbar_decay: Any = 0.0,
        gbar_weight: Any = 1.0,
        mat_gbar_decay: Any = 1.0,
        mat_gbar_weight: Any = 1.0,
        learning_rate: Any = 1.0,
        svd_interval: Any = 1,
        precond_update_interval: Any = 1,
        epsilon: float = 1e-4,
        alpha: Any = 0.5,
        use_iterative_root: bool = False,
        use_locking: bool = False,
        name: str = "Shampoo",
    ):
        super().__init__(use_locking, name)
        self._global_step = math.cast(global_step, dtypes.float32)
        self._max_matrix_size, self._use_iterative_root = max_matrix_size, use_iterative_root
        self._gbar_decay, self._gbar_weight = gbar_decay, gbar_weight
        self._mat_gbar_decay, self._mat_gbar_weight = mat_gbar_decay, mat_gbar_weight
        self._learning_rate, self._epsilon, self._alpha = learning_rate, epsilon, alpha
        self._svd_interval, self._precond_update_interval = svd_interval, precond_update_interval

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            with get_default_graph().colocate_with(v.op):
                self._zeros_slot(v, "gbar", self._name)
                for i, size in enumerate(v.get_shape().as_list()):
                    if size > self._max_matrix_size:
                        start = constants.zeros([size])
                    else:
                        start = constants.zeros([size, size])
                        if callable(self._svd_interval) or self._svd_interval > 1:
                            self._get_or_make_slot(v, linalg.eye(size), f"H_{i}", self._name)
                    self._get_or_make_slot(v, start, f"Gbar_{i}", self._name)

    def _dense(self, grad: Tensor, var: Any) -> Any:
        return self._move(grad, var, None)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        if var.get_shape().as_list()[0] <= self._max_matrix_size or self._gbar_decay != 0.0:
            rows = array.expand_dims(indices, axis=1)
            return self._move(array.scatter_nd(rows, grad, array.shape(var, out_type=indices.dtype)), var, None)
        return self._move(grad, var, indices)

    def _move(self, grad: Tensor, var: Any, indices: Tensor | None) -> Any:
        """The write that moves the variable, or the rows `indices` of it."""
        step = self._global_step + 1
        if indices is None:
            weighted = _at(self._gbar_weight, step) * grad
            direction = _averaged(self.get_slot(var, "gbar"), self._gbar_decay, _at(self._gbar_decay, step), weighted)
        else:
            if self._gbar_decay != 0.0:
                logging.warning("Not applying momentum for variable: %s", var.name)
            direction = grad
        sizes = var.get_shape().as_list()
        exponent = -_at(self._alpha, step) / len(sizes)
        for i, size in enumerate(sizes):
            # Each turn uses up the first axis and puts it behind the others, so that after all they stand as before.
            if size <= self._max_matrix_size:
                root = self._root(grad, var, i, size, exponent, step)
                direction = math.tensordot(direction, root, axes=([0], [0]), name=f"precond_{i}")
            else:
                turned = array.transpose(direction, perm=[*range(1, len(sizes)), 0])
                direction = turned * self._diagonal(grad, var, i, size, exponent, step, indices)
        rate = _at(self._learning_rate, step)
        if indices is None:
            return assign_sub(var, rate * direction)
        return scatter_add(var, indices, -rate * direction)

    def _root(self, grad: Tensor, var: Any, i: int, size: int, exponent: Any, step: Any) -> Any:
        """The preconditioner of axis `i`: [size, size]."""
        decay, weight = _at(self._mat_gbar_decay, step), _at(self._mat_gbar_weight, step)
        every, roots_every = _at(self._precond_update_interval, step), _at(self._svd_interval, step)
        average = self.get_slot(var, f"Gbar_{i}")
        others = [axis for axis in range(len(grad.get_shape().as_list())) if axis != i]

        def updated() -> Any:
            products = math.tensordot(grad, grad, axes=(others, others), name=f"grad_outer_{i}")
            return _averaged(average, self._mat_gbar_decay, decay, weight * every * products)

        matrix = cond(math.mod(step, every) < 1, updated, lambda: average.value()) / float(size)
        if not callable(self._svd_interval) and self._svd_interval == 1:
            return self._power(matrix, size, exponent)
        kept = self.get_slot(var, f"H_{i}")
        return cond(
            math.mod(step, roots_every) < 1,
            lambda: assign(kept, self._power(matrix, size, exponent)),
            lambda: kept.value(),
        )

    def _power(self, matrix: Any, size: int, exponent: Any) -> Any:
        """A symmetric matrix without negative directions to a negative power."""
        with get_default_graph().name_scope("matrix_iterative_power"):
            if self._use_iterative_root:
                root = matrix_square_root(matrix, size, 100, self._epsilon)
                return matrix_inverse_pth_root(root, size, 2 * exponent, 100, 1e-6, ridge_epsilon=0.0)
            if size == 1:
                return math.pow(matrix + self._epsilon, exponent)
            s, u, v = linalg.svd(matrix + self._epsilon * linalg.eye(size), full_matrices=True)
            return math.matmul(v * math.pow(math.maximum(s, self._epsilon), exponent), array.transpose(u))

    def _diagonal(
        self, grad: Tensor, var: Any, i: int, size: int, exponent: Any, step: Any, indices: Tensor | None
    ) -> Any:
        """The preconditioner of a long axis: [size], or one number for each of `indices` on the first axis."""
        decay, weight = _at(self._mat_gbar_decay, step), _at(self._mat_gbar_weight, step)
        average = self.get_slot(var, f"Gbar_{i}")
        others = [axis for axis in range(len(grad.get_shape().as_list())) if axis != i]
        squares = grad * grad
        if others:
            squares = math.reduce_sum(squares, axis=others) / (1.0 if indices is not None else float(size))
        if i == 0 and indices is not None:
            if self._mat_gbar_decay != 1.0:
                raise ValueError(
                    f"Rows of {var.name} can't be moved alone when mat_gbar_decay is {self._mat_gbar_decay}"
                )
            sums = array.gather(scatter_add(average, indices, weight * squares), indices)
        else:
            sums = _averaged(average, self._mat_gbar_decay, decay, weight * squares)
        return array.where(math.greater(sums, 0), math.pow(sums, exponent), array.zeros_like(sums))


def _at(value: Any, step: Any) -> Any:
    """A number, which may be a function of the step."""
    return value(step) if callable(value) else value


def _averaged(slot: Any, decay: Any, decay_now: Any, addend: Any) -> Any:
    """The slot after it was faded by `decay` and `addend` was added; untouched where the decay is zero for good."""
    if decay == 0.0:
        return addend
    if decay == 1.0:
        return assign_add(slot, addend)
    return slot.assign_add((decay_now - 1) * slot + to_tensor(addend))
