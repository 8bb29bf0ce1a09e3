"""Elements of a TensorArray: written, read, gathered, joined, in both of its forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import apply, errors
from thalweg._src.core.apply import Replan, is_traced, xp
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.shapes import Dims


def _with(array: Any, at: Any, values: Any) -> Any:
    """A copy of `array` with `values` in the places `at`."""
    if not isinstance(array, np.ndarray):
        return array.at[at].set(values)
    copy = array.copy()
    copy[at] = values
    return copy


class Elements:
    """What an array of values does with its elements; see ArrayValue for what it is."""

    facts: Any
    items: Any
    buffer: Any
    written: Any
    length: Any

    @property
    def dense(self) -> bool:
        """Whether the elements are rows of one buffer."""
        raise NotImplementedError

    @property
    def known_size(self) -> int | None:
        """How many elements there are, if that is known."""
        raise NotImplementedError

    @property
    def size(self) -> Any:
        """How many elements there are."""
        raise NotImplementedError

    @property
    def element_dims(self) -> Dims:
        """The shape of an element as far as it is known."""
        raise NotImplementedError

    def _new(self, *parts: Any) -> Any:
        return type(self)(*parts)  # type: ignore[call-arg]

    def to_dense(self, dims: Any, room: int | None = None, known: bool = True) -> Any:
        """The form with one buffer."""
        raise NotImplementedError

    def in_loop(self) -> Any:
        """The form with one buffer, if there can be one."""
        raise NotImplementedError

    def write(self, index: Any, value: Any, active: Any = None) -> Any:
        """This array with `value` at `index`; where `active` is given and False, as it was."""
        self._fits(value, index)
        if self.items is not None and not is_traced(index):
            return self._put(int(index), value)
        me = self if self.dense else self.to_dense(tuple(value.shape))
        facts, rows = me.facts, me.buffer.shape[0]
        index = jnp.asarray(index, jnp.int32)
        inside = index >= 0
        if facts.dynamic:
            apply.need(facts.name, index + 1 if active is None else jnp.where(active, index + 1, 0), rows)
        else:
            inside &= index < me.size
        at = jnp.clip(index, 0, max(rows - 1, 0))
        if not rows:
            apply.check(False if active is None else ~active, f"TensorArray {facts.name} has no elements")
            return me
        old = lax.dynamic_index_in_dim(me.buffer, at, 0, keepdims=False)
        fresh = ~lax.dynamic_index_in_dim(me.written, at, 0, keepdims=False) if not facts.order else True
        ok = inside & fresh if active is None else (inside & fresh) | ~active
        apply.check(ok, f"TensorArray {facts.name}: an index is outside, or was written before")
        value = jnp.asarray(value, me.buffer.dtype)
        if facts.order:
            value = old + value
        if active is not None:
            value = jnp.where(active, value, old)
        buffer = lax.dynamic_update_index_in_dim(me.buffer, value, at, 0)
        flag = True if active is None else active | lax.dynamic_index_in_dim(me.written, at, 0, keepdims=False)
        written = lax.dynamic_update_index_in_dim(me.written, flag, at, 0)
        length = me.length
        if facts.dynamic:
            grown = jnp.maximum(length, index + 1)
            length = grown if active is None else jnp.where(active, grown, length)
        return self._new(facts, None, buffer, written, length)

    def _put(self, index: int, value: Any) -> Any:
        facts, items = self.facts, list(self.items or ())
        if index < 0 or (index >= len(items) and not facts.dynamic):
            raise self._error(f"Tried to write to index {index} but array is not resizeable and size is: {len(items)}")
        items += [None] * (index + 1 - len(items))
        if facts.order == 0:
            if index in facts.serial.read and items[index] is not None:
                raise self._error(f"Could not write to TensorArray index {index} because it has already been read.")
            if items[index] is not None:
                raise self._error(
                    f"Could not write to TensorArray index {index} because it has already been written to."
                )
            items[index] = value
        else:
            if items[index] is not None and items[index].shape != value.shape:
                raise self._error(
                    f"Could not aggregate to TensorArray index {index} because the existing shape is "
                    f"{_text(items[index].shape)} but the new input shape is {_text(value.shape)}."
                )
            items[index] = value if items[index] is None else items[index] + value
        return self._new(facts, items)

    def read(self, index: Any, reader: Any = None) -> Any:
        """The element at `index`; with `reader`, nobody else can read it again."""
        if self.items is not None and not is_traced(index):
            return self._take(int(index), reader)
        me = self
        if not self.dense:
            dims = self.element_dims
            if dims is None or None in dims:
                raise Replan(None, "the shape of a TensorArray's elements is not known")
            me = self.to_dense(dims)
        index = jnp.asarray(index, jnp.int32)
        rows = me.buffer.shape[0]
        if not rows:
            return self._absent(f"Tried to read from index ? but array size is: {rows}")
        apply.check((index >= 0) & (index < me.size), f"TensorArray {me.facts.name}: an index is outside")
        return lax.dynamic_index_in_dim(me.buffer, jnp.clip(index, 0, rows - 1), 0, keepdims=False)

    def _take(self, index: int, reader: Any) -> Any:
        items = self.items or ()
        if not 0 <= index < len(items):
            return self._absent(f"Tried to read from index {index} but array size is: {len(items)}")
        if reader is not None and self.facts.once and self.facts.serial.read.get(index, reader) is not reader:
            raise self._error(
                f"Could not read index {index} twice because it was cleared after a previous read "
                "(perhaps try setting clear_after_read = false?)."
            )
        if reader is not None and self.facts.once:
            self.facts.serial.read[index] = reader
        if items[index] is not None:
            return items[index]
        likes = self.facts.likes or ()
        dims = likes[index] if index < len(likes) and likes[index] is not None else self.element_dims
        if dims is None or None in dims:
            raise self._error(
                f"Could not read from TensorArray index {index}.  Furthermore, the element shape is not fully defined: "
                f"{'<unknown>' if dims is None else _text(dims)}.  It is possible you are working with a resizeable TensorArray "
                "and stop_gradients is not allowing the gradients to be written.  If you set the full element_shape property "
                "on the forward TensorArray, the proper all-zeros tensor will be returned instead of incurring this error."
            )
        return self._blank(dims)

    def _absent(self, message: str) -> Any:
        """What stands for an element that is not there while a step is traced: the branch that reads it may not be taken."""
        error, dims = self._error(message, name=False), self.element_dims
        if dims is None or None in dims:
            raise error
        apply.check(False, message, lambda *_: error)
        return self._blank(dims)

    def _blank(self, dims: Any) -> Any:
        if self.facts.dtype == object:
            return np.full(dims, b"", object)
        return np.zeros(dims, self.facts.dtype)

    def gather(self, indices: Any, dims: Dims, reader: Any = None) -> Any:
        """The elements at `indices`, stacked; `dims` is the shape of one where there is none."""
        if np.ndim(indices) != 1:
            raise self._error(
                f"Expected indices to be a vector, but received shape: {_text(np.shape(indices))}", name=False
            )
        count = indices.shape[0]
        if not count:
            own = self.element_dims
            dims = dims if own is None or None in own else own
            if dims is None or None in dims:
                raise errors.UnimplementedError(
                    None,
                    None,
                    f"TensorArray has size zero, but element shape {'<unknown>' if dims is None else _text(dims)} is not fully "
                    "defined. Currently only static shapes are supported when packing zero-size TensorArrays.",
                )
            return self._blank((0, *dims))
        if self.items is not None and not is_traced(indices):
            parts = [self._take(int(i), reader) for i in indices]
            for i, part in enumerate(parts):
                if part.shape != parts[0].shape:
                    raise self._error(
                        f"TensorArray has inconsistent shapes.  Index 0 has shape: {_text(parts[0].shape)} but index {i} "
                        f"has shape: {_text(part.shape)}",
                        name=False,
                    )
            return xp(*parts).stack(parts)
        me = self if self.dense else self.in_loop()
        if not me.dense:
            raise Replan(None, "the shape of a TensorArray's elements is not known")
        rows = me.buffer.shape[0]
        if not is_traced(indices) and np.array_equal(indices, np.arange(rows)) and not is_traced(me.size):
            return me.buffer
        at = jnp.asarray(indices, jnp.int32)
        apply.check(jnp.all((at >= 0) & (at < me.size)), f"TensorArray {me.facts.name}: an index is outside")
        if not is_traced(indices) and np.array_equal(indices, np.arange(count)) and count <= rows:
            return me.buffer[:count]
        return me.buffer[jnp.clip(at, 0, max(rows - 1, 0))]

    def scatter(self, indices: Any, values: Any) -> Any:
        """This array with the rows of `values` at `indices`."""
        if np.ndim(indices) != 1:
            raise self._error(
                f"Expected indices to be a vector, but received shape: {_text(np.shape(indices))}", name=False
            )
        if not values.shape:
            raise self._error(
                f"Input value for unpack must be at least a vector but received shape: {_text(values.shape)}",
                name=False,
            )
        if indices.shape[0] != values.shape[0]:
            raise self._error(
                f"Expected len(indices) == values.shape[0], but saw: {indices.shape[0]} vs. {values.shape[0]}",
                name=False,
            )
        if self.dense and not is_traced(indices) and self._holds(indices):
            return self._replaced(indices, values)
        if is_traced(indices) or self.dense:
            me: Any = self
            for i in range(values.shape[0]):
                me = me.write(indices[i], values[i])
            return me
        most = int(indices.max()) + 1 if indices.size else 0
        if most > len(self.items or ()) and not self.facts.dynamic:
            raise self._error(
                f"Max scatter index must be < array size ({most - 1} vs. {len(self.items or ())})", name=False
            )
        if self._is_blank() and np.array_equal(indices, np.arange(max(most, len(self.items or ())))):
            full = self._full(values)
            if full is not None:
                return full
        me = self
        if not indices.size and self.facts.uniform and (self.facts.dims is None or None in self.facts.dims):
            me = self._new(self.facts._replace(dims=tuple(values.shape[1:])), self.items)
        for i, at in enumerate(indices):
            row = values[i] if values.dtype != object else values[i : i + 1].reshape(values.shape[1:])
            me._fits(row, int(at))
            me = me._put(int(at), row)
        return me

    def _holds(self, indices: np.ndarray) -> bool:
        """Whether all of `indices` are there, and none of them twice."""
        size, known = self.known_size, indices.tolist()
        return size is not None and len(set(known)) == len(known) and all(0 <= i < size for i in known)

    def _replaced(self, indices: np.ndarray, values: Any) -> Any:
        """The dense form with the rows of `values` at `indices`, all at once."""
        everything = np.array_equal(indices, np.arange(self.buffer.shape[0]))
        at = slice(None) if everything else indices
        where = xp(self.buffer, self.written, values)
        values = where.asarray(values, self.buffer.dtype)
        if self.facts.order:
            values = self.buffer[at] + values
        else:
            if values.shape[0]:
                self._fits(values[0], int(indices[0]))
            fresh = ~where.any(self.written[at])
            apply.check(fresh, f"TensorArray {self.facts.name}: an index was written before")
        buffer = values if everything else _with(self.buffer, at, values)
        return self._new(self.facts, None, buffer, _with(self.written, at, True), self.length)

    def _is_blank(self) -> bool:
        return all(i is None for i in self.items or ()) and not self.facts.dynamic and not self.facts.serial.read

    def _full(self, values: Any) -> Any | None:
        """The dense form of rows that are all of the array, where they are traced."""
        if not is_traced(values) or not values.shape[0]:
            return None
        self._fits(values[0], 0)
        n = values.shape[0]
        return self._new(self.facts, None, values, jnp.ones((n,), bool), n)

    def concat(self, dims: Dims, reader: Any = None) -> tuple[Any, Any]:
        """The elements joined along their first axis, and the length of each."""
        most = self.facts.marked if self.facts.order and self.facts.marked is not None else None
        if self.items is not None:
            parts = [self._take(i, reader) for i in range(len(self.items))[:most]]
        else:
            if not isinstance(self.length, int):
                raise Replan(None, "the size of a TensorArray is not known")
            parts = [self.buffer[i] for i in range(self.length)[:most]]
        if not parts:
            if dims is None or None in dims:
                raise errors.UnimplementedError(
                    None,
                    None,
                    f"TensorArray has size zero, but element_shape_except0 {'<unknown>' if dims is None else _text(dims)} is not "
                    "fully defined. Currently only static shapes are supported when concatenating zero-size TensorArrays.",
                )
            return self._blank((0, *dims)), np.zeros((0,), np.int64)
        for i, part in enumerate(parts):
            if not part.shape:
                raise self._error(
                    f"Concat saw a scalar shape at index {i} but requires at least vectors.  Did you mean to call pack?",
                    name=False,
                )
            if part.shape[1:] != parts[0].shape[1:]:
                raise self._error(
                    f"TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) shape: "
                    f"{_text(parts[0].shape[1:])} but index {i} has (excepting dimension 0) shape: {_text(part.shape[1:])}",
                    name=False,
                )
        return xp(*parts).concatenate(parts), np.array([p.shape[0] for p in parts], np.int64)

    def split(self, values: Any, lengths: np.ndarray) -> Any:
        """This array with pieces of `values`, of `lengths` rows each, as its elements."""
        if lengths.ndim != 1:
            raise self._error(f"Expected lengths to be a vector, received shape: {_text(lengths.shape)}", name=False)
        if not values.shape:
            raise self._error(
                f"Expected value to be at least a vector, but received shape: {_text(values.shape)}", name=False
            )
        if int(lengths.sum()) != values.shape[0]:
            raise self._error(
                f"Expected sum of lengths to be equal to values.shape[0], but sum of lengths is {int(lengths.sum())} and "
                f"value's shape is: {_text(values.shape)} ",
                name=False,
            )
        size = self.known_size
        if size is not None and len(lengths) != size and not (self.facts.dynamic and len(lengths) > size):
            raise self._error(
                f"TensorArray's size is not equal to the size of lengths ({size} vs. {len(lengths)}), and the TensorArray is "
                "not marked as dynamically resizeable",
                name=False,
            )
        me, at = self._with(marked=len(lengths)) if not self.facts.order else self, 0
        for i, n in enumerate(lengths):
            me = me.write(np.int32(i), values[at : at + int(n)])
            at += int(n)
        return me

    def _with(self, **facts: Any) -> Any:
        return self._new(self.facts._replace(**facts), self.items, self.buffer, self.written, self.length)

    def _fits(self, value: Any, index: Any) -> None:
        dims = self.facts.dims if not self.facts.uniform else self.element_dims
        if dims is None or self.facts.order:
            return
        if len(dims) != len(value.shape) or any(
            d is not None and d != n for d, n in zip(dims, value.shape, strict=True)
        ):
            raise self._error(
                f"Could not write to TensorArray index {'?' if is_traced(index) else int(index)} because the value shape is "
                f"{_text(value.shape)} which is incompatible with the TensorArray's inferred element shape: {_text(dims)} "
                "(consider setting infer_shape=False)."
            )

    def _error(self, message: str, name: bool = True) -> errors.OpError:
        prefix = f"TensorArray {self.facts.name}_0: " if name else ""
        return errors.InvalidArgumentError(None, None, prefix + message)


def _text(dims: Any) -> str:
    return "[" + ",".join("?" if d is None else str(d) for d in dims) + "]"
