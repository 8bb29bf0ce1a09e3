"""LSTMs, GRUs and plain cells over grids of several dimensions (Kalchbrenner et al., 2015), a cell along each."""

from __future__ import annotations

import functools
from typing import Any

from thalweg._src.contrib.layers.dense import fully_connected
from thalweg._src.lib.platform import logging
from thalweg._src.lib.rnn.basic import BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell
from thalweg._src.lib.rnn.cell import RNNCell
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations
from thalweg._src.ops.stateful import initializers, variable_scope


def _dims(given: Any, count: int) -> list[int]:
    """The dimensions named by None, a number or a list, sorted. Raises ValueError for others than `count` has."""
    if given is None:
        return []
    found = sorted(set(given if isinstance(given, list | tuple) else [given]))
    if any(d < 0 or d >= count for d in found):
        raise ValueError(f"Invalid dims: {found}. Must be in [0, {count})")
    return found


class GridRNNCell(RNNCell):
    """A cell of `num_dims` dimensions, each with a cell of its own (or `tied`: one for all).

    Inputs go to `input_dims`, outputs come from `output_dims`, `priority_dims` see what the others have made of this step,
    `non_recurrent_dims` have no state but a dense layer with `non_recurrent_fn`. Raises ValueError for dimensions that are none.
    """

    def __init__(
        self,
        num_units: int,
        num_dims: int = 1,
        input_dims: Any = None,
        output_dims: Any = None,
        priority_dims: Any = None,
        non_recurrent_dims: Any = None,
        tied: bool = False,
        cell_fn: Any = None,
        non_recurrent_fn: Any = None,
        state_is_tuple: bool = True,
        output_is_tuple: bool = True,
    ):
        super().__init__()
        for flag, what in ((state_is_tuple, "state"), (output_is_tuple, "output")):
            if not flag:
                logging.warning(
                    "%s: Using a concatenated %s is slower and will soon be deprecated.  Use %s_is_tuple=True.",
                    self,
                    what,
                    what,
                )
        if num_dims < 1:
            raise ValueError(f"dims must be >= 1: {num_dims}")
        self._num_units, self._num_dims, self._tied = num_units, num_dims, tied
        self._inputs, self._outputs = _dims(input_dims, num_dims), _dims(output_dims, num_dims)
        self._priority, plain = _dims(priority_dims, num_dims), _dims(non_recurrent_dims, num_dims)
        self._non_priority = [d for d in range(num_dims) if d not in self._priority]
        self._recurrents = [d for d in range(num_dims) if d not in plain]
        self._non_recurrent_fn = non_recurrent_fn or activations.relu
        self._state_is_tuple, self._output_is_tuple = state_is_tuple, output_is_tuple
        make = functools.partial(LSTMCell, num_units=num_units, state_is_tuple=state_is_tuple)
        if cell_fn is not None:
            make = functools.partial(cell_fn, num_units)
        self._cells = [make()] * num_dims if tied else [make() for _ in range(num_dims)]
        first = self._cells[0]
        if not isinstance(first, RNNCell):
            raise TypeError(f"cell_fn must return an RNNCell instance, saw: {type(first)}")
        outputs, recurrents = len(self._outputs), len(self._recurrents)
        self._output_size = (first.output_size,) * outputs if output_is_tuple else first.output_size * outputs
        self._state_size = (first.state_size,) * recurrents if state_is_tuple else self._cell_state_size() * recurrents

    @property
    def output_size(self) -> Any:
        return self._output_size

    @property
    def state_size(self) -> Any:
        return self._state_size

    def _cell_state_size(self) -> int:
        sizes = self._cells[0].state_size
        return sum(sizes) if isinstance(sizes, tuple) else sizes

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        dtype = inputs.dtype.base_dtype
        c, m, has_c = self._apart(state)
        outputs: list[Any] = [None] * self._num_dims
        states: list[Any] = [None] * self._num_dims
        with variable_scope.variable_scope(scope or type(self).__name__):
            self._project(inputs, c, m, has_c)
            self._step(self._non_priority, c, m, outputs, states, True)
            self._step(self._priority, c, m, outputs, states, False)
            given = [outputs[d] for d in self._outputs]
            kept = [states[d] for d in self._recurrents]
            output = tuple(given) if self._output_is_tuple else _joined(given, dtype)
            if self._state_is_tuple:
                return output, tuple(kept)
            return output, _joined([part for s in kept for part in s], dtype)

    def _apart(self, state: Any) -> tuple[list[Any], list[Any], bool]:
        """(memories, outputs) of each dimension before this step, and whether the cells have memories."""
        c: list[Any] = [None] * self._num_dims
        m: list[Any] = [None] * self._num_dims
        n, size = self._num_units, self._cell_state_size()
        if self._state_is_tuple:
            if len(self._recurrents) != len(state):
                raise ValueError(f"Expected state as a tuple of {len(self._recurrents)} element")
            for d, part in zip(self._recurrents, state, strict=True):
                if size > n:
                    c[d], m[d] = part
                else:
                    m[d] = part
            return c, m, size > n
        for d, at in zip(self._recurrents, range(0, self.state_size, size), strict=True):
            if size > n:
                c[d] = array.slice(state, [0, at], [-1, n])
                m[d] = array.slice(state, [0, at + n], [-1, size - n])
            else:
                m[d] = array.slice(state, [0, at], [-1, n])
        return c, m, size > n

    def _project(self, inputs: Any, c: list[Any], m: list[Any], has_c: bool) -> None:
        """Put linear maps of the inputs in the place of the states of the input dimensions."""
        if inputs is None or not self._inputs or not inputs.shape.with_rank(2).dims[1].value:
            return
        parts = array.split(value=inputs, num_or_size_splits=len(self._inputs), axis=1)
        shape, dtype = [parts[0].shape.with_rank(2).dims[1].value, self._num_units], inputs.dtype.base_dtype
        for part, d in zip(parts, self._inputs, strict=True):
            m[d] = math.matmul(part, variable_scope.get_variable(f"project_m_{d}", shape, dtype=dtype))
            if has_c:
                c[d] = math.matmul(part, variable_scope.get_variable(f"project_c_{d}", shape, dtype=dtype))

    def _step(
        self, dims: list[int], c: list[Any], m: list[Any], outputs: list[Any], states: list[Any], first: bool
    ) -> None:
        """Fill `outputs` and `states` of `dims`, from the other dimensions' outputs where they are there already."""
        if not dims:
            return
        if self._num_dims > 1:
            others = [m[d] if outputs[d] is None else outputs[d] for d in range(self._num_dims - 1)]
            inputs = array.concat(others, 1)
        else:
            inputs = array.zeros([m[0].get_shape().as_list()[0], 0], m[0].dtype.base_dtype)
        last = m[-1] if outputs[-1] is None else outputs[-1]
        for d in dims:
            recurrent = d in self._recurrents
            kind = "recurrent" if recurrent else "non_recurrent"
            with variable_scope.variable_scope(kind if self._tied else f"{kind}/cell_{d}"):
                if self._tied and not (first and d == dims[0]):
                    variable_scope.get_variable_scope().reuse_variables()
                if recurrent:
                    outputs[d], states[d] = self._cells[d](inputs, last if c[d] is None else (c[d], last))
                    continue
                scope = variable_scope.get_variable_scope()
                outputs[d] = fully_connected(
                    array.concat([inputs, last], 1) if self._num_dims > 1 else last,
                    num_outputs=self._num_units,
                    activation_fn=self._non_recurrent_fn,
                    weights_initializer=scope.initializer or initializers.glorot_uniform_initializer(),
                    weights_regularizer=scope.regularizer,
                )


