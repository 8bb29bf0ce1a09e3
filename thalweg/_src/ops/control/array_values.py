"""What a TensorArray is while a program runs.

TensorFlow keeps the elements behind a handle and lets a scalar, the flow, order the ops that touch them. Here the flow is the
elements: a write gives a new value, which is the old one but for one place. So a loop or a branch carries a TensorArray as it
carries any tensor, and JAX differentiates through it. The handle is a token that says what array it is.

A value has one of two forms. *Loose*: a list of elements, where every index is known while tracing; the elements may differ in
shape. *Dense*: one buffer with an element in each row, for indices that are computed.

A gradient array has `order` one higher than the array it belongs to. A gradient that begins from a flow of a lower order (as
TensorFlow's graphs do, to know the size) begins as zeros; writes to it add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core import apply
from thalweg._src.core.apply import Replan, is_traced
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.shapes import Dims
from thalweg._src.core.structured import Structured
from thalweg._src.ops.control.array_elements import Elements

_LEAST_ROOM = 16


class Facts(NamedTuple):
    """What is known of a TensorArray when it is made."""

    name: str
    dtype: Any
    size: int
    dynamic: bool
    dims: Dims
    uniform: bool
    once: bool  # whether reading an element clears it
    order: int
    marked: Any  # how many elements a split or unstack made: those that a gradient's concat takes
    likes: Any  # the shapes of the elements of the array that this is the gradient of
    serial: Any  # what was read, kept by one run; says which array a handle belongs to


class Serial:
    """Which elements of an array have been read, where that is known."""

    def __init__(self) -> None:
        self.read: dict[int, Any] = {}  # by which operation: a run that begins again lets it read again

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Serial)

    def __hash__(self) -> int:
        return 0


def _of_gradient(facts: Facts) -> Facts:
    return facts._replace(order=facts.order + 1, dynamic=False, once=False, serial=Serial())


class ArrayHandle(Structured):
    """The handle of a TensorArray: no arrays, only what it is."""

    def __init__(self, facts: Facts):
        self.facts = facts

    def _split(self) -> tuple[tuple[Any, ...], Any]:
        return (), self.facts

    @classmethod
    def _join(cls, static: Any, arrays: Any) -> ArrayHandle:
        return cls(static)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(object)

    def for_user(self) -> Any:
        return np.array([b"_tensor_arrays", self.facts.name.encode()], object)

    def on_host(self) -> Any:
        return self

    def seed(self, gradient: Any) -> list[Any]:
        return []

    def gradient(self, flow: Any) -> ArrayHandle:
        """The handle of the gradient array; `flow` is that of the array, or of the gradient if that has begun."""
        flow = flow.values[0] if isinstance(flow, Flows) else flow
        size = flow.known_size if isinstance(flow, ArrayValue) else None
        return ArrayHandle(_of_gradient(self.facts)._replace(size=self.facts.size if size is None else size))

    def begin(self, flow: Any) -> ArrayValue:
        """The elements that `flow` stands for, as this handle sees them."""
        if isinstance(flow, Flows):
            flow = flow.of_order(self.facts.order)
        if isinstance(flow, ArrayValue):
            if flow.facts.order == self.facts.order:
                return flow
            return flow.zeros(self.facts._replace(marked=flow.facts.marked))
        return ArrayValue(self.facts, (None,) * self.facts.size)


class ArrayValue(Elements, Structured):
    """The elements of a TensorArray: `items`, or `buffer` with `written` (a flag for each row) and `length`."""

    def __init__(
        self, facts: Facts, items: Sequence[Any] | None, buffer: Any = None, written: Any = None, length: Any = None
    ):
        self.facts = facts
        self.items = None if items is None else tuple(items)
        self.buffer, self.written, self.length = buffer, written, length

    # -- as a pytree

    def _split(self) -> tuple[tuple[Any, ...], Any]:
        if self.items is not None:
            return (self.items,), (self.facts, None)
        if is_traced(self.length) or not isinstance(self.length, int):
            return (self.buffer, self.written, self.length), (self.facts, True)
        return (self.buffer, self.written), (self.facts, self.length)

    @classmethod
    def _join(cls, static: Any, arrays: Any) -> ArrayValue:
        facts, length = static
        if length is None:
            return cls(facts, arrays[0])
        if length is True:
            return cls(facts, None, *arrays)
        return cls(facts, None, *arrays, length)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float32)

    @property
    def dense(self) -> bool:
        return self.items is None

    @property
    def known_size(self) -> int | None:
        if self.items is not None:
            return len(self.items)
        return self.length if isinstance(self.length, int) else None

    @property
    def size(self) -> Any:
        """The number of elements."""
        return len(self.items) if self.items is not None else self.length

    @property
    def element_dims(self) -> Dims:
        """The shape of an element as far as it is known."""
        if self.items is None:
            return tuple(self.buffer.shape[1:])
        facts = self.facts
        if facts.uniform:
            for item in self.items:
                if item is not None:
                    return tuple(item.shape)
        return facts.dims

    # -- forms

    def in_loop(self) -> ArrayValue:
        """The dense form where the shape of an element is known, else this."""
        if self.items is None:
            return self
        dims = self.element_dims
        if dims is None or None in dims or (not self.facts.uniform and not self._alike(dims)):
            return self
        return self.to_dense(dims)

    def _alike(self, dims: Dims) -> bool:
        return all(i is None or tuple(i.shape) == dims for i in self.items or ())

    def like(self, other: Any) -> Any:
        if not isinstance(other, ArrayValue) or self.facts.order != other.facts.order:
            return self
        if other.dense and not self.dense:
            return self.to_dense(tuple(other.buffer.shape[1:]), other.buffer.shape[0], isinstance(other.length, int))
        if other.dense and self.dense:
            return self.to_dense(tuple(other.buffer.shape[1:]), other.buffer.shape[0], isinstance(other.length, int))
        if not other.dense and not self.dense and len(self.items) == len(other.items):
            filled = [
                jnp.zeros(o.shape, self.facts.dtype) if i is None and o is not None else i
                for i, o in zip(self.items, other.items, strict=True)
            ]
            return ArrayValue(self.facts, filled)
        return self.in_loop()

    def outline(self, other: Any) -> Any:
        if self.items is not None and other.items is not None and len(self.items) == len(other.items):
            return ArrayValue(self.facts, [b if a is None else a for a, b in zip(self.items, other.items, strict=True)])
        dims = self.element_dims if self.element_dims is not None else other.element_dims
        if dims is None or None in dims:
            return self
        rows = [len(v.items) if v.items is not None else v.buffer.shape[0] for v in (self, other)]
        same = self.known_size is not None and self.known_size == other.known_size
        buffer = jax.ShapeDtypeStruct((max(rows), *dims), self.facts.dtype)
        return ArrayValue(self.facts, None, buffer, None, self.known_size if same else None)

    def blank(self) -> Any:
        if self.items is not None:
            return ArrayValue(self.facts, (None,) * len(self.items)).like(self)
        rows = self.buffer.shape[0]
        length = self.length if isinstance(self.length, int) else jnp.int32(0)
        return ArrayValue(
            self.facts, None, jnp.zeros(self.buffer.shape, self.buffer.dtype), jnp.zeros((rows,), bool), length
        )

    def to_dense(self, dims: Any, room: int | None = None, known: bool = True) -> ArrayValue:
        """The dense form, with at least `room` rows."""
        facts = self.facts
        if facts.dtype == object:
            raise Replan(None, "a TensorArray of strings")
        if self.items is None:
            buffer, written, length, own = self.buffer, self.written, self.length, self.buffer.shape[0]
        else:
            if not self._alike(dims):
                raise Replan(None, "the elements of a TensorArray differ in shape")
            own = length = len(self.items)
            blank = None
            parts = []
            for item in self.items:
                if item is None:
                    blank = jnp.zeros(dims, facts.dtype) if blank is None else blank
                parts.append(blank if item is None else item)
            buffer = (
                jnp.stack([jnp.asarray(p, facts.dtype) for p in parts])
                if any(i is not None for i in self.items)
                else jnp.zeros((own, *dims), facts.dtype)
            )
            written = jnp.asarray(np.array([i is not None for i in self.items], np.bool_))
        want = own if room is None else max(own, room)
        if facts.dynamic and room is None:
            want = max(own, apply.room(facts.name, _LEAST_ROOM))
        if want > own:
            buffer = jnp.concatenate([buffer, jnp.zeros((want - own, *buffer.shape[1:]), buffer.dtype)])
            written = jnp.concatenate([written, jnp.zeros((want - own,), bool)])
        if facts.dynamic or not known:
            length = jnp.asarray(length, jnp.int32)
        return ArrayValue(facts, None, buffer, written, length)

    def zeros(self, facts: Facts) -> ArrayValue:
        """An array of as many elements, none of them written."""
        if self.items is not None:
            likes = tuple(None if i is None else tuple(i.shape) for i in self.items)
            return ArrayValue(facts._replace(dims=self.element_dims, likes=likes), (None,) * len(self.items))
        where = apply.xp(self.buffer)
        buffer = where.zeros(self.buffer.shape, facts.dtype)
        return ArrayValue(facts, None, buffer, where.zeros(self.written.shape, bool), self.length)

    # -- gradients

    def __add__(self, other: Any) -> Any:
        """The sum with another gradient of the same array; a plain zero is a gradient too."""
        if not isinstance(other, ArrayValue):
            return other + self if isinstance(other, Flows) else self
        if self.facts.order != other.facts.order:
            return Flows(sorted([self, other], key=lambda v: v.facts.order))
        if self.dense or other.dense:
            a, b = (self, other) if self.dense else (other, self)
            b = b.like(a)
            a = a.like(b)
            return ArrayValue(a.facts, None, a.buffer + b.buffer, a.written | b.written, a.length)
        out: ArrayValue = self
        for i, item in enumerate(other.items or ()):
            if item is not None:
                out = ArrayValue(self.facts._replace(dynamic=True), out.items)._put(i, item)
        return ArrayValue(self.facts, out.items)

    __radd__ = __add__

    def as_gradient(self, arrays: list[Any]) -> ArrayValue:
        facts = _of_gradient(self.facts)
        if self.items is not None:
            own = iter(arrays)
            items = [None if i is None else next(own) for i in self.items]
            return ArrayValue(facts, items)
        buffer = arrays[0]
        return ArrayValue(facts, None, buffer, jnp.ones(self.written.shape, bool), self.length)

    def seed(self, gradient: Any) -> list[Any]:
        count = len(jax.tree.leaves(self))
        if isinstance(gradient, Flows):
            gradient = gradient.of_order(self.facts.order + 1)
        if not isinstance(gradient, ArrayValue) or gradient.facts.order <= self.facts.order:
            return [None] * count
        if self.items is not None:
            if gradient.dense:
                items: Sequence[Any] = [
                    gradient.buffer[i] for i in range(min(len(self.items), gradient.buffer.shape[0]))
                ]
            else:
                items = gradient.items or ()
            items = [*items, *[None] * (len(self.items) - len(items))]
            return [g for i, g in zip(self.items, items, strict=False) if i is not None]
        dense = gradient.like(ArrayValue(gradient.facts, None, self.buffer, self.written, self.length))
        return [dense.buffer[: self.buffer.shape[0]], *[None] * (count - 1)]


class Flows(Structured):
    """Gradients of several orders under one flow: where a second derivative passes the flow of a first. Each handle takes its own."""

    def __init__(self, values: Sequence[Any]):
        self.values = tuple(values)

    def _split(self) -> tuple[tuple[Any, ...], Any]:
        return self.values, None

    @classmethod
    def _join(cls, static: Any, arrays: Any) -> Flows:
        return cls(arrays)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float32)

    def of_order(self, order: int) -> Any:
        """The value of that order, or one from which zeros can be made."""
        return next((v for v in self.values if v.facts.order == order), self.values[0])

    def __add__(self, other: Any) -> Flows:
        new = {v.facts.order: v for v in self.values}
        for v in other.values if isinstance(other, Flows) else [other] if isinstance(other, ArrayValue) else []:
            order = v.facts.order
            new[order] = new[order] + v if order in new else v
        return Flows([new[k] for k in sorted(new)])

    __radd__ = __add__

    def in_loop(self) -> Flows:
        return Flows([v.in_loop() for v in self.values])

    def seed(self, gradient: Any) -> list[Any]:
        return [None] * len(jax.tree.leaves(self))
