"""LSTMs over time and frequency (Li et al., 2015, 2016): the inputs of a step are windows over its features."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.contrib.rnn.sized import SizedCell, joined_variable, zeros
from thalweg._src.core import dtypes
from thalweg._src.lib.rnn.basic import warn_of_joined_state
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations
from thalweg._src.ops.numeric import clip
from thalweg._src.ops.stateful import variable_scope


def _windows(inputs: Any, start: int, size: int, count: int, skip: int) -> list[Any]:
    return [array.slice(inputs, [0, start + f * skip], [-1, size]) for f in range(count)]


def _features(inputs: Any) -> int:
    width = inputs.get_shape().with_rank(2).dims[-1].value
    if width is None:
        raise ValueError("Cannot infer input_size from static shape inference.")
    return width


class TimeFreqLSTMCell(SizedCell):
    """An LSTM that walks over windows of the features at each step. Its state is joined: c and m of each window."""

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_unit_shards: int = 1,
        forget_bias: float = 1.0,
        feature_size: int | None = None,
        frequency_skip: int = 1,
        reuse: Any = None,
    ):
        super().__init__(_reuse=reuse)
        self._num_units, self._use_peepholes, self._cell_clip = num_units, use_peepholes, cell_clip
        self._initializer, self._num_unit_shards, self._forget_bias = initializer, num_unit_shards, forget_bias
        self._feature_size, self._frequency_skip = feature_size, frequency_skip
        self._state_size, self._output_size = 2 * num_units, num_units

    def _make_tf_features(self, inputs: Any) -> list[Any]:
        size = self._feature_size or 0
        count = int((_features(inputs) - size) / self._frequency_skip) + 1
        return _windows(inputs, 0, size, count, self._frequency_skip)

    def call(self, inputs: Any, state: Any) -> Any:
        n, sigmoid, tanh, dtype = self._num_units, math.sigmoid, math.tanh, inputs.dtype.base_dtype
        windows = self._make_tf_features(inputs)
        width = windows[0].get_shape().as_list()[1]
        kernel = joined_variable("W", [width + 2 * n, 4 * n], dtype, self._num_unit_shards)
        b = variable_scope.get_variable("B", shape=[4 * n], initializer=zeros(), dtype=dtype)
        w: dict[str, Any] = {}
        if self._use_peepholes:
            for gate in "FIO":
                w[gate] = variable_scope.get_variable(f"W_{gate}_diag", shape=[n], dtype=dtype)
        m_freq = array.zeros([inputs.get_shape().dims[0].value or array.shape(inputs)[0], n], dtype)
        states, outputs = [], []
        for i_window, x in enumerate(windows):
            c = array.slice(state, [0, 2 * i_window * n], [-1, n])
            m = array.slice(state, [0, (2 * i_window + 1) * n], [-1, n])
            gates = activations.bias_add(math.matmul(array.concat([x, m, m_freq], 1), kernel), b)
            i, j, f, o = array.split(value=gates, num_or_size_splits=4, axis=1)
            f = f + self._forget_bias
            if w:
                f, i = f + w["F"] * c, i + w["I"] * c
            c = sigmoid(f) * c + sigmoid(i) * tanh(j)
            if self._cell_clip is not None:
                c = clip.clip_by_value(c, -self._cell_clip, self._cell_clip)
            m_freq = sigmoid(o + w["O"] * c if w else o) * tanh(c)
            states += [c, m_freq]
            outputs.append(m_freq)
        return _joined(outputs), _joined(states)


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else array.concat(parts, 1)


class GridLSTMCell(SizedCell):
    """An LSTM with a state along time and one along frequency (Kalchbrenner et al., 2015), over blocks of windows.

    Raises ValueError where the blocks are not those that the input has.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        share_time_frequency_weights: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_unit_shards: int = 1,
        forget_bias: float = 1.0,
        feature_size: int | None = None,
        frequency_skip: int | None = None,
        num_frequency_blocks: Any = None,
        start_freqindex_list: Any = None,
        end_freqindex_list: Any = None,
        couple_input_forget_gates: bool = False,
        state_is_tuple: bool = True,
        reuse: Any = None,
    ):
        super().__init__(_reuse=reuse)
        warn_of_joined_state(self, state_is_tuple)
        if num_frequency_blocks is None:
            raise ValueError("Must specify num_frequency_blocks")
        self._num_units, self._use_peepholes, self._cell_clip = num_units, use_peepholes, cell_clip
        self._share_time_frequency_weights = share_time_frequency_weights
        self._couple_input_forget_gates, self._state_is_tuple = couple_input_forget_gates, state_is_tuple
        self._initializer, self._num_unit_shards, self._forget_bias = initializer, num_unit_shards, forget_bias
        self._feature_size, self._frequency_skip = feature_size, frequency_skip
        self._start_freqindex_list, self._end_freqindex_list = start_freqindex_list, end_freqindex_list
        self._num_frequency_blocks = num_frequency_blocks
        self._total_blocks = sum(int(n) for n in num_frequency_blocks)
        self._state_tuple_type: Any = None
        if state_is_tuple:
            self._state_tuple_type = collections.namedtuple("GridLSTMStateTuple", self._state_names("state"))  # type: ignore[misc]
            self._state_size = self._state_tuple_type(*([num_units] * 2 * self._total_blocks))
        else:
            self._state_size = num_units * self._total_blocks * 2
        self._output_size = num_units * self._total_blocks * 2

    def _state_names(self, prefix: str) -> list[str]:
        return [
            f"{prefix}_f{f:02d}_b{b:02d}_{part}"
            for b, count in enumerate(self._num_frequency_blocks)
            for f in range(count)
            for part in "cm"
        ]

    @property
    def state_tuple_type(self) -> Any:
        return self._state_tuple_type

    def call(self, inputs: Any, state: Any) -> Any:
        batch = inputs.get_shape().dims[0].value or array.shape(inputs)[0]
        outputs: list[Any] = []
        states: list[Any] = []
        for block, windows in enumerate(self._make_tf_features(inputs)):
            out, new = self._compute(windows, block, state, batch, state_is_tuple=self._state_is_tuple)
            outputs += out
            states += new
        new_state = self._state_tuple_type(*states) if self._state_is_tuple else array.concat(states, 1)
        return array.concat(outputs, 1), new_state

    def _weights(self, block: int, width: int, dtype: Any) -> dict[str, Any]:
        """The variables of a block: kernels and biases "f" and "t", peepholes as ("F", "freq", "f")."""
        n, gates = self._num_units, 3 if self._couple_input_forget_gates else 4
        found: dict[Any, Any] = {}
        for way in "f" if self._share_time_frequency_weights else "ft":
            shape = [width + 2 * n, gates * n]
            kernel = joined_variable(f"W_{way}_{block}", shape, dtype, self._num_unit_shards)
            bias = variable_scope.get_variable(f"B_{way}_{block}", shape=[gates * n], initializer=zeros(), dtype=dtype)
            found[way] = kernel, bias
        if self._use_peepholes:
            for way in ("freq",) if self._share_time_frequency_weights else ("freq", "time"):
                for gate in "IO" if self._couple_input_forget_gates else "FIO":
                    for of in "ft":
                        name = f"W_{gate}_diag_{way}{of}_{block}"
                        found[gate, way, of] = variable_scope.get_variable(name, shape=[n], dtype=dtype)
        return found

    def _compute(
        self,
        windows: list[Any],
        block: int,
        state: Any,
        batch: Any,
        state_prefix: str = "state",
        state_is_tuple: bool = True,
    ) -> tuple[list[Any], list[Any]]:
        """(outputs, new states) of the windows of one block: m along time and along frequency, c and m along time."""
        n, sigmoid, tanh = self._num_units, math.sigmoid, math.tanh
        dtype = windows[0].dtype.base_dtype
        w = self._weights(block, windows[0].get_shape().as_list()[1], dtype)
        shared, coupled = self._share_time_frequency_weights, self._couple_input_forget_gates
        m_freq = array.zeros([batch, n], dtype)
        c_freq = array.zeros([batch, n], dtype)
        outputs: list[Any] = []
        states: list[Any] = []

        def parts(way: str, both: Any) -> list[Any]:
            kernel, bias = w[way]
            z = activations.bias_add(math.matmul(both, kernel), bias)
            return list(array.split(value=z, num_or_size_splits=3 if coupled else 4, axis=1))

        def peeped(gate: str, way: str, z: Any, of_freq: Any, of_time: Any) -> Any:
            if not self._use_peepholes:
                return sigmoid(z)
            way = "freq" if shared else way
            return sigmoid(z + w[gate, way, "f"] * of_freq + w[gate, way, "t"] * of_time)

        def clipped(c: Any) -> Any:
            return c if self._cell_clip is None else clip.clip_by_value(c, -self._cell_clip, self._cell_clip)

        for f, x in enumerate(windows):
            if state_is_tuple:
                name = f"{state_prefix}_f{f:02d}_b{block:02d}"
                c_time, m_time = getattr(state, name + "_c"), getattr(state, name + "_m")
            else:
                c_time = array.slice(state, [0, 2 * f * n], [-1, n])
                m_time = array.slice(state, [0, (2 * f + 1) * n], [-1, n])
            both = array.concat([x, m_time, m_freq], 1)
            along_freq = parts("f", both)
            along_time = along_freq if shared else parts("t", both)
            new: dict[str, Any] = {}
            for way, z, old in (("freq", along_freq, c_freq), ("time", along_time, c_time)):
                i = peeped("I", way, z[0], c_freq, c_time)
                keep = 1.0 - i if coupled else peeped("F", way, z[2] + self._forget_bias, c_freq, c_time)
                new[way] = clipped(keep * old + i * tanh(z[1]))
            c_freq, c_time = new["freq"], new["time"]
            m_freq = peeped("O", "freq", along_freq[-1], c_freq, c_time) * tanh(c_freq)
            m_time = peeped("O", "time", along_time[-1], c_freq, c_time) * tanh(c_time)
            outputs += [m_time, m_freq]
            states += [c_time, m_time]
        return outputs, states

    def _make_tf_features(self, inputs: Any, slice_offset: int = 0) -> list[list[Any]]:
        """The windows of each block. `slice_offset` moves them, with zeros beyond the edge."""
        width, size, skip = _features(inputs), self._feature_size or 0, self._frequency_skip or 1
        if slice_offset:
            margin = [0, 0, 0, slice_offset] if slice_offset > 0 else [0, 0, -slice_offset, 0]
            pads = array.constant(margin, shape=[2, 2], dtype=dtypes.int32)
            inputs = array.pad(inputs, pads, "CONSTANT")
            slice_offset = max(slice_offset, 0)
        counts = self._num_frequency_blocks
        spans = [(0, width)]
        if not self._start_freqindex_list:
            if len(counts) != 1:
                raise ValueError(f"Length of num_frequency_blocks is not 1, but instead is {len(counts)}")
        else:
            starts, ends = self._start_freqindex_list, self._end_freqindex_list
            if len(starts) != len(ends):
                raise ValueError(f"Length of start and end freqindex_list does not match {len(starts)} {len(ends)}")
            if len(counts) != len(starts):
                raise ValueError(
                    f"Length of num_frequency_blocks is not equal to start_freqindex_list {len(counts)} {len(starts)}"
                )
            spans = list(zip(starts, ends, strict=True))
        blocks = []
        for (start, end), count in zip(spans, counts, strict=True):
            found = int((end - start - size) / skip) + 1
            if found != count:
                raise ValueError(
                    f"Invalid num_frequency_blocks, requires {count} but gets {found}, please check the input size and filter "
                    "config are correct."
                )
            blocks.append(_windows(inputs, start + slice_offset, size, count, skip))
        return blocks


