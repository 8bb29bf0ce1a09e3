"""Long short-term memories with peepholes and projection, whose gates or whose weights are normalized."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.rnn.sized import SizedCell, layer_normalized, lstm_sizes, width_of, zeros
from thalweg._src.lib.rnn.basic import LSTMStateTuple
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations, normalization
from thalweg._src.ops.numeric import clip
from thalweg._src.ops.stateful.variable_scope import get_variable, get_variable_scope, variable_scope


class _GatedCell(SizedCell):
    """An LSTM with peepholes, clips and a projection where asked for; what multiplies its weights is left to the cell."""

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool,
        cell_clip: float | None,
        initializer: Any,
        num_proj: int | None,
        proj_clip: float | None,
        forget_bias: float,
        activation: Any,
        reuse: Any,
    ):
        super().__init__(_reuse=reuse)
        self._num_units, self._use_peepholes, self._initializer = num_units, use_peepholes, initializer
        self._cell_clip, self._num_proj, self._proj_clip = cell_clip, num_proj, proj_clip
        self._forget_bias, self._activation = forget_bias, activation or math.tanh
        self._state_size, self._output_size = lstm_sizes(num_units, num_proj)

    def _around(self) -> Any:
        raise NotImplementedError

    def _linear(self, args: list[Any], size: int, bias: bool) -> Any:
        raise NotImplementedError

    def _norm(self, x: Any, scope: str) -> Any:
        return x

    def call(self, inputs: Any, state: Any) -> Any:
        n, dtype, sigmoid = self._num_units, inputs.dtype.base_dtype, math.sigmoid
        c, m = state
        width_of(inputs)
        with variable_scope(self._around(), initializer=self._initializer):
            gates = self._linear([inputs, m], 4 * n, bias=True)
            i, j, f, o = array.split(value=gates, num_or_size_splits=4, axis=1)
            i, j = self._norm(i, "input"), self._norm(j, "transform")
            f, o = self._norm(f, "forget") + self._forget_bias, self._norm(o, "output")
            if self._use_peepholes:
                w_f, w_i, w_o = (get_variable(f"w_{gate}_diag", shape=[n], dtype=dtype) for gate in "fio")
                f, i = f + w_f * c, i + w_i * c
            c = self._norm(sigmoid(f) * c + sigmoid(i) * self._activation(j), "state")
            if self._cell_clip is not None:
                c = clip.clip_by_value(c, -self._cell_clip, self._cell_clip)
            m = sigmoid(o + w_o * c if self._use_peepholes else o) * self._activation(c)
            if self._num_proj is not None:
                with variable_scope("projection"):
                    m = self._linear([m], self._num_proj, bias=False)
                if self._proj_clip is not None:
                    m = clip.clip_by_value(m, -self._proj_clip, self._proj_clip)
        return m, LSTMStateTuple(c, m)


def _bias(size: int, dtype: Any) -> Any:
    with variable_scope(get_variable_scope()) as scope:
        scope.set_partitioner(None)
        return get_variable("bias", [size], dtype=dtype, initializer=zeros())


class LayerNormLSTMCell(_GatedCell):
    """An LSTM with normalized gates and state (Ba et al., 2016), if `layer_norm`."""

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        forget_bias: float = 1.0,
        activation: Any = None,
        layer_norm: bool = False,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        reuse: Any = None,
    ):
        super().__init__(
            num_units, use_peepholes, cell_clip, initializer, num_proj, proj_clip, forget_bias, activation, reuse
        )
        self._layer_norm, self._norm_gain, self._norm_shift = layer_norm, norm_gain, norm_shift

    def _around(self) -> Any:
        return get_variable_scope()

    def _norm(self, x: Any, scope: str) -> Any:
        return layer_normalized(x, scope, self._norm_gain, self._norm_shift) if self._layer_norm else x

    def _linear(self, args: list[Any], size: int, bias: bool) -> Any:
        dtype = args[0].dtype.base_dtype
        kernel = get_variable("kernel", [sum(width_of(a) for a in args), size], dtype=dtype)
        product = math.matmul(array.concat(args, 1), kernel)
        biases = _bias(size, dtype) if bias else None
        return product if biases is None or self._layer_norm else activations.bias_add(product, biases)


class WeightNormLSTMCell(_GatedCell):
    """An LSTM whose columns of weights have a length of their own (Salimans and Kingma, 2016), if `norm`."""

    def __init__(
        self,
        num_units: int,
        norm: bool = True,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        forget_bias: float = 1,
        activation: Any = None,
        reuse: Any = None,
    ):
        super().__init__(
            num_units, use_peepholes, cell_clip, initializer, num_proj, proj_clip, forget_bias, activation, reuse
        )
        self._normalizes = norm
        self._base_name = "wn_lstm_cell"

    def _around(self) -> Any:
        return "wn_lstm_cell"

    def _linear(self, args: list[Any], size: int, bias: bool) -> Any:
        dtype, start, parts = args[0].dtype.base_dtype, 0, []
        kernel = get_variable("kernel", [sum(width_of(a) for a in args), size], dtype=dtype)
        if self._normalizes:
            for i, a in enumerate(args):
                rows = kernel[start : start + width_of(a), :]
                length = get_variable(f"norm_{i}", [size], dtype=dtype)
                parts.append(normalization.l2_normalize(rows, axis=0) * length)
                start += width_of(a)
            kernel = array.concat(parts, 0)
        product = math.matmul(array.concat(args, 1), kernel)
        return activations.bias_add(product, _bias(size, dtype)) if bias else product
