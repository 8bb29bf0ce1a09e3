"""Adam whose correction for its start reads the global step, and so keeps no powers of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.contrib.opt.adam_kinds import LazyAdamOptimizer
from thalweg._src.core import dtypes
from thalweg._src.lib.optimizers.adam import AdamOptimizer
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops import basic
from thalweg._src.ops.late import math


class AdamGSOptimizer(AdamOptimizer):
    """Adam; beta^t is computed from `global_step`, so that no parameter server holds two numbers all workers wait for."""

    def __init__(
        self,
        global_step: Any = 0,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ):
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)
        self._global_step = global_step
        self._global_step_on_worker: Any = None

    def _get_beta_accumulators(self) -> tuple[Any, Any]:
        step = self._global_step_on_worker
        return math.pow(self._beta1_t, step), math.pow(self._beta2_t, step)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            self._zeros_slot(v, "m", self._name)
            self._zeros_slot(v, "v", self._name)

    def _prepare(self) -> None:
        super()._prepare()
        self._global_step_on_worker = math.cast(basic.identity(self._global_step) + 1, dtypes.float32)

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        return Optimizer._finish(self, update_ops, name_scope)


class LazyAdamGSOptimizer(AdamGSOptimizer):
    """`AdamGSOptimizer` that, given rows, moves and fades those rows alone."""

    _sparse = LazyAdamOptimizer._sparse
