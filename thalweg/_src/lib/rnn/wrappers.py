"""Cells around cells: several in a stack, dropout, residual connections, a device."""

from __future__ import annotations

import hashlib
import numbers
from typing import Any

from thalweg._src.core import infer, nest, scopes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.layers.base import Layer
from thalweg._src.lib.platform import logging
from thalweg._src.lib.rnn.basic import LSTMStateTuple
from thalweg._src.lib.rnn.cell import RNNCell, assert_like_rnncell
from thalweg._src.lib.tracking.object_graph import is_trackable
from thalweg._src.ops.chance import random
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful import variable_scope


class WrapperCell(RNNCell):
    """A cell that changes what goes into or comes out of another one, and has the other's state and variables."""

    def __init__(self, cell: Any, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        assert_like_rnncell("cell", cell)
        self.cell = cell
        if is_trackable(cell):
            self._track_trackable(cell, name="cell")

    @property
    def _cell(self) -> Any:
        """`cell` under its name until 1.14, for wrappers that programs derive from these."""
        return self.cell

    @_cell.setter
    def _cell(self, cell: Any) -> None:
        self.cell = cell

    @property
    def state_size(self) -> Any:
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        return self.cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with scopes.name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return self.cell.zero_state(batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        return self._call_wrapped_cell(inputs, state, cell_call_fn=self.cell.__call__, scope=scope)

    def call(self, inputs: Any, state: Any, **kwargs: Any) -> Any:
        return self._call_wrapped_cell(inputs, state, cell_call_fn=self.cell.call, **kwargs)

    def _call_wrapped_cell(self, inputs: Any, state: Any, cell_call_fn: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    @property
    def trainable_weights(self) -> list[Any]:
        return list(self.cell.trainable_weights) if self.trainable and isinstance(self.cell, Layer) else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        if not isinstance(self.cell, Layer):
            return []
        frozen = [] if self.trainable else list(self.cell.trainable_weights)
        return frozen + list(self.cell.non_trainable_weights)

    def get_config(self) -> dict[str, Any]:
        own = {"class_name": type(self.cell).__name__, "config": self.cell.get_config()}
        return {**super().get_config(), "cell": own}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        cell = config.pop("cell")
        if isinstance(cell, dict):
            raise ValueError(
                "RNNCellWrapper cannot reconstruct the wrapped cell. Please overwrite the cell in the config with a RNNCell instance."
            )
        return cls(cell, **config)


def _memory_is_kept(substate: Any) -> Any:
    """Which parts of a state take dropout: not the memory of an LSTM, not what is no tensor."""
    if isinstance(substate, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    return not isinstance(substate, TensorArray)


class DropoutWrapper(WrapperCell):
    """Dropout of a cell's inputs, outputs and states.

    `variational_recurrent`: the same mask at all times (Gal and Ghahramani, 2016); needs `dtype`, and `input_size` for masks of inputs.
    Raises ValueError for probabilities outside [0, 1].
    """

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        dropout_state_filter_visitor: Any = None,
        **kwargs: Any,
    ):
        super().__init__(cell, dtype=dtype, **kwargs)
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError("dropout_state_filter_visitor must be callable")
        self._dropout_state_filter = dropout_state_filter_visitor or _memory_is_kept
        with scopes.name_scope("DropoutWrapperInit"):
            self._input_keep_prob = _probability(input_keep_prob, "input_keep_prob")
            self._state_keep_prob = _probability(state_keep_prob, "state_keep_prob")
            self._output_keep_prob = _probability(output_keep_prob, "output_keep_prob")
        self._variational_recurrent, self._input_size, self._seed = variational_recurrent, input_size, seed
        self._recurrent_input_noise = self._recurrent_state_noise = self._recurrent_output_noise = None
        if variational_recurrent:
            self._draw_masks(dtype)

    def _draw_masks(self, dtype: Any) -> None:
        if dtype is None:
            raise ValueError("When variational_recurrent=True, dtype must be provided")

        def noise(salt: str) -> Any:
            def draw(i: int, size: Any) -> Any:
                dims = shapes.as_dims([size] if isinstance(size, numbers.Integral) else size)
                shape = array.concat(([1], list(dims or ())), 0)
                return random.random_uniform(shape, seed=self._gen_seed(salt, i), dtype=dtype)

            return draw

        if not isinstance(self._input_keep_prob, float) or self._input_keep_prob < 1.0:
            if self._input_size is None:
                raise ValueError(
                    "When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, input_size must be provided"
                )
            self._recurrent_input_noise = _numbered(noise("input"), self._input_size)
        self._recurrent_state_noise = _numbered(noise("state"), self.cell.state_size)
        self._recurrent_output_noise = _numbered(noise("output"), self.cell.output_size)

    def _gen_seed(self, salt: str, index: int) -> int | None:
        """The seed of one mask: it follows from the wrapper's and from what the mask is for."""
        if self._seed is None:
            return None
        digest = hashlib.md5(f"{self._seed}{salt}_{index}".encode()).hexdigest()
        return int(digest[:8], 16) & 0x7FFFFFFF

    @property
    def wrapped_cell(self) -> Any:
        return self.cell

    def _variational_recurrent_dropout_value(self, unused_index: int, value: Any, noise: Any, keep_prob: Any) -> Any:
        kept = math.floor(keep_prob + noise)
        out = math.div(value, keep_prob) * kept
        out.set_shape(value.get_shape())
        return out

    def _dropout(self, values: Any, salt: str, noise: Any, keep_prob: Any, which: Any = None) -> Any:
        which = values if which is None else which

        def drop(i: int, chosen: Any, v: Any, *mask: Any) -> Any:
            if isinstance(chosen, bool) and not chosen:
                return v
            if mask:
                return self._variational_recurrent_dropout_value(i, v, mask[0], keep_prob)
            return random.dropout(v, rate=1.0 - keep_prob, seed=self._gen_seed(salt, i))

        return _numbered(drop, which, values, *([noise] if self._variational_recurrent else []))

    def _call_wrapped_cell(self, inputs: Any, state: Any, cell_call_fn: Any, **kwargs: Any) -> Any:
        if _drops(self._input_keep_prob):
            inputs = self._dropout(inputs, "input", self._recurrent_input_noise, self._input_keep_prob)
        output, new_state = cell_call_fn(inputs, state, **kwargs)
        if _drops(self._state_keep_prob):
            which = _chosen(self._dropout_state_filter, new_state)
            new_state = self._dropout(new_state, "state", self._recurrent_state_noise, self._state_keep_prob, which)
        if _drops(self._output_keep_prob):
            output = self._dropout(output, "output", self._recurrent_output_noise, self._output_keep_prob)
        return output, new_state

    def get_config(self) -> dict[str, Any]:
        kept = "input_keep_prob output_keep_prob state_keep_prob variational_recurrent input_size seed"
        own = {name: getattr(self, "_" + name) for name in kept.split()}
        if self._dropout_state_filter is not _memory_is_kept:
            own["dropout_state_filter_visitor"] = self._dropout_state_filter
        return {**super().get_config(), **own}


def _probability(given: Any, what: str) -> Any:
    t = to_tensor(given)
    known = infer.constant_value(t)
    if known is None:
        return t
    if known < 0 or known > 1:
        raise ValueError(f"Parameter {what} must be between 0 and 1: {float(known)}")
    return float(known)


def _drops(keep_prob: Any) -> bool:
    return not isinstance(keep_prob, float) or keep_prob < 1


def _chosen(visitor: Any, value: Any) -> Any:
    """The structure of `value` down to where `visitor` says a bool: whether that part takes dropout."""
    said = visitor(value)
    if isinstance(said, bool):
        if said and nest.is_nested(value):
            return nest.rebuild(value, [_chosen(visitor, part) for part in nest.parts(value)])
        return said
    nest.assert_same_structure(said, value, check_types=False)
    kept = [
        _chosen(visitor, part) if flag and nest.is_nested(part) else flag
        for flag, part in zip(nest.parts(said), nest.parts(value), strict=True)
    ]
    return nest.rebuild(value, kept)


def _numbered(fn: Any, shallow: Any, *others: Any) -> Any:
    """`fn(i, leaf, …)` for the leaves of `shallow` and what stands there in the others, in order."""
    count = -1

    def visit(node: Any, rest: Any) -> Any:
        nonlocal count
        if nest.is_nested(node):
            columns = zip(nest.parts(node), *[nest.parts(r) for r in rest], strict=True)
            return nest.rebuild(rest[0] if rest else node, [visit(first, more) for first, *more in columns])
        count += 1
        return fn(count, node, *rest)

    return visit(shallow, list(others))


class ResidualWrapper(WrapperCell):
    """A cell whose inputs are added to its outputs, or joined with them by `residual_fn(inputs, outputs)`."""

    def __init__(self, cell: Any, residual_fn: Any = None, **kwargs: Any):
        super().__init__(cell, **kwargs)
        self._residual_fn = residual_fn

    def _call_wrapped_cell(self, inputs: Any, state: Any, cell_call_fn: Any, **kwargs: Any) -> Any:
        outputs, new_state = cell_call_fn(inputs, state, **kwargs)
        return (self._residual_fn or _sum)(inputs, outputs), new_state

    def get_config(self) -> dict[str, Any]:
        own = {} if self._residual_fn is None else {"residual_fn": self._residual_fn}
        return {**super().get_config(), **own}


def _sum(inputs: Any, outputs: Any) -> Any:
    def add(x: Any, y: Any) -> Any:
        x.get_shape().assert_is_compatible_with(y.get_shape())
        return x + y

    return nest.map_leaves(add, inputs, outputs)


class DeviceWrapper(WrapperCell):
    """A cell whose operations are on `device`."""

    def __init__(self, cell: Any, device: Any, **kwargs: Any):
        super().__init__(cell, **kwargs)
        self._device = device

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with scopes.name_scope(type(self).__name__ + "ZeroState", values=[batch_size]), scopes.device(self._device):
            return self.cell.zero_state(batch_size, dtype)

    def _call_wrapped_cell(self, inputs: Any, state: Any, cell_call_fn: Any, **kwargs: Any) -> Any:
        with scopes.device(self._device):
            return cell_call_fn(inputs, state, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "device": self._device}


class MultiRNNCell(RNNCell):
    """Cells in a stack: the output of each is the input of the next. The state is a tuple of theirs, or all of them side by side.

    Raises ValueError without cells, or where states are tuples and `state_is_tuple` is not set.
    """

    def __init__(self, cells: Any, state_is_tuple: bool = True):
        super().__init__()
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        if not nest.is_nested(cells):
            raise TypeError(f"cells must be a list or tuple, but saw: {cells}.")
        if len({id(cell) for cell in cells}) < len(cells):
            logging.warn("At least two cells provided to MultiRNNCell are the same object and will share weights.")
        self._cells, self._state_is_tuple = cells, state_is_tuple
        for i, cell in enumerate(cells):
            if is_trackable(cell):
                self._track_trackable(cell, name=f"cell-{i}")
        if not state_is_tuple and any(nest.is_nested(c.state_size) for c in cells):
            sizes = [c.state_size for c in cells]
            raise ValueError(
                f"Some cells return tuples of states, but the flag state_is_tuple is not set.  State sizes are: {sizes}"
            )

    @property
    def state_size(self) -> Any:
        sizes = [cell.state_size for cell in self._cells]
        return tuple(sizes) if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._cells[-1].output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with scopes.name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            if not self._state_is_tuple:
                return super().zero_state(batch_size, dtype)
            return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)

    @property
    def trainable_weights(self) -> list[Any]:
        return self._weights("trainable_weights") if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        frozen = [] if self.trainable else self._weights("trainable_weights")
        return frozen + self._weights("non_trainable_weights")

    def _weights(self, which: str) -> list[Any]:
        return [w for cell in self._cells if isinstance(cell, Layer) for w in getattr(cell, which)]

    def call(self, inputs: Any, state: Any) -> Any:
        new_states, at = [], 0
        if self._state_is_tuple and not nest.is_nested(state):
            raise ValueError(f"Expected state to be a tuple of length {len(self.state_size)}, but received: {state}")
        for i, cell in enumerate(self._cells):
            with variable_scope.variable_scope(f"cell_{i}"):
                if self._state_is_tuple:
                    own = state[i]
                else:
                    own = array.slice(state, [0, at], [-1, cell.state_size])
                    at += cell.state_size
                inputs, new_state = cell(inputs, own)
                new_states.append(new_state)
        return inputs, tuple(new_states) if self._state_is_tuple else array.concat(new_states, 1)
