"""A loop's values with TensorArrays of rounded lengths, so that few programs serve many lengths.

What a loop does depends on the length of the arrays that it reads and writes only by how many turns it makes. So arrays get rows
behind their end, up to a round number, and what comes out is cut again. That is the same as long as no turn reaches behind an end,
which is known beforehand, as the turns are counted and their indices foretold first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from thalweg._src.core.lazy import jax
from thalweg._src.ops.control import tensor_array_ops
from thalweg._src.ops.control.array_values import ArrayHandle, ArrayValue
from thalweg._src.ops.control.functional import stateless_while, while_op
from thalweg._src.ops.control.turns import Turns, through_identities

LEAST = 8  # turns that a program is made for


def rounded(n: int) -> int:
    """A round number from `n` on, at most half as large again."""
    power = 1 << max(n - 1, LEAST - 1).bit_length()
    return 3 * power // 4 if 3 * power // 4 >= max(n, LEAST) else power


class Rounding:
    """The inputs of a loop: `given`, what may differ from run to run (None elsewhere), `built_in`, and a `key` for both.

    `count`: the turns that the loop makes; `room`: those that a program for them makes at most.
    """

    def __init__(self, values: Sequence[Any], references: Collection[int], width: int, count: int):
        self.values, self.references, self.width = values, references, width
        self.count, self.room = count, rounded(count)
        self.sizes = [v.known_size if isinstance(v, ArrayValue) else None for v in values]
        self.built_in: dict[int, Any] = {}
        self.given: list[Any] = []
        for i, v in enumerate(values):
            if isinstance(v, ArrayHandle):
                self.built_in[i] = ArrayHandle(v.facts._replace(size=rounded(v.facts.size)))
            elif i < width and isinstance(v, np.ndarray) and v.ndim == 0 and v.dtype.kind in "iub":
                self.built_in[i] = v  # a counter
            self.given.append(None if i in self.built_in or i in references else padded(v, repeated=True))
        self.key = (
            self.room,
            *[v.facts.size if isinstance(v, ArrayHandle) else v.tobytes() for v in self.built_in.values()],
            *[v if v is None else (v.shape, str(v.dtype)) for v in self.given],
        )

    def outputs(self, found: Sequence[Any]) -> list[Any]:
        """The loop variables after the last turn, and the other inputs, from what the program gives."""
        same = {*self.references, *(i for i, v in self.built_in.items() if isinstance(v, ArrayHandle))}
        return [
            v if i >= self.width or i in same else _cut(o, v, n)
            for i, (o, v, n) in enumerate(zip(found, self.values, self.sizes, strict=True))
        ]

    def seeds(self, grads: Sequence[Any]) -> list[Any]:
        """The gradients of the outputs as the program takes them."""
        return [padded(g) for g in grads]

    def gradients(self, found: Sequence[Any]) -> list[Any]:
        """The gradients of the inputs, from what the program gives."""
        return [_cut(g, v, n) for g, v, n in zip(found, self.values, self.sizes, strict=True)]


def rounding(attrs: dict[str, Any], values: Sequence[Any], references: Collection[int]) -> Rounding | None:
    """The values of a loop, of which `references` are variables, with rounded lengths; None where they can't have those."""
    body = attrs["body"]
    width = len(body.outputs)
    turns = Turns(attrs["cond"], body, list(values[:width]), list(values[width:]))
    count = turns.count
    if not count or not all(i in references or _fits(v, count) for i, v in enumerate(values)):
        return None
    if not _within(body, values, turns, count):
        return None
    return Rounding(values, references, width, count)


for _while_op in (while_op, stateless_while):
    _while_op.rounding = rounding


def _within(body: Any, values: Sequence[Any], turns: Turns, count: int) -> bool:
    """Whether the turns use arrays by single elements alone, none of them behind the end of its array."""
    handles = {t: v for t, v in zip(body.inputs, values, strict=True) if isinstance(v, ArrayHandle)}
    for op in body._ops:
        token = next((handles[t] for t in map(through_identities, op._inputs) if t in handles), None)
        if token is None or op.opdef.alias:
            continue
        if op.opdef not in (tensor_array_ops.read_v3, tensor_array_ops.write_v3):
            return False
        series = turns.series(op._inputs[1], count)
        if series is None or series.min() < 0 or series.max() >= token.facts.size:
            return False
    return True


def _fits(value: Any, count: int) -> bool:
    """Whether `value` can be given rows behind its end that no turn of `count` reaches."""
    if isinstance(value, np.ndarray | jax.Array | ArrayHandle):
        return getattr(value, "dtype", None) != object or isinstance(value, ArrayHandle)
    if not isinstance(value, ArrayValue) or value.facts.dynamic or value.known_size is None:
        return False
    if value.dense or all(i is None for i in value.items or ()):
        return value.known_size >= count
    dims = value.element_dims
    alike = dims is not None and all(i is None or tuple(np.shape(i)) == dims for i in value.items or ())
    return value.known_size >= count and alike


def padded(value: Any, *, repeated: bool = False) -> Any:
    """An array of rows with more rows, which no turn that counts reaches: zeros, or the last one `repeated`.

    What a turn makes of a row that others might have had is finite where theirs is, so nothing times zero is no number.
    """
    if not isinstance(value, ArrayValue) or value.known_size is None:
        return value
    facts, size = value.facts, value.known_size
    room = rounded(size)
    facts = facts._replace(size=room)
    if value.items is not None and all(i is None for i in value.items):
        return ArrayValue(facts, (None,) * room)
    buffer, written = _rows(value)
    rows = np.zeros((room, *buffer.shape[1:]), buffer.dtype)
    rows[: len(buffer)] = buffer
    known = np.flatnonzero(written)
    if repeated and known.size:
        rows[len(buffer) :] = buffer[known[-1]]
    return ArrayValue(facts, None, rows, np.concatenate([written, np.zeros(room - len(buffer), bool)]), room)


def _rows(value: ArrayValue) -> tuple[np.ndarray, np.ndarray]:
    """The elements as rows of one array, and which of them there are."""
    if value.items is None:
        return np.asarray(value.buffer), np.asarray(value.written)
    blank = np.zeros(value.element_dims, value.facts.dtype)
    written = np.array([i is not None for i in value.items], bool)
    return np.stack([blank if i is None else np.asarray(i, value.facts.dtype) for i in value.items]), written


def _cut(value: Any, like: Any, size: int | None) -> Any:
    """What came out, with as many rows as `like` had."""
    if not isinstance(value, ArrayValue) or size is None:
        return jax.tree.map(np.asarray, value)
    facts = value.facts._replace(size=like.facts.size)
    if value.items is not None:
        return ArrayValue(facts, value.items[:size])
    return ArrayValue(facts, None, np.asarray(value.buffer)[:size], np.asarray(value.written)[:size], size)
