"""Optimizers for losses of several tasks, where the gradients of a task that is not in the batch are zero."""

from __future__ import annotations

import types
from typing import Any

from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import math
from thalweg._src.ops.numeric import clip


def _is_all_zeros(grad: Any) -> Any:
    return math.equal(math.count_nonzero(grad), 0)


def _where_not_zero(rule: Any, optimizer: Any) -> Any:
    """`rule` of the optimizer, called on only for gradients that are not zero everywhere."""

    def wrapped(self: Any, grad: Any, *args: Any, **kwargs: Any) -> Any:
        def apply() -> Any:
            with get_default_graph().control_dependencies([rule(grad, *args, **kwargs)]):
                return basic.no_op()

        return cond(_is_all_zeros(grad), basic.no_op, apply)

    return types.MethodType(wrapped, optimizer)


class MultitaskOptimizerWrapper:
    """An optimizer that leaves variables and slots alone where the whole gradient is zero; everything else is `opt`'s.

    Raises TypeError for what is no optimizer.
    """

    def __init__(self, opt: Optimizer):
        if not isinstance(opt, Optimizer):
            raise TypeError("Supplied optimizer must be an instance of tf.train.Optimizer")
        self._opt = opt
        for name in ("_apply_dense", "_resource_apply_dense", "_apply_sparse", "_resource_apply_sparse"):
            setattr(opt, name, _where_not_zero(getattr(opt, name), opt))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opt, name)


def clip_gradients_by_global_norm(gradients_variables: Any, clip_norm: Any = 20.0) -> tuple[list[tuple[Any, Any]], Any]:
    """The (gradient, variable) pairs, all gradients together no longer than `clip_norm`, and the length that they had."""
    gradients, variables = zip(*gradients_variables, strict=True)
    norm = clip.global_norm([g if g is None else _or_scalar(g) for g in gradients])
    clipped, _ = clip.clip_by_global_norm(gradients, clip_norm, use_norm=norm)
    return list(zip(clipped, variables, strict=True)), norm


def _or_scalar(grad: Any) -> Any:
    """`grad`, or one zero where it is nothing but zeros."""
    return cond(
        _is_all_zeros(grad), lambda: constants.zeros([], dtype=grad.dtype.base_dtype), lambda: basic.identity(grad)
    )
