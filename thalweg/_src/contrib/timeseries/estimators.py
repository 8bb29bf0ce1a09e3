"""Estimators of time series."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.contrib.timeseries.autoregressive import AnomalyMixtureARModel, ARModel
from thalweg._src.contrib.timeseries.heads import OneShotPredictionHead, TimeSeriesRegressionHead, state_to_dictionary
from thalweg._src.contrib.timeseries.keys import TIMES, VALUES
from thalweg._src.contrib.timeseries.predictors import FlatPredictionModel, LSTMPredictionModel
from thalweg._src.contrib.timeseries.states import FilteringOnlyStateManager, PassthroughStateManager
from thalweg._src.contrib.timeseries.statistics import InputStatisticsFromMiniBatch
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Graph, Tensor
from thalweg._src.core.infer import constant_value
from thalweg._src.lib import nesting as nest
from thalweg._src.lib.estimators.canned import get_optimizer_instance
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.receivers import ServingInputReceiver
from thalweg._src.lib.feature_columns.layers import make_parse_example_spec
from thalweg._src.lib.feature_columns.numeric import numeric_column
from thalweg._src.lib.optimizers.adagrad import AdagradOptimizer
from thalweg._src.lib.optimizers.adam import AdamOptimizer
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.constants import placeholder, placeholder_with_default
from thalweg._src.ops.io.parsing import FixedLenFeature, parse_example


class TimeSeriesRegressor(Estimator):
    """An estimator around a TimeSeriesModel; features are times, values and what is known beside them."""

    def __init__(
        self,
        model: Any,
        state_manager: Any = None,
        optimizer: Any = None,
        model_dir: str | None = None,
        config: Any = None,
        head_type: Callable[..., Any] = TimeSeriesRegressionHead,
    ) -> None:
        if state_manager is None:
            autoregressive = isinstance(model, ARModel)
            state_manager = FilteringOnlyStateManager() if autoregressive else PassthroughStateManager()
        self._model = model
        head = head_type(
            model=model,
            state_manager=state_manager,
            optimizer=optimizer or AdamOptimizer(0.02),
            input_statistics_generator=InputStatisticsFromMiniBatch(model.num_features, model.dtype),
        )
        super().__init__(model_fn=head.create_estimator_spec, model_dir=model_dir, config=config)

    def _state_placeholders(self, batch: Tensor, static_batch: int | None) -> dict[str, Tensor]:
        """A placeholder for each part of the state, the start state unless fed."""
        with Graph().as_default():
            self._model.initialize_graph()
            start = [constant_value(array.zeros_like(part)) for part in nest.flatten(self._model.get_start_state())]
        found = {}
        for name, part in state_to_dictionary(start).items():
            counts = array.concat([batch[None], array.ones(part.ndim, dtype=dtypes.int32)], axis=0)
            default = array.tile(array.constant(part[None, ...]), counts)
            found[name] = placeholder_with_default(default, [static_batch, *part.shape], name=name)
        return found

    def build_raw_serving_input_receiver_fn(
        self, default_batch_size: int | None = None, default_series_length: int | None = None
    ) -> Callable[[], ServingInputReceiver]:
        """A receiver of times, values, exogenous features and states as tensors."""
        leading = [default_batch_size, default_series_length]

        def receiver() -> ServingInputReceiver:
            found = {TIMES: placeholder(dtypes.int64, leading, name=TIMES)}
            shape = [*leading, self._model.num_features]
            nothing = array.zeros([size or 0 for size in shape], self._model.dtype)
            found[VALUES] = placeholder_with_default(nothing, shape, name=VALUES)
            with Graph().as_default():
                columns = self._model.exogenous_feature_columns
                spec = make_parse_example_spec(columns) if columns else {}
                parsed = parse_example(placeholder(dtypes.string, [None]), spec) if spec else {}
            for name, value in parsed.items():
                inner = value.get_shape().with_rank_at_least(1).as_list()[1:]
                found[name] = placeholder(value.dtype, [*leading, *inner], name=name)
            found.update(self._state_placeholders(array.shape(found[TIMES])[0], default_batch_size))
            return ServingInputReceiver(found, found)

        return receiver

    def build_one_shot_parsing_serving_input_receiver_fn(
        self,
        filtering_length: int,
        prediction_length: int,
        default_batch_size: int | None = None,
        values_input_dtype: Any = None,
        truncate_values: bool = False,
    ) -> Callable[[], ServingInputReceiver]:
        """A receiver of serialized examples that hold whole windows. ValueError for features of varying length."""
        whole = filtering_length + prediction_length

        def lengthened(key: str, spec: Any) -> Any:
            if isinstance(spec, FixedLenFeature):
                length = filtering_length if key == VALUES and not truncate_values else whole
                return spec._replace(shape=(length, *spec.shape))
            if spec.dtype == dtypes.string:
                return FixedLenFeature((whole,), dtypes.string)
            raise ValueError(f"VarLenFeatures not supported, got {spec} for key {key}")

        def receiver() -> ServingInputReceiver:
            own = [
                numeric_column(TIMES, dtype=dtypes.int64),
                numeric_column(VALUES, shape=(self._model.num_features,), dtype=values_input_dtype or dtypes.float32),
            ]
            specs = make_parse_example_spec([*self._model.exogenous_feature_columns, *own])
            examples = placeholder(dtypes.string, [default_batch_size], name="input")
            features = parse_example(examples, {key: lengthened(key, spec) for key, spec in specs.items()})
            features[TIMES] = array.squeeze(features[TIMES], axis=-1)
            features[VALUES] = math.cast(features[VALUES], self._model.dtype)[:, :filtering_length]
            features.update(self._state_placeholders(array.shape(features[TIMES])[0], default_batch_size))
            return ServingInputReceiver(features, {"examples": examples})

        return receiver


class ARRegressor(TimeSeriesRegressor):
    """An estimator of an autoregressive model of dense layers.

    Raises ValueError where an anomaly's distribution has no probability, or is wanted with another loss.
    """

    def __init__(
        self,
        periodicities: Any,
        input_window_size: int,
        output_window_size: int,
        num_features: int,
        exogenous_feature_columns: Sequence[Any] | None = None,
        num_time_buckets: int = 10,
        loss: str = ARModel.NORMAL_LIKELIHOOD_LOSS,
        hidden_layer_sizes: Sequence[int] | None = None,
        anomaly_prior_probability: float | None = None,
        anomaly_distribution: str | None = None,
        optimizer: Any = None,
        model_dir: str | None = None,
        config: Any = None,
    ) -> None:
        if anomaly_prior_probability is None and anomaly_distribution is not None:
            raise ValueError("anomaly_prior_probability is required if anomaly_distribution is specified.")
        common = {
            "periodicities": periodicities,
            "input_window_size": input_window_size,
            "output_window_size": output_window_size,
            "num_features": num_features,
            "num_time_buckets": num_time_buckets,
            "prediction_model_factory": functools.partial(FlatPredictionModel, hidden_layer_sizes=hidden_layer_sizes),
            "exogenous_feature_columns": exogenous_feature_columns,
        }
        model: ARModel
        if anomaly_prior_probability is None:
            model = ARModel(**common, loss=loss)
        elif loss != ARModel.NORMAL_LIKELIHOOD_LOSS:
            raise ValueError(
                "AnomalyMixtureARModel only supports ar_model.ARModel.NORMAL_LIKELIHOOD_LOSS for its loss argument."
            )
        else:
            model = AnomalyMixtureARModel(
                **common,
                anomaly_prior_probability=anomaly_prior_probability,
                anomaly_distribution=anomaly_distribution or AnomalyMixtureARModel.GAUSSIAN_ANOMALY,
            )
        super().__init__(model, FilteringOnlyStateManager(), optimizer or AdagradOptimizer(0.1), model_dir, config)


class LSTMAutoRegressor(TimeSeriesRegressor):
    """An estimator of an autoregressive model of two LSTMs."""

    def __init__(
        self,
        periodicities: Any,
        input_window_size: int,
        output_window_size: int,
        model_dir: str | None = None,
        num_features: int = 1,
        extra_feature_columns: Sequence[Any] | None = None,
        num_timesteps: int = 10,
        loss: str = ARModel.NORMAL_LIKELIHOOD_LOSS,
        num_units: int = 128,
        optimizer: Any = "Adam",
        config: Any = None,
    ) -> None:
        model = ARModel(
            periodicities,
            input_window_size,
            output_window_size,
            num_features,
            functools.partial(LSTMPredictionModel, num_units=num_units),
            num_timesteps,
            loss,
            extra_feature_columns,
        )
        optimizer = get_optimizer_instance(optimizer, learning_rate=0.01)
        super().__init__(
            model, FilteringOnlyStateManager(), optimizer, model_dir, config, head_type=OneShotPredictionHead
        )
