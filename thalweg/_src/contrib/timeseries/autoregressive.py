"""Autoregressive models: a network predicts the next values from those before them and the phase of periods."""

from __future__ import annotations

import math as numbers
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.contrib.timeseries.keys import STATE_TUPLE, TIMES, VALUES
from thalweg._src.contrib.timeseries.model import ModelOutputs, TimeSeriesModel
from thalweg._src.contrib.timeseries.predictors import FlatPredictionModel
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.ops import array, math
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.stateful.initializers import zeros_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable

Predictions = dict[str, Tensor]


def normal_log_prob(loc: Any, scale: Any, x: Any) -> Tensor:
    """As TensorFlow's library has it: with log(scale) halved."""
    z = (x - loc) / scale
    return -0.5 * (math.square(z) + numbers.log(2.0 * numbers.pi) + math.log(scale))


def cauchy_log_prob(loc: Any, scale: Any, x: Any) -> Tensor:
    z = (x - loc) / scale
    return -numbers.log(numbers.pi) - math.log(scale) - math.log1p(math.square(z))


class ARModel(TimeSeriesModel):
    """Predicts `output_window_size` values from `input_window_size` values; of longer windows, from its own predictions.

    Times are told to the network by where they lie in each of `periodicities`, in `num_time_buckets` parts.
    """

    SQUARED_LOSS = "squared_loss"
    NORMAL_LIKELIHOOD_LOSS = "normal_likelihood_loss"

    def __init__(
        self,
        periodicities: Any,
        input_window_size: int,
        output_window_size: int,
        num_features: int,
        prediction_model_factory: Callable[..., Any] = FlatPredictionModel,
        num_time_buckets: int = 10,
        loss: str = NORMAL_LIKELIHOOD_LOSS,
        exogenous_feature_columns: Sequence[Any] | None = None,
    ) -> None:
        super().__init__(num_features, exogenous_feature_columns)
        self._model_factory = prediction_model_factory
        self.input_window_size, self.output_window_size = input_window_size, output_window_size
        self.window_size = input_window_size + output_window_size
        self.loss = loss
        self.exogenous_size = self._get_exogenous_embedding_shape()[-1]
        self._buckets = int(num_time_buckets)
        several = isinstance(periodicities, list | tuple)
        self._periodicities = [int(p) for p in (periodicities if several else [periodicities] if periodicities else [])]
        assert self._buckets > 0
        assert output_window_size > 0
        assert all(p > 0 for p in self._periodicities)
        assert self._periodicities or input_window_size

    def initialize_graph(self, input_statistics: Any = None) -> None:
        super().initialize_graph(input_statistics)
        self._network = self._model_factory(
            num_features=self.num_features,
            input_window_size=self.input_window_size,
            output_window_size=self.output_window_size,
        )
        if hasattr(self._network, "build"):
            known = self._buckets * len(self._periodicities) + self.exogenous_size
            self._network.build(known + (self.num_features if self.input_window_size else 0), known)

    def get_start_state(self) -> tuple[Tensor, Tensor, Tensor]:
        size = self.input_window_size
        return (
            array.zeros([size], dtypes.int64),
            array.zeros([size, self.num_features], self.dtype),
            array.zeros([size, self.exogenous_size], self.dtype),
        )

    def _phases(self, times: Tensor) -> Tensor:
        """Where each time lies in each period: [batch, window, periods * buckets], one bucket of a period above 0."""
        periods = array.constant(self._periodicities, times.dtype, shape=[1, 1, len(self._periodicities), 1])
        within = array.reshape(times, [array.shape(times)[0], -1, 1, 1]) % periods
        place = math.cast(within, self.dtype) * self._buckets / math.cast(periods, self.dtype)
        place = relu(place - array.reshape(math.range(self._buckets, dtype=self.dtype), [1, 1, 1, -1]))
        place = array.where(place < 1.0, place, array.zeros_like(place))
        size = self._buckets * len(self._periodicities)
        return array.reshape(place, [array.shape(times)[0], self.window_size, size])

    def prediction_ops(self, times: Tensor, values: Any, exogenous_regressors: Tensor | None) -> Predictions:
        """What the network predicts for the output window: [batch, output window, features]."""
        times.get_shape().assert_is_compatible_with([None, self.window_size])
        sizes = (self.input_window_size, self.output_window_size)
        inputs: list[Tensor] = []
        outputs: list[Tensor] = []
        for whole, present in (
            (self._phases, self._periodicities),
            (lambda _: exogenous_regressors, self.exogenous_size),
        ):
            if present:
                before, after = array.split(whole(times), sizes, axis=1)
                inputs.append(before)
                outputs.append(after)
        batch = array.shape(times)[0]
        if self.input_window_size:
            values.get_shape().assert_is_compatible_with([None, self.input_window_size, self.num_features])
            inputs.insert(1 if self._periodicities else 0, values)
        known = [
            array.concat(parts, axis=2) if parts else array.zeros([batch, size, 0], self.dtype)
            for parts, size in zip((inputs, outputs), sizes, strict=True)
        ]
        for window, parts, size in zip(known, (inputs, outputs), sizes, strict=True):
            depth = sum(part.shape.as_list()[-1] for part in parts)
            window.set_shape([times.shape.as_list()[0], size, depth])
        predictions = self._network(*known)
        for value in predictions.values():
            value.set_shape([None, self.output_window_size, self.num_features])
        return predictions

    def loss_op(self, targets: Tensor, prediction_ops: Predictions) -> Tensor:
        """The mean over all numbers of the squared error, or of minus the log likelihood."""
        if self.loss == self.NORMAL_LIKELIHOOD_LOSS:
            sigma = math.sqrt(math.maximum(prediction_ops["covariance"], 1e-5))
            total = -math.reduce_sum(normal_log_prob(targets, sigma, prediction_ops["mean"]))
        else:
            assert self.loss == self.SQUARED_LOSS, self.loss
            total = math.reduce_sum(math.squared_difference(prediction_ops["mean"], targets))
        return total / math.cast(math.reduce_prod(array.shape(targets)), total.dtype)

    def _exogenous(self, times: Tensor, features: dict[str, Any]) -> Tensor:
        """The exogenous values of each record, of size 0 without columns."""
        others = {key: value for key, value in features.items() if key not in (TIMES, VALUES, STATE_TUPLE)}
        embedded = self._process_exogenous_features(times, others)
        if embedded is None:
            return array.zeros(array.concat([array.shape(times), [0]], axis=0))
        return embedded

    def predict(self, features: dict[str, Any]) -> Predictions:
        if not self._graph_initialized:
            self.initialize_graph()
        size, step = self.input_window_size, self.output_window_size
        times = math.cast(to_tensor(features[TIMES]), dtypes.int64)
        exogenous = self._exogenous(times, features)
        seen_times, seen_values, seen_exogenous = features[STATE_TUPLE]
        wanted = array.shape(times)[1]
        turns = (wanted + step - 1) // step
        missing = turns * step - wanted
        # All times, from the input window of the first turn to the output window of the last one.
        times = array.concat(
            [math.cast(to_tensor(seen_times), dtypes.int64)[:, -size:], array.pad(times, [[0, 0], [0, missing]])], 1
        )
        exogenous = array.concat(
            [
                math.cast(to_tensor(seen_exogenous), self.dtype)[:, -size:, :],
                array.pad(exogenous, [[0, 0], [0, missing], [0, 0]]),
            ],
            1,
        )
        values = to_tensor(seen_values, dtype=self.dtype)[:, -size:, :]
        values.set_shape([None, size, self.num_features])

        def body(turn: Tensor, values: Tensor, means: TensorArray, variances: TensorArray) -> Any:
            window = slice(turn * step, turn * step + self.window_size)
            now, beside = times[:, window], exogenous[:, window]
            now.set_shape([None, self.window_size])
            beside.set_shape([None, self.window_size, self.exogenous_size])
            found = self.prediction_ops(now, values, beside)
            if size:
                values = array.concat([values, found["mean"]], 1)[:, -size:, :]
                values.set_shape([None, size, self.num_features])
            return turn + 1, values, means.write(turn, found["mean"]), variances.write(turn, found["covariance"])

        arrays = [TensorArray(self.dtype, turns) for _ in range(2)]
        filled = while_loop(lambda turn, *_: math.less(turn, turns), body, (0, values, *arrays))[2:]

        def joined(rows: TensorArray) -> Tensor:
            stacked = array.transpose(rows.stack(), [1, 0, 2, 3])
            return array.reshape(stacked, [array.shape(times)[0], turns * step, self.num_features])[:, :wanted, :]

        mean, variance = (joined(rows) for rows in filled)
        if self.loss == self.SQUARED_LOSS:
            variance = array.ones_like(mean)
        return {"mean": self._scale_back_data(mean), "covariance": self._scale_back_variance(variance)}

    def _window(self, times: Tensor, values: Tensor, exogenous: Tensor, mode: str) -> ModelOutputs:
        """The loss of one window, its predictions and the state behind it. ValueError for a window of another size."""
        size, step = self.input_window_size, self.output_window_size
        if not times.get_shape().is_compatible_with([None, self.window_size]):
            raise ValueError(
                f"ARModel with input_window_size={size} and output_window_size={step} expects feature '{TIMES}' to have "
                f"shape (batch_size, {self.window_size}) (for any batch_size), but got shape {times.get_shape()}. If you "
                f"are using RandomWindowInputFn, set window_size={self.window_size} or adjust the input_window_size and "
                "output_window_size arguments to ARModel."
            )
        scaled = self._scale_data(values)
        found = self.prediction_ops(times, scaled[:, :size, :] if size else None, exogenous)
        targets = scaled[:, size:, :]
        targets.get_shape().assert_is_compatible_with(found["mean"].get_shape())
        mean = self._scale_back_data(found["mean"])
        if mode == ModeKeys.EVAL and self.loss == self.SQUARED_LOSS:
            loss = self.loss_op(self._scale_back_data(targets), {"mean": mean})
        else:
            loss = self.loss_op(targets, found)
        return ModelOutputs(
            loss=loss,
            end_state=(times[:, -size:], scaled[:, -size:, :], exogenous[:, -size:, :]),
            predictions={
                "mean": mean,
                "covariance": self._scale_back_variance(found["covariance"]),
                "observed": values[:, -step:],
            },
            prediction_times=times[:, -step:],
        )

    def get_batch_loss(self, features: dict[str, Any], mode: str, state: Any) -> ModelOutputs:
        if mode not in (ModeKeys.TRAIN, ModeKeys.EVAL):
            raise ValueError(f"Unknown mode '{mode}' passed to get_batch_loss.")
        features = {name: to_tensor(value) for name, value in features.items()}
        exogenous = math.cast(self._exogenous(features[TIMES], features), self.dtype)
        times = math.cast(features[TIMES], dtypes.int64)
        values = math.cast(features[VALUES], self.dtype)
        if mode == ModeKeys.TRAIN:
            return self._window(times, values, exogenous, mode)
        return self._evaluated(times, values, exogenous, state)

    def _evaluated(self, times: Tensor, values: Tensor, exogenous: Tensor, state: Any) -> ModelOutputs:
        """The mean loss of as many windows as there are output windows; what is left over lies at the start."""
        size, step = self.input_window_size, self.output_window_size
        times.get_shape().assert_has_rank(2)
        known = times.get_shape().as_list()[1]
        if known is not None and known < self.window_size:
            raise ValueError(
                "ARModel requires a window of at least input_window_size + output_window_size to evaluate on "
                f"(input_window_size={size}, output_window_size={step}, and got shape {times.get_shape()} for feature "
                f"'{TIMES}' (batch size, window size))."
            )
        turns = (array.shape(times)[1] - size) // step
        used = turns * step
        cut = [part[:, -(used + size) :] for part in (times, values, exogenous)]

        def body(turn: Tensor, *arrays: TensorArray) -> Any:
            parts = [part[:, turn * step : turn * step + self.window_size] for part in cut]
            for part, depth in zip(parts, ([], [self.num_features], [self.exogenous_size]), strict=True):
                part.set_shape([None, self.window_size, *depth])
            found = self._window(*parts, ModeKeys.EVAL)
            rows = (found.loss, found.predictions["mean"], found.predictions["covariance"])
            return (turn + 1, *(rows_so_far.write(turn, row) for rows_so_far, row in zip(arrays, rows, strict=True)))

        arrays = [TensorArray(self.dtype, turns) for _ in range(3)]
        _, losses, means, variances = while_loop(lambda turn, *_: turn < turns, body, (0, *arrays))
        shape = [array.shape(times)[0], used, self.num_features]

        def joined(rows: TensorArray) -> Tensor:
            return array.reshape(array.transpose(rows.stack(), [1, 0, 2, 3]), shape)

        if size:
            now = (times, self._scale_data(values), exogenous)
            state = tuple(array.concat([old, new], axis=1)[:, -size:] for old, new in zip(state, now, strict=True))
            for part, depth in zip(state, ([], [self.num_features], [self.exogenous_size]), strict=True):
                part.set_shape([None, size, *depth])
        return ModelOutputs(
            loss=math.reduce_mean(losses.stack(), axis=0),
            end_state=state,
            predictions={"mean": joined(means), "covariance": joined(variances), "observed": values[:, -used:]},
            prediction_times=times[:, -used:],
        )


