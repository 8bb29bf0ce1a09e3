"""A mask and a threshold beside each weight, and the collections that hold them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import add_to_collection, get_collection, get_collection_ref
from thalweg._src.ops import math
from thalweg._src.ops.nets.normalization import zero_fraction
from thalweg._src.ops.stateful.initializers import ones_initializer, zeros_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable, variable_scope

MASKS, THRESHOLDS, MASKED, WEIGHTS = "masks", "thresholds", "masked_weights", "kernel"
MASKED_NAME = "weights/masked_weight"


def masked(weights: Any, make: Callable[..., Any]) -> Tensor:
    """`weights` times a mask of ones; `make(name, shape, initializer=...)` gives the mask and the threshold."""
    options = {"trainable": False, "dtype": weights.dtype.base_dtype}
    mask = make("mask", weights.get_shape(), initializer=ones_initializer(), **options)
    threshold = make("threshold", [], initializer=zeros_initializer(), **options)
    product = math.multiply(mask, weights, MASKED_NAME)
    if all(known is not mask for known in get_collection_ref(MASKS)):
        for name, value in ((THRESHOLDS, threshold), (MASKS, mask), (MASKED, product), (WEIGHTS, weights)):
            add_to_collection(name, value)
    return product


def apply_mask(x: Any, scope: str = "") -> Tensor:
    """The variable `x` behind a mask, whose variables are in `scope`."""

    def make(name: str, shape: Any, **options: Any) -> Any:
        with variable_scope(scope):
            return get_variable(name, shape, **options)

    return masked(x, make)


def get_masked_weights() -> list[Any]:
    """The products of weights and masks."""
    return get_collection(MASKED)


def get_masks() -> list[Any]:
    """The masks, 0 where a weight is pruned."""
    return get_collection(MASKS)


def get_thresholds() -> list[Any]:
    """The magnitudes below which weights are pruned."""
    return get_collection(THRESHOLDS)


def get_weights() -> list[Any]:
    """The weights as they are without masks."""
    return get_collection(WEIGHTS)


def get_weight_sparsity() -> list[Tensor]:
    """The share of zeros in each mask."""
    return [zero_fraction(mask) for mask in get_masks()]
