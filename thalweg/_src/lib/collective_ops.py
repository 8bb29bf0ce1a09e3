"""tensorflow.python.ops.collective_ops: tensors of several devices joined within a step, by keys that the members share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.dtypes import DType, as_dtype
from thalweg._src.core.graph import Tensor
from thalweg._src.core.shapes import TensorShape
from thalweg._src.ops.queueing import collectives


def _group(name: str, group_size: int, group_key: int, instance_key: int, communication_hint: str) -> dict[str, Any]:
    """What an operation is told of its group. Raises ValueError for a group of one."""
    if group_size <= 1:
        raise ValueError(f"Parameter group_size to {name} must be at least 2.")
    hint = communication_hint.lower()
    return {"group_size": group_size, "group_key": group_key, "instance_key": instance_key, "communication_hint": hint}


def _check_place(t: Tensor) -> None:
    if not t.device:
        raise ValueError("Device assignment required for collective ops")


def all_reduce(
    t: Tensor,
    group_size: int,
    group_key: int,
    instance_key: int,
    merge_op: str,
    final_op: str,
    subdiv_offsets: Sequence[int] = (0,),
    communication_hint: str = "auto",
) -> Tensor:
    """What the group's tensors make together: `merge_op` is Add, Mul, Min or Max, `final_op` Id or Div (by their number).

    Each member calls this, on its device, with the same keys. Raises ValueError without a device, or for a group of one.
    """
    _check_place(t)
    group = _group("all_reduce", group_size, group_key, instance_key, communication_hint)
    return collectives.collective_reduce(
        t,
        merge_op=merge_op,
        final_op=final_op,
        subdiv_offsets=list(subdiv_offsets),
        **group,
    )


def all_gather(
    t: Tensor, group_size: int, group_key: int, instance_key: int, communication_hint: str = "auto"
) -> Tensor:
    """The group's tensors behind one another. Raises as `all_reduce` does."""
    _check_place(t)
    group = _group("all_gather", group_size, group_key, instance_key, communication_hint)
    whole = (
        [None if t.shape[0].value is None else t.shape[0].value * group_size, *t.shape[1:]] if t.shape.ndims else [0]
    )
    return collectives.collective_gather(t, shape=TensorShape(whole), **group)


def broadcast_send(
    t: Tensor,
    shape: TensorShape,
    dtype: DType,
    group_size: int,
    group_key: int,
    instance_key: int,
    communication_hint: str = "auto",
) -> Tensor:
    """Give the other members `t`. Raises ValueError where it has another shape or type than was said, and as `all_reduce`."""
    _check_place(t)
    group = _group("broadcast_send", group_size, group_key, instance_key, communication_hint)
    if t.shape != TensorShape(shape):
        raise ValueError(f"Shape of broadcast_send tensor not equal to declared shape: {t.shape} and {shape}")
    if t.dtype != as_dtype(dtype):
        raise ValueError(f"Type of broadcast_send tensor not equal to declared type: {t.dtype} and {dtype}")
    return collectives.collective_bcast_send(t, shape=TensorShape(shape), **group)


def broadcast_recv(
    shape: TensorShape,
    dtype: DType,
    group_size: int,
    group_key: int,
    instance_key: int,
    communication_hint: str = "auto",
) -> Tensor:
    """The tensor that the sender of the group gives. Raises ValueError for a group of one."""
    group = _group("broadcast_recv", group_size, group_key, instance_key, communication_hint)
    return collectives.collective_bcast_recv(shape=TensorShape(shape), T=as_dtype(dtype), **group)