class BidirectionalGridLSTMCell(GridLSTMCell):
    """`GridLSTMCell` along the frequencies upwards and downwards."""

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        share_time_frequency_weights: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_unit_shards: int = 1,
        forget_bias: float = 1.0,
        feature_size: int | None = None,
        frequency_skip: int | None = None,
        num_frequency_blocks: Any = None,
        start_freqindex_list: Any = None,
        end_freqindex_list: Any = None,
        couple_input_forget_gates: bool = False,
        backward_slice_offset: int = 0,
        reuse: Any = None,
    ):
        super().__init__(
            num_units,
            use_peepholes,
            share_time_frequency_weights,
            cell_clip,
            initializer,
            num_unit_shards,
            forget_bias,
            feature_size,
            frequency_skip,
            num_frequency_blocks,
            start_freqindex_list,
            end_freqindex_list,
            couple_input_forget_gates,
            True,
            reuse,
        )
        self._backward_slice_offset = int(backward_slice_offset)
        names = self._state_names("fwd_state") + self._state_names("bwd_state")
        self._state_tuple_type = collections.namedtuple("BidirectionalGridLSTMStateTuple", names)  # type: ignore[misc]
        self._state_size = self._state_tuple_type(*([num_units] * len(names)))
        self._output_size = 2 * num_units * self._total_blocks * 2

    def call(self, inputs: Any, state: Any) -> Any:
        batch = inputs.get_shape().dims[0].value or array.shape(inputs)[0]
        upwards = self._make_tf_features(inputs)
        downwards = upwards
        if self._backward_slice_offset:
            downwards = self._make_tf_features(inputs, self._backward_slice_offset)
        outputs: list[Any] = []
        states: list[Any] = []
        for way, blocks in (("fwd", upwards), ("bwd", [block[::-1] for block in downwards])):
            with variable_scope.variable_scope(way):
                for block, windows in enumerate(blocks):
                    out, new = self._compute(windows, block, state, batch, state_prefix=f"{way}_state")
                    outputs += out
                    states += new
        return array.concat(outputs, 1), self._state_tuple_type(*states)
