"""Sparse tensors on their way through a queue: they wait in a map of the session, and their numbers there are what is queued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.arrays.constants import constant, ones
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.shaping import expand_dims, shape, squeeze
from thalweg._src.ops.basic import with_dependencies
from thalweg._src.ops.control.control_flow import smart_cond
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_retain
from thalweg._src.ops.sparse_tensors.sparse_serial import (
    add_many_sparse_to_tensors_map,
    add_sparse_to_tensors_map,
    take_many_sparse_from_map,
)


class Sparse:
    """What is needed to restore a sparse component: the name of its map, its dtype and rank."""

    def __init__(self, map_name: str, dtype: Any, rank: int | None):
        self.map_name, self.dtype, self.rank = map_name, dtype, rank


def _rank(t: SparseTensor, enqueue_many: bool) -> int | None:
    rank = t.dense_shape.shape.with_rank(1).as_list()[0]
    return rank if rank is None or not enqueue_many else rank - 1


def _store(t: SparseTensor, enqueue_many: bool, keep: Tensor, map_name: str | None) -> Tensor:
    if keep.shape.ndims == 1:
        t = sparse_retain(t, gather(keep, t.indices[:, 0]))
        return add_many_sparse_to_tensors_map(t, shared_name=map_name)
    if not enqueue_many:
        return smart_cond(
            keep,
            lambda: add_sparse_to_tensors_map(t, shared_name=map_name),
            lambda: constant(-1, dtypes.int64),
        )
    out = smart_cond(
        keep,
        lambda: add_many_sparse_to_tensors_map(t, shared_name=map_name),
        lambda: -1 * ones(shape(t)[0:1], dtypes.int64),
    )
    out.set_shape([None])
    return out


def store_all(
    lists: Sequence[Sequence[Any]], enqueue_many: bool, keep: Tensor
) -> tuple[list[list[Tensor]], list[Sparse | None]]:
    """`lists` with the numbers of sparse tensors in their place, and for each component what restores it, or None."""
    facts: list[Sparse | None] = []
    out: list[list[Tensor]] = []
    for tensors in lists:
        row = []
        for i, t in enumerate(tensors):
            known = facts[i] if i < len(facts) else None
            if not isinstance(t, SparseTensor):
                if known is not None:
                    raise ValueError(f"Inconsistent SparseTensors list: {lists[0]} vs. {tensors}")
                if out == []:
                    facts.append(None)
                row.append(t)
                continue
            if out and known is None:
                raise ValueError(f"Inconsistent SparseTensors list: {lists[0]} vs. {tensors}")
            rank = _rank(t, enqueue_many)
            if known is not None and None not in (rank, known.rank) and rank != known.rank:
                raise ValueError(f"Inconsistent SparseTensors list: {lists[0]} vs. {tensors}")
            map_name = known.map_name if known is not None else _name_of_map(keep)
            stored = _store(t, enqueue_many, keep, map_name)
            if known is None:
                facts.append(Sparse(map_name or stored.op.name, t.dtype, rank))
            row.append(expand_dims(stored, [-1]))
        out.append(row)
    return out, facts


def _name_of_map(keep: Tensor) -> str | None:
    """A name of its own for the map where the op that fills it stands in a branch; else that op gives it its name."""
    from thalweg._src.ops.control.control_flow import smart_constant_value

    if keep.shape.ndims == 1 or smart_constant_value(keep):
        return None
    return get_default_graph().unique_name("sparse_tensors_map")


def restore(values: Any, facts: list[Sparse | None]) -> Any:
    """What a queue gave, with the sparse tensors in place of their numbers."""
    if all(f is None for f in facts):
        return values
    one = not isinstance(values, list | tuple)
    tensors = [
        v if f is None else take_many_sparse_from_map(squeeze(v, [1]), f.dtype, f.map_name, _one_more(f.rank))
        for v, f in zip([values] if one else values, facts, strict=True)
    ]
    needed = [t.values if isinstance(t, SparseTensor) else t for t in tensors]
    together = [_after(needed, t) for t in tensors]
    return together[0] if one else together


def _one_more(rank: int | None) -> int | None:
    return None if rank is None else rank + 1


def _after(needed: list[Operation | Tensor], t: Any) -> Any:
    # All components of an element are taken together, or some would stay in the map for ever.
    if not isinstance(t, SparseTensor):
        return with_dependencies(needed, t)
    parts = [with_dependencies(needed, part) for part in (t.indices, t.values, t.dense_shape)]
    return SparseTensor(*parts)
