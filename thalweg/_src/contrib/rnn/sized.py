"""What the cells of contrib share: sizes that are set when they are made, kernels in shards, normalized layers."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.rnn.basic import LSTMStateTuple
from thalweg._src.lib.rnn.cell import LayerRNNCell, RNNCell
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import normalization
from thalweg._src.ops.stateful import initializers, variable_scope


class _Sizes:
    """`state_size` and `output_size` as they were set."""

    _state_size: Any
    _output_size: Any

    @property
    def state_size(self) -> Any:
        return self._state_size

    @property
    def output_size(self) -> Any:
        return self._output_size


class SizedCell(_Sizes, RNNCell):
    """A cell that takes its variables by `get_variable` in `call`."""


class SizedLayerCell(_Sizes, LayerRNNCell):
    """A cell that makes its variables in `build`."""


def lstm_sizes(num_units: int, num_proj: int | None = None, state_is_tuple: bool = True) -> tuple[Any, int]:
    """(state size, output size) of an LSTM, with or without a projection."""
    output = num_proj or num_units
    return (LSTMStateTuple(num_units, output) if state_is_tuple else num_units + output), output


def width_of(inputs: Any) -> int:
    """The second size of [batch, size] inputs. Raises ValueError where it is unknown."""
    width = inputs.get_shape().with_rank(2).dims[1].value
    if width is None:
        raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
    return width


def joined_variable(name: str, shape: list[int], dtype: Any, shards: int) -> Any:
    """A matrix in `shards` variables `name_0`, `name_1`, …, put together along the rows. Raises ValueError for more shards than rows."""
    if shards > shape[0]:
        raise ValueError(f"Too many shards: shape={shape}, num_shards={shards}")
    each, more = divmod(shape[0], shards)
    parts = [
        variable_scope.get_variable(f"{name}_{i}", [each + (i < more), *shape[1:]], dtype=dtype) for i in range(shards)
    ]
    if len(parts) == 1:
        return parts[0]
    full = f"{variable_scope.get_variable_scope().name}/{name}/concat:0"
    for value in scopes.get_collection(GraphKeys.CONCATENATED_VARIABLES):
        if value.name == full:
            return value
    joined = array.concat(parts, 0, name=name + "/concat")
    scopes.add_to_collection(GraphKeys.CONCATENATED_VARIABLES, joined)
    return joined


def layer_normalized(x: Any, scope: str, gain: float, shift: float, dtype: Any = None) -> Any:
    """`x` with mean 0 and variance 1 in each row, times `gamma` plus `beta`, which are variables of `scope`."""
    dtype = x.dtype.base_dtype if dtype is None else dtype
    size = x.get_shape()[-1:]
    with variable_scope.variable_scope(scope):
        gamma = variable_scope.get_variable(
            "gamma", shape=size, initializer=initializers.constant_initializer(gain), dtype=dtype
        )
        beta = variable_scope.get_variable(
            "beta", shape=size, initializer=initializers.constant_initializer(shift), dtype=dtype
        )
        mean, variance = normalization.moments(x, [1], keep_dims=True)
        tiny = 1e-3 if x.dtype.base_dtype.name == "float16" else 1e-12
        # The mean is subtracted first: as x·s - mean·s, which the compiler fuses, rows without variance would be noise times 10^6.
        with scopes.name_scope("batchnorm"):
            scale = math.rsqrt(variance + tiny) * gamma
            out = (x - mean) * scale
            mean * scale  # TensorFlow has this node: the seeds of later weights follow from their number
            out = out + beta
    out.set_shape(x.get_shape())
    return out


def zeros() -> Any:
    return initializers.zeros_initializer()
