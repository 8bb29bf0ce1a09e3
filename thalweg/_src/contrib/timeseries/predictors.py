"""Networks that predict an output window from an input window; their variables are made before they are called in a loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.contrib.rnn.blocks import LSTMBlockFusedCell
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.ops import array, math
from thalweg._src.ops.nets.activations import bias_add, relu
from thalweg._src.ops.stateful.initializers import zeros_initializer
from thalweg._src.ops.stateful.variable_scope import VariableScope, get_variable, variable_scope
from thalweg._src.ops.stateful.variable_store import AUTO_REUSE


class _Dense:
    """A dense layer without activation, of variables `name`/kernel and `name`/bias."""

    def __init__(self, name: str, inputs: int, units: int) -> None:
        self._kernel = get_variable(f"{name}/kernel", [inputs, units])
        self._bias = get_variable(f"{name}/bias", [units], initializer=zeros_initializer())

    def __call__(self, x: Tensor) -> Tensor:
        return bias_add(math.tensordot(x, self._kernel, 1), self._bias)


class _Predictor:
    """Variables below model/`name`, whatever scope the predictor is made or called in."""

    name = ""

    def _scope(self) -> Any:
        return variable_scope(VariableScope(AUTO_REUSE, name=f"model/{self.name}", use_resource=True))


class FlatPredictionModel(_Predictor):
    """Dense layers over both windows, flat; gives a mean and a covariance for each output."""

    name = "flat_prediction_model"

    def __init__(
        self,
        num_features: int,
        input_window_size: int,
        output_window_size: int,
        hidden_layer_sizes: Sequence[int] | None = None,
    ) -> None:
        self._features, self._input, self._output = num_features, input_window_size, output_window_size
        self._hidden_sizes = hidden_layer_sizes or ()

    def build(self, input_features: int, output_features: int) -> None:
        """Make the variables, for so many features of each record."""
        size = self._input * input_features + self._output * output_features
        self._hidden = []
        with self._scope():
            for i, units in enumerate(self._hidden_sizes):
                self._hidden.append(_Dense(f"sequential/dense_{i}" if i else "sequential/dense", size, units))
                size = units
            self._mean = _Dense("predicted_mean", size, self._features * self._output)
            self._variance = _Dense("log_sigma_square", size, self._features * self._output)

    def __call__(self, input_window_features: Tensor, output_window_features: Tensor) -> dict[str, Tensor]:
        batch = array.shape(input_window_features)[0]
        sizes = [self._input * input_window_features.shape[2], self._output * output_window_features.shape[2]]
        windows = (input_window_features, output_window_features)
        flat = [array.reshape(w, [batch, int(n)]) for w, n in zip(windows, sizes, strict=True) if int(n)]
        x = array.concat(flat, axis=1)
        for layer in self._hidden:
            x = relu(layer(x))
        shape = [-1, self._output, self._features]
        return {
            "mean": array.reshape(self._mean(x), shape),
            "covariance": array.reshape(math.exp(self._variance(x)), shape),
        }


class LSTMPredictionModel(_Predictor):
    """An LSTM that reads the input window, and one that goes on from its state over the output window."""

    name = "lstm_prediction_model"

    def __init__(
        self, num_features: int, input_window_size: int, output_window_size: int, num_units: int = 128
    ) -> None:
        self._features, self._units = num_features, num_units

    def build(self, input_features: int, output_features: int) -> None:
        """Make the variables, for so many features of each record."""
        with self._scope():
            self._cells = []
            for name, size in (("encoder", input_features), ("decoder", output_features)):
                with variable_scope(name):
                    cell = LSTMBlockFusedCell(self._units, name=name)
                    cell(array.zeros([1, 1, size]), dtype=dtypes.float32)
                self._cells.append(cell)
            self._mean = _Dense("mean_transform", self._units, self._features)
            self._variance = _Dense("covariance_transform", self._units, self._features)

    def __call__(self, input_window_features: Tensor, output_window_features: Tensor) -> dict[str, Tensor]:
        encoder, decoder = self._cells
        _, state = encoder(array.transpose(input_window_features, [1, 0, 2]), dtype=dtypes.float32)
        steps = array.transpose(output_window_features, [1, 0, 2])
        found, _ = decoder(steps, dtype=dtypes.float32, initial_state=state)
        found = array.transpose(found, [1, 0, 2])
        return {"mean": self._mean(found), "covariance": math.exp(self._variance(found))}
