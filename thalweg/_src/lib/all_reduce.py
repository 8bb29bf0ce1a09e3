"""tf.contrib.all_reduce: the tensors of several devices made one, for each of them.

TensorFlow's functions differ in how parts travel between devices. The compiler lays out the copies here, so all of them are one
reduction whose result is placed on every device; the arguments that describe routes are checked and have no other effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from thalweg._src.core.convert import convert_to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.lib.nccl import on_devices_of
from thalweg._src.ops import basic


def _on_every_device(tensors: Sequence[Any], join: Callable[[list[Tensor]], Tensor], last: Any) -> list[Tensor]:
    """`last(join(tensors))` on the device of each. Raises ValueError for shapes that are not known, or differ."""
    made = [convert_to_tensor(t) for t in tensors]
    for t in made:
        if not t.shape.is_fully_defined():
            raise ValueError(f"input tensors must have statically defined shape: {t.name} has {t.shape}")
        if t.shape != made[0].shape:
            raise ValueError(f"input tensors must have equal shapes: {made[0].shape} and {t.shape}")
    return on_devices_of(made, join(made), last or basic.identity)


def _in_pairs(op: Callable) -> Callable[[list[Tensor]], Tensor]:
    return lambda tensors: reduce(op, tensors)


def build_ring_all_reduce(
    input_tensors: Sequence[Any],
    num_workers: int,
    num_subchunks: int,
    gpu_perm: Sequence[int],
    red_op: Callable,
    un_op: Any = None,
) -> list[Tensor]:
    """Around a ring, by a binary `red_op`; `un_op` is applied to the result.

    Raises ValueError where there are fewer than two tensors, or the workers' parts are not equal.
    """
    if len(input_tensors) < 2:
        raise ValueError("input_tensors must be length 2 or longer")
    if len(input_tensors) % num_workers:
        raise ValueError("input_tensors must divide evenly by num_workers")
    if sorted(gpu_perm) != list(range(len(input_tensors) // num_workers)):
        raise ValueError(f"gpu_perm must number the devices of a worker: {list(gpu_perm)}")
    return _on_every_device(input_tensors, _in_pairs(red_op), un_op)


def build_recursive_hd_all_reduce(input_tensors: Sequence[Any], red_op: Callable, un_op: Any = None) -> list[Tensor]:
    """By halving and doubling, with a binary `red_op`. Raises ValueError unless their number is a power of two."""
    n = len(input_tensors)
    if n & (n - 1):
        raise ValueError("input_tensors must be a power of 2 in length")
    return _on_every_device(input_tensors, _in_pairs(red_op), un_op)


def build_shuffle_all_reduce(
    input_tensors: Sequence[Any], gather_devices: Sequence[str], red_op: Callable, un_op: Any = None
) -> list[Tensor]:
    """Gathered on `gather_devices`, by a `red_op` that takes a list (tf.add_n)."""
    return _on_every_device(input_tensors, red_op, un_op)


def build_nccl_all_reduce(input_tensors: Sequence[Any], red_op: Callable, un_op: Any = None) -> list[Tensor]:
    """By the devices' own links, with a binary `red_op`."""
    return _on_every_device(input_tensors, _in_pairs(red_op), un_op)


def build_nccl_then_ring(
    input_tensors: Sequence[Any], subdiv: int, red_op: Callable, un_op: Any = None
) -> list[Tensor]:
    """Within each worker first, around a ring of workers then."""
    return _on_every_device(input_tensors, _in_pairs(red_op), un_op)


def build_nccl_then_recursive_hd(input_tensors: Sequence[Any], red_op: Callable, un_op: Any = None) -> list[Tensor]:
    """Within each worker first, by halving and doubling then."""
    return _on_every_device(input_tensors, _in_pairs(red_op), un_op)


def build_nccl_then_shuffle(
    input_tensors: Sequence[Any],
    gather_devices: Sequence[str],
    nccl_red_op: Callable,
    shuffle_red_op: Callable,
    un_op: Any = None,
) -> list[Tensor]:
    """Within each worker first, gathered then by an op that takes a list."""
    return _on_every_device(input_tensors, shuffle_red_op, un_op)


def build_shuffle_then_ring(
    input_tensors: Sequence[Any],
    gather_devices: Sequence[str],
    subdiv: int,
    red_n_op: Callable,
    red_op: Callable,
    un_op: Any = None,
) -> list[Tensor]:
    """Gathered within each worker, around a ring of workers then."""
    return _on_every_device(input_tensors, red_n_op, un_op)


def build_shuffle_then_shuffle(
    input_tensors: Sequence[Any],
    first_gather_devices: Sequence[str],
    second_gather_devices: Sequence[str],
    red_op: Callable,
    un_op: Any = None,
) -> list[Tensor]:
    """Gathered within each worker, and over the workers then."""
    return _on_every_device(input_tensors, red_op, un_op)
