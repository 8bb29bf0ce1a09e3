"""Sums and the like over the devices of one machine, one tensor on each: what NCCL's operations compute, without NCCL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.convert import convert_to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.ops import basic
from thalweg._src.ops.numeric.arithmetic import add, maximum, minimum, multiply


def _checked(tensors: Sequence[Any]) -> list[Tensor]:
    """The tensors. Raises ValueError where there is none, or one has another type or no device."""
    made = [convert_to_tensor(t) for t in tensors]
    if not made:
        raise ValueError("Must pass >0 tensors to all reduce operations")
    for t in made:
        if t.dtype != made[0].dtype:
            raise ValueError(f"Expected all tensors to have the same type: {made[0].dtype} and {t.dtype}")
        if not t.device:
            raise ValueError(f"Device assignment for {t.name} is required: put each tensor under tf.device")
    return made


def on_devices_of(
    tensors: Sequence[Tensor], value: Tensor, last: Callable[[Tensor], Tensor] = basic.identity
) -> list[Tensor]:
    """`last(value)` on the device of each of `tensors`."""
    out = []
    for t in tensors:
        with scopes.device(t.device):
            out.append(last(value))
    return out


def _everywhere(tensors: Sequence[Any], join: Callable) -> list[Tensor]:
    made = _checked(tensors)
    return on_devices_of(made, reduce(join, made))


def all_sum(tensors: Sequence[Any]) -> list[Tensor]:
    """The sum of the tensors, on the device of each of them. Raises ValueError for types that differ, or without a device."""
    return _everywhere(tensors, add)


def all_prod(tensors: Sequence[Any]) -> list[Tensor]:
    """Their product, on the device of each."""
    return _everywhere(tensors, multiply)


def all_min(tensors: Sequence[Any]) -> list[Tensor]:
    """The least of each element, on the device of each."""
    return _everywhere(tensors, minimum)


def all_max(tensors: Sequence[Any]) -> list[Tensor]:
    """The greatest of each element, on the device of each."""
    return _everywhere(tensors, maximum)


def reduce_sum(tensors: Sequence[Any]) -> Tensor:
    """The sum of the tensors, once."""
    return reduce(add, _checked(tensors))


def broadcast(tensor: Any) -> Tensor:
    """The tensor, for whatever device asks for it."""
    (made,) = _checked([tensor])
    return basic.identity(made)
