"""Penalties on the size of variables."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.nets import normalization
from thalweg._src.ops.numeric import arithmetic, elementwise, reduce


def _scaled(scale: Any, scope: str | None, default: str, measure: Callable[[Any], Any]) -> Callable[[Any], Any]:
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"scale cannot be an integer: {scale}")
    if isinstance(scale, numbers.Real):
        if scale < 0.0:
            raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale:g}")
        if scale == 0.0:
            log.info("Scale of 0 disables regularizer.")
            return lambda _: None

    def penalty(weights: Any, name: str | None = None) -> Any:
        with scopes.name_scope(scope, default, [weights]) as inner:
            factor = to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale")
            return arithmetic.multiply(factor, measure(weights), name=inner)

    return penalty


def l1_regularizer(scale: Any, scope: str | None = None) -> Callable[[Any], Any]:
    """scale * the sum of magnitudes. Raises ValueError for a scale that is negative or an integer; 0.0 gives no penalty."""
    return _scaled(scale, scope, "l1_regularizer", lambda w: reduce.reduce_sum(elementwise.abs(w)))


def l2_regularizer(scale: Any, scope: str | None = None) -> Callable[[Any], Any]:
    """scale * half the sum of squares. Raises ValueError for a scale that is negative or an integer; 0.0 gives no penalty."""
    return _scaled(scale, scope, "l2_regularizer", normalization.l2_loss)


def l1_l2_regularizer(scale_l1: Any = 1.0, scale_l2: Any = 1.0, scope: str | None = None) -> Any:
    """The sum of both penalties."""
    for name, scale in (("scale_l1", scale_l1), ("scale_l2", scale_l2)):
        if isinstance(scale, numbers.Integral):
            raise ValueError(f"{name} cannot be an integer: {scale}")
    scope = scope or "l1_l2_regularizer"
    if scale_l1 == 0.0:
        return l2_regularizer(scale_l2, scope)
    if scale_l2 == 0.0:
        return l1_regularizer(scale_l1, scope)
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope=scope)


def sum_regularizer(regularizer_list: Any, scope: str | None = None) -> Any:
    """The sum of several regularizers; None without any."""
    given = [r for r in regularizer_list if r is not None]
    if not given:
        return None

    def penalty(weights: Any) -> Any:
        with scopes.name_scope(scope, "sum_regularizer", [weights]) as name:
            parts = [t for t in (r(weights) for r in given) if t is not None]
            return arithmetic.add_n(parts, name=name) if parts else None

    return penalty


def apply_regularization(regularizer: Any, weights_list: Any = None) -> Any:
    """The sum of the penalties of several variables (of the collection WEIGHTS by default), in REGULARIZATION_LOSSES too.

    Raises ValueError without variables and for penalties that are no scalars.
    """
    weights_list = weights_list or scopes.get_collection(GraphKeys.WEIGHTS)
    if not weights_list:
        raise ValueError("No weights to regularize.")
    with scopes.name_scope("get_regularization_penalty", values=weights_list) as scope:
        made = [regularizer(w) for w in weights_list]
        penalties = [constants.constant(0.0) if p is None else p for p in made]
        for p in penalties:
            if p.get_shape().ndims != 0:
                raise ValueError(
                    f"regularizer must return a scalar Tensor instead of a Tensor with rank {p.get_shape().ndims}."
                )
        total = arithmetic.add_n(penalties, name=scope)
        scopes.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, total)
        return total