class AnomalyMixtureARModel(ARModel):
    """An ARModel whose values are, with some probability, drawn from a wider distribution around the prediction."""

    GAUSSIAN_ANOMALY = "gaussian"
    CAUCHY_ANOMALY = "cauchy"

    def __init__(
        self,
        periodicities: Any,
        anomaly_prior_probability: float,
        input_window_size: int,
        output_window_size: int,
        num_features: int,
        prediction_model_factory: Callable[..., Any] = FlatPredictionModel,
        anomaly_distribution: str = GAUSSIAN_ANOMALY,
        num_time_buckets: int = 10,
        exogenous_feature_columns: Sequence[Any] | None = None,
    ) -> None:
        assert 0.0 < anomaly_prior_probability < 1.0
        assert anomaly_distribution in (self.GAUSSIAN_ANOMALY, self.CAUCHY_ANOMALY)
        self._probability, self._distribution = anomaly_prior_probability, anomaly_distribution
        super().__init__(
            periodicities,
            input_window_size,
            output_window_size,
            num_features,
            prediction_model_factory,
            num_time_buckets,
            self.NORMAL_LIKELIHOOD_LOSS,
            exogenous_feature_columns,
        )

    def get_batch_loss(self, features: dict[str, Any], mode: str, state: Any) -> ModelOutputs:
        # Made here, before the loop over windows that the loss may be computed in.
        log = get_variable("anomaly_log_param", [], self.dtype, zeros_initializer())
        self._anomaly_scale = math.exp(log)
        return super().get_batch_loss(features, mode, state)

    def loss_op(self, targets: Tensor, prediction_ops: Predictions) -> Tensor:
        mean, scale = prediction_ops["mean"], self._anomaly_scale
        sigma = math.sqrt(math.maximum(prediction_ops["covariance"], 1e-5))
        usual = normal_log_prob(targets, sigma, mean) + numbers.log(1 - self._probability)
        if self._distribution == self.GAUSSIAN_ANOMALY:
            anomaly = normal_log_prob(targets, math.sqrt(math.maximum(scale, 1e-5)), mean)
        else:
            anomaly = cauchy_log_prob(targets, scale, mean)
        anomaly += numbers.log(self._probability)
        low, high = math.minimum(usual, anomaly), math.maximum(usual, anomaly)
        total = -math.reduce_sum(high + math.log(1 + math.exp(low - high)))
        return total / math.cast(math.reduce_prod(array.shape(targets)), self.dtype)
