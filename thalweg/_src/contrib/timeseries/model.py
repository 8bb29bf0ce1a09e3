"""What all models of time series have in common: scaled values, exogenous features, a state to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from thalweg._src.contrib.timeseries.keys import TIMES
from thalweg._src.contrib.timeseries.statistics import InputStatistics
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Graph, Tensor
from thalweg._src.lib import nesting as nest
from thalweg._src.lib.feature_columns.layers import input_layer, make_parse_example_spec
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.constants import placeholder
from thalweg._src.ops.io.parsing import parse_example


class ModelOutputs(NamedTuple):
    """What a model makes of a batch: the loss, the state behind it, predictions by name, and their times."""

    loss: Any
    end_state: Any
    predictions: Any
    prediction_times: Any


def replicated(state: Any, batch: Any) -> Any:
    """The state of one series, for each of a batch."""

    def rows(part: Any) -> Tensor:
        counts = array.concat([[batch], array.ones([array.rank(part)], dtype=dtypes.int32)], 0)
        return array.tile(array.expand_dims(part, 0), counts)

    return nest.pack_sequence_as(state, [rows(part) for part in nest.flatten(state)])


class TimeSeriesModel:
    """Subclasses give a state to begin with, the loss of a batch, and predictions.

    `initialize_graph` comes first: it makes what the model needs in the graph.
    """

    def __init__(
        self, num_features: int, exogenous_feature_columns: Sequence[Any] | None = None, dtype: Any = dtypes.float32
    ) -> None:
        self._exogenous_feature_columns = exogenous_feature_columns or []
        self.num_features, self.dtype = num_features, dtype
        self._input_statistics: InputStatistics | None = None
        self._graph_initialized = False
        self._stats_means: Any = None
        self._stats_sigmas: Any = None

    @property
    def exogenous_feature_columns(self) -> Sequence[Any]:
        """Feature columns of what is known beside the values."""
        return self._exogenous_feature_columns

    def generate(
        self, number_of_series: int, series_length: int, model_parameters: Any = None, seed: int | None = None
    ) -> Any:
        """Series drawn from the model, where it can."""
        raise NotImplementedError("This model does not support generation.")

    def initialize_graph(self, input_statistics: InputStatistics | None = None) -> None:
        """Make the model's variables in the default graph; values are scaled by the statistics, if any."""
        self._graph_initialized = True
        self._input_statistics = input_statistics
        if input_statistics:
            self._stats_means, variances = input_statistics.overall_feature_moments
            self._stats_sigmas = math.sqrt(variances)

    def _scale_data(self, data: Any) -> Any:
        return data if self._input_statistics is None else (data - self._stats_means) / self._stats_sigmas

    def _scale_variance(self, variance: Any) -> Any:
        statistics = self._input_statistics
        return variance if statistics is None else variance / statistics.overall_feature_moments.variance

    def _scale_back_data(self, data: Any) -> Any:
        return data if self._input_statistics is None else data * self._stats_sigmas + self._stats_means

    def _scale_back_variance(self, variance: Any) -> Any:
        statistics = self._input_statistics
        return variance if statistics is None else variance * statistics.overall_feature_moments.variance

    def _check_graph_initialized(self) -> None:
        if not self._graph_initialized:
            raise ValueError(
                "TimeSeriesModels require initialize_graph() to be called before use. This defines variables and ops in "
                "the default graph, and allows Tensor-valued input statistics to be specified."
            )

    def define_loss(self, features: dict[str, Any], mode: str) -> ModelOutputs:
        """`get_batch_loss` from the start state. ValueError before `initialize_graph`."""
        self._check_graph_initialized()
        start = replicated(self.get_start_state(), array.shape(features[TIMES])[0])
        return self.get_batch_loss(features=features, mode=mode, state=start)

    def get_start_state(self) -> Any:
        """The state before anything was seen, of one series."""
        raise NotImplementedError

    def get_batch_loss(self, features: dict[str, Any], mode: str, state: Any) -> ModelOutputs:
        """The loss of a batch that goes on from `state`, and the state behind it."""
        raise NotImplementedError

    def predict(self, features: dict[str, Any]) -> dict[str, Tensor]:
        """Predictions for the times in `features`, from the state that is there."""
        raise NotImplementedError

    def _get_exogenous_embedding_shape(self) -> Sequence[int]:
        """The shape of what the columns make of one record."""
        if not self._exogenous_feature_columns:
            return (0,)
        with Graph().as_default():
            spec = make_parse_example_spec(self._exogenous_feature_columns)
            features = parse_example(placeholder(dtypes.string, [None]), spec)
            return input_layer(features, self._exogenous_feature_columns).get_shape().as_list()[1:]

    def _process_exogenous_features(self, times: Tensor, features: dict[str, Any]) -> Tensor | None:
        """What the columns make of each record: [batch, window, ...]; None without columns. ValueError for unknown ranks."""
        if not self._exogenous_feature_columns:
            return None
        rows = {}
        for name, tensor in features.items():
            if tensor.get_shape().ndims is None:
                raise ValueError(
                    f"Features with unknown rank are not supported. Got shape {tensor.get_shape()} for feature {name}."
                )
            shape = array.shape(tensor)
            row = array.reshape(tensor, array.concat([[shape[0] * shape[1]], shape[2:]], axis=0))
            rows[name] = row[:, None] if row.get_shape().ndims == 1 and row.dtype != dtypes.string else row
        embedded = input_layer(rows, self._exogenous_feature_columns, trainable=True)
        shape = array.concat([array.shape(times), array.shape(embedded)[1:]], axis=0)
        found = array.reshape(embedded, shape)
        found.set_shape(times.get_shape().concatenate(embedded.get_shape()[1:]))
        return math.cast(found, self.dtype)
