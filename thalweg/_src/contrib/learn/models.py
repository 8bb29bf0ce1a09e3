"""tf.contrib.learn.models of 0.x: what stands on top of features, and recurrent models."""

from __future__ import annotations

import functools
from typing import Any

from thalweg._src.contrib.learn import ops
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.rnn.static import static_rnn
from thalweg._src.lib.summary import summary
from thalweg._src.ops.late import array
from thalweg._src.ops.stateful.initializers import random_normal_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable, get_variable_scope, variable_scope


def _weights(x: Any, y: Any, width: Any, init_mean: float | None, init_stddev: float) -> tuple[Any, Any]:
    scope, dtype = get_variable_scope().name, x.dtype.base_dtype
    initializer = None if init_mean is None else random_normal_initializer(init_mean, init_stddev, dtype=dtype)
    size = x.get_shape().as_list()[1]
    weights = get_variable("weights", [size, width], initializer=initializer, dtype=dtype)
    bias = get_variable("bias", [width], initializer=initializer, dtype=dtype)
    for name, tensor in (("x", x), ("y", y), ("weights", weights), ("bias", bias)):
        summary.histogram(f"{scope}.{name}", tensor)
    return weights, bias


def linear_regression(x: Any, y: Any, init_mean: float | None = None, init_stddev: float = 1.0) -> Any:
    """(predictions, squared error) of a linear layer on `x`."""
    with variable_scope("linear_regression"):
        dims = y.get_shape().as_list()
        weights, bias = _weights(x, y, 1 if len(dims) == 1 else dims[1], init_mean, init_stddev)
        return ops.mean_squared_error_regressor(x, y, weights, bias)


def logistic_regression(
    x: Any, y: Any, class_weight: Any = None, init_mean: float | None = None, init_stddev: float = 1.0
) -> Any:
    """(probabilities, cross-entropy) of a linear layer on `x`; `y` are rows with a one.

    The classes weigh as the tensor `class_weight` of the graph says, where there is one.
    """
    with variable_scope("logistic_regression"):
        weights, bias = _weights(x, y, y.get_shape().as_list()[-1], init_mean, init_stddev)
        if class_weight is None:
            try:
                class_weight = get_default_graph().get_tensor_by_name("class_weight:0")
            except KeyError:
                class_weight = None
        return ops.softmax_classifier(x, y, weights, bias, class_weight=class_weight)


def linear_regression_zero_init(x: Any, y: Any) -> Any:
    """`linear_regression` that starts at zero."""
    return linear_regression(x, y, init_mean=0.0, init_stddev=0.0)


def logistic_regression_zero_init(x: Any, y: Any) -> Any:
    """`logistic_regression` that starts at zero."""
    return logistic_regression(x, y, init_mean=0.0, init_stddev=0.0)


def get_dnn_model(hidden_units: Any, target_predictor_fn: Any, dropout: Any = None) -> Any:
    """A model function (x, y) of dense layers under `target_predictor_fn`."""

    def model(x: Any, y: Any) -> Any:
        return target_predictor_fn(ops.dnn(x, hidden_units, dropout=dropout), y)

    return model


def _reversed(steps: list[Any], lengths: Any) -> list[Any]:
    if lengths is None:
        return list(reversed(steps))
    from thalweg._src.ops.late import array as arrays

    return arrays.unstack(arrays.reverse_sequence(arrays.stack(steps), lengths, seq_axis=0, batch_axis=1))


def bidirectional_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """(outputs of both directions by step, both last states side by side). Raises TypeError for what is no list."""
    if not isinstance(inputs, list):
        raise TypeError("inputs must be a list")
    if not inputs:
        raise ValueError("inputs must not be empty")
    name = scope or "BiRNN"
    with variable_scope(name + "_FW"):
        forward, state_fw = static_rnn(cell_fw, inputs, initial_state_fw, dtype, sequence_length)
    with variable_scope(name + "_BW"):
        backward, state_bw = static_rnn(
            cell_bw, _reversed(inputs, sequence_length), initial_state_bw, dtype, sequence_length
        )
    pairs = zip(forward, _reversed(backward, sequence_length), strict=True)
    return [array.concat([a, b], 1) for a, b in pairs], array.concat([state_fw, state_bw], 1)


def get_rnn_model(
    rnn_size: int,
    cell_type: str,
    num_layers: int,
    input_op_fn: Any,
    bidirectional: bool,
    target_predictor_fn: Any,
    sequence_length: Any,
    initial_state: Any,
    attn_length: int | None = None,
    attn_size: int | None = None,
    attn_vec_size: int | None = None,
) -> Any:
    """A model function (x, y) of recurrent layers under `target_predictor_fn`. Raises ValueError for other cells."""
    from thalweg._src.contrib.rnn.around import AttentionCellWrapper
    from thalweg._src.lib.rnn.basic import BasicLSTMCell, BasicRNNCell, GRUCell
    from thalweg._src.lib.rnn.wrappers import MultiRNNCell

    makers: dict[str, Any] = {
        "rnn": BasicRNNCell,
        "gru": GRUCell,
        "lstm": functools.partial(BasicLSTMCell, state_is_tuple=False),
    }

    def stacked() -> Any:
        if cell_type not in makers:
            raise ValueError(f"cell_type {cell_type} is not supported. ")
        cells = [makers[cell_type](rnn_size) for _ in range(num_layers)]
        if attn_length is not None:
            how = {"attn_size": attn_size, "attn_vec_size": attn_vec_size, "state_is_tuple": False}
            cells = [AttentionCellWrapper(c, attn_length, **how) for c in cells]
        return MultiRNNCell(cells, state_is_tuple=False)

    def model(x: Any, y: Any) -> Any:
        from thalweg._src.core import dtypes

        steps = input_op_fn(x)
        if bidirectional:
            _, encoding = bidirectional_rnn(
                *(stacked(), stacked(), steps, initial_state, initial_state, dtypes.float32, sequence_length)
            )
        else:
            _, encoding = static_rnn(stacked(), steps, initial_state, dtypes.float32, sequence_length)
        return target_predictor_fn(encoding, y)

    return model