def _joined(parts: list[Any], dtype: Any) -> Any:
    return array.concat(parts, 1) if parts else array.zeros([0, 0], dtype)


class _OneInput(GridRNNCell):
    """A grid whose first dimension takes the inputs, gives the outputs and comes last."""

    def __init__(self, num_units: int, num_dims: int, cell_fn: Any, plain: Any = None, **kwargs: Any):
        super().__init__(
            num_units,
            num_dims,
            input_dims=0,
            output_dims=0,
            priority_dims=0,
            non_recurrent_dims=None if plain is None else 0,
            cell_fn=cell_fn,
            non_recurrent_fn=plain,
            **kwargs,
        )


class Grid1BasicRNNCell(_OneInput):
    """One dimension of plain cells."""

    def __init__(self, num_units: int, state_is_tuple: bool = True, output_is_tuple: bool = True):
        super().__init__(num_units, 1, BasicRNNCell, state_is_tuple=state_is_tuple, output_is_tuple=output_is_tuple)


class Grid2BasicRNNCell(_OneInput):
    """Two dimensions of plain cells."""

    def __init__(
        self,
        num_units: int,
        tied: bool = False,
        non_recurrent_fn: Any = None,
        state_is_tuple: bool = True,
        output_is_tuple: bool = True,
    ):
        super().__init__(
            num_units,
            2,
            BasicRNNCell,
            non_recurrent_fn,
            tied=tied,
            state_is_tuple=state_is_tuple,
            output_is_tuple=output_is_tuple,
        )


