"""Updates that look at whether momentum and gradient agree in sign (Bello et al. 2017)."""

from __future__ import annotations

import math as numbers
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops import array, math
from thalweg._src.ops.updates import training


class _Sign(Optimizer):
    def __init__(self, learning_rate: Any, factor: Any, beta: Any, sign_decay_fn: Any, use_locking: bool, name: str):
        super().__init__(use_locking, name)
        self._lr, self._factor, self._beta, self._sign_decay_fn = learning_rate, factor, beta, sign_decay_fn

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        if self._sign_decay_fn is not None:
            self._sign_decay_t = to_tensor(self._sign_decay_fn(global_step), name="sign_decay")
        return super().apply_gradients(grads_and_vars, global_step=global_step, name=name)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            self._zeros_slot(v, "m", self._name)

    def _prepare(self) -> None:
        self._lr_t = self._number(self._lr, "learning_rate")
        self._beta_t = self._number(self._beta, "beta")
        self._factor_t = self._number(self._factor, "factor")
        if self._sign_decay_fn is None:
            self._sign_decay_t = to_tensor(1.0, name="sign_decay")

    _rule: Any = None

    def _dense(self, grad: Tensor, var: Any) -> Any:
        scalars = self._scalars(var, self._lr_t, self._factor_t, self._sign_decay_t, self._beta_t)
        return type(self)._rule(var, self.get_slot(var, "m"), *scalars, grad, use_locking=self._use_locking)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        rows = array.scatter_nd(array.expand_dims(indices, 1), grad, array.shape(var))
        return self._dense(rows, var)


class PowerSignOptimizer(_Sign):
    """var -= learning_rate base^(sign_decay sign(g) sign(m)) g."""

    _rule = staticmethod(training.apply_power_sign)

    def __init__(
        self,
        learning_rate: Any = 0.1,
        base: float = numbers.e,
        beta: Any = 0.9,
        sign_decay_fn: Any = None,
        use_locking: bool = False,
        name: str = "PowerSignOptimizer",
    ):
        super().__init__(learning_rate, numbers.log(base), beta, sign_decay_fn, use_locking, name)


class AddSignOptimizer(_Sign):
    """var -= learning_rate (alpha + sign_decay sign(g) sign(m)) g."""

    _rule = staticmethod(training.apply_add_sign)

    def __init__(
        self,
        learning_rate: Any = 0.1,
        alpha: float = 1.0,
        beta: Any = 0.9,
        sign_decay_fn: Any = None,
        use_locking: bool = False,
        name: str = "AddSignOptimizer",
    ):
        super().__init__(learning_rate, alpha, beta, sign_decay_fn, use_locking, name)


def get_linear_decay_fn(decay_steps: int) -> Callable[[Any], Any]:
    """1 - step / decay_steps, and 0 after that."""
    if decay_steps <= 0:
        raise ValueError("decay_steps must be at least 1.")

    def decay(step: Any) -> Any:
        part = math.cast(math.minimum(math.cast(step, dtypes.int64), decay_steps), dtypes.float32)
        return 1.0 - part / float(decay_steps)

    return decay