class Grid1BasicLSTMCell(_OneInput):
    """One dimension of basic LSTMs."""

    def __init__(
        self, num_units: int, forget_bias: float = 1, state_is_tuple: bool = True, output_is_tuple: bool = True
    ):
        make = functools.partial(BasicLSTMCell, forget_bias=forget_bias)
        super().__init__(num_units, 1, make, state_is_tuple=state_is_tuple, output_is_tuple=output_is_tuple)


class Grid2BasicLSTMCell(_OneInput):
    """Two dimensions of basic LSTMs."""

    def __init__(
        self,
        num_units: int,
        tied: bool = False,
        non_recurrent_fn: Any = None,
        forget_bias: float = 1,
        state_is_tuple: bool = True,
        output_is_tuple: bool = True,
    ):
        super().__init__(
            num_units,
            2,
            functools.partial(BasicLSTMCell, forget_bias=forget_bias),
            non_recurrent_fn,
            tied=tied,
            state_is_tuple=state_is_tuple,
            output_is_tuple=output_is_tuple,
        )


class Grid1LSTMCell(_OneInput):
    """One dimension of LSTMs."""

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        output_is_tuple: bool = True,
    ):
        make = functools.partial(LSTMCell, forget_bias=forget_bias, use_peepholes=use_peepholes)
        super().__init__(num_units, 1, make, state_is_tuple=state_is_tuple, output_is_tuple=output_is_tuple)


class Grid2LSTMCell(_OneInput):
    """Two dimensions of LSTMs."""

    _count = 2

    def __init__(
        self,
        num_units: int,
        tied: bool = False,
        non_recurrent_fn: Any = None,
        use_peepholes: bool = False,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        output_is_tuple: bool = True,
    ):
        super().__init__(
            num_units,
            self._count,
            functools.partial(LSTMCell, forget_bias=forget_bias, use_peepholes=use_peepholes),
            non_recurrent_fn,
            tied=tied,
            state_is_tuple=state_is_tuple,
            output_is_tuple=output_is_tuple,
        )


class Grid3LSTMCell(Grid2LSTMCell):
    """Three dimensions of LSTMs."""

    _count = 3


class Grid2GRUCell(_OneInput):
    """Two dimensions of gated recurrent units."""

    def __init__(
        self,
        num_units: int,
        tied: bool = False,
        non_recurrent_fn: Any = None,
        state_is_tuple: bool = True,
        output_is_tuple: bool = True,
    ):
        super().__init__(
            num_units,
            2,
            GRUCell,
            non_recurrent_fn,
            tied=tied,
            state_is_tuple=state_is_tuple,
            output_is_tuple=output_is_tuple,
        )
