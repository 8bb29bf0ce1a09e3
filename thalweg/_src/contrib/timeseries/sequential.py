"""Models that go through a window step by step, as recurrent networks do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.contrib.timeseries.keys import STATE_TUPLE, TIMES, VALUES
from thalweg._src.contrib.timeseries.model import ModelOutputs, TimeSeriesModel
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.lib import nesting as nest
from thalweg._src.ops import array, math
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.stateful.variable_scope import variable_scope

Outputs = dict[str, Tensor]


class SequentialTimeSeriesModel(TimeSeriesModel):
    """Subclasses say how one step predicts, filters, goes over gaps and takes exogenous values.

    Windows of a known size up to `static_unrolling_window_size_threshold` are unrolled.
    """

    def __init__(
        self,
        train_output_names: Sequence[str],
        predict_output_names: Sequence[str],
        num_features: int,
        normalize_features: bool = False,
        dtype: Any = dtypes.float32,
        exogenous_feature_columns: Sequence[Any] | None = None,
        exogenous_update_condition: Callable[..., Any] | None = None,
        static_unrolling_window_size_threshold: int | None = None,
    ) -> None:
        super().__init__(num_features, exogenous_feature_columns, dtype)
        self._exogenous_update_condition = exogenous_update_condition
        self._train_output_names, self._predict_output_names = train_output_names, predict_output_names
        self._normalize_features = normalize_features
        self._unrolled = static_unrolling_window_size_threshold

    def _scale_back_predictions(self, predictions: Outputs) -> Outputs:
        raise NotImplementedError(
            "SequentialTimeSeriesModel normalized input data (normalize_features=True), but no method was provided to "
            "transform the predictions back to the input scale."
        )

    def _filtering_step(self, current_times: Tensor, current_values: Tensor, state: Any, predictions: Outputs) -> Any:
        """(the state that knows the values, the predictions and their "loss")."""
        raise NotImplementedError

    def _prediction_step(self, current_times: Tensor, state: Any) -> Any:
        """(the state one step on, predictions)."""
        raise NotImplementedError

    def _imputation_step(self, current_times: Tensor, state: Any) -> Any:
        """The state brought to just before `current_times`."""
        raise NotImplementedError

    def _exogenous_input_step(self, current_times: Tensor, current_exogenous_regressors: Tensor, state: Any) -> Any:
        """The state that knows the exogenous values."""
        raise NotImplementedError

    def _loss_additions(self, times: Tensor, values: Tensor, mode: str) -> Any:
        """What is added to the loss, as a regularization."""
        return 0.0

    def _window_initializer(self, times: Tensor, state: Any) -> None:
        """Called before the steps of a window."""

    def get_batch_loss(self, features: dict[str, Any], mode: str, state: Any) -> ModelOutputs:
        loss, states, outputs = self.per_step_batch_loss(features, mode, state)
        last = nest.pack_sequence_as(states, [part[:, -1] for part in nest.flatten(states)])
        outputs["observed"] = features[VALUES]
        return ModelOutputs(loss, last, outputs, features[TIMES])

    def _with_exogenous(self, times: Tensor, step: Tensor, state: Any, raw: dict[str, Any], embedded: Any) -> Any:
        """`state` after the exogenous values of a step, where the condition lets them in."""
        if embedded is None:
            return state
        updated = self._exogenous_input_step(
            current_times=times, current_exogenous_regressors=embedded[:, step, :], state=state
        )
        if self._exogenous_update_condition is None:
            return updated
        plain = {key: value[:, step] for key, value in raw.items() if key not in (STATE_TUPLE, TIMES, VALUES)}
        taken = self._exogenous_update_condition(times=times, features=plain)
        pairs = zip(nest.flatten(updated), nest.flatten(state), strict=True)
        return nest.pack_sequence_as(state, [array.where(taken, new, old) for new, old in pairs])

    def per_step_batch_loss(self, features: dict[str, Any], mode: str, state: Any) -> Any:
        """(the loss of a record, the state after each step, outputs): [batch, window, ...]."""
        self._check_graph_initialized()
        times = math.cast(features[TIMES], dtypes.int64)
        values = math.cast(features[VALUES], self.dtype)
        if self._normalize_features:
            values = self._scale_data(values)
        exogenous = {key: value for key, value in features.items() if key not in (TIMES, VALUES)}
        embedded = self._process_exogenous_features(times, exogenous)

        def filtered(step: Tensor, now: Tensor, state: Any) -> Any:
            state = self._with_exogenous(now, step, state, features, embedded)
            state, predictions = self._prediction_step(current_times=now, state=state)
            return self._filtering_step(
                current_times=now, current_values=values[:, step, :], state=state, predictions=predictions
            )

        states, outputs = self._through(times, state, filtered, ["loss", *self._train_output_names])
        losses = outputs.pop("loss")
        losses.set_shape(times.get_shape())
        count = math.cast(math.reduce_prod(array.shape(times)), self.dtype)
        loss = math.reduce_sum(losses) / count + self._loss_additions(times, values, mode)
        if self._normalize_features:
            outputs = self._scale_back_predictions(outputs)
        return loss, states, outputs

    def predict(self, features: dict[str, Any]) -> Outputs:
        times = to_tensor(features[TIMES], dtypes.int64)
        exogenous = {key: value for key, value in features.items() if key not in (TIMES, STATE_TUPLE)}
        embedded = self._process_exogenous_features(times, exogenous)

        def predicted(step: Tensor, now: Tensor, state: Any) -> Any:
            state = self._with_exogenous(now, step, state, features, embedded)
            return self._prediction_step(current_times=now, state=state)

        _, predictions = self._through(times, features[STATE_TUPLE], predicted, self._predict_output_names)
        return self._scale_back_predictions(predictions) if self._normalize_features else predictions

    def _through(self, times: Any, state: Any, step_fn: Callable[..., Any], names: Sequence[str]) -> Any:
        """(all states, outputs by name) of `step_fn(step, times of it, state)` over a window, stacked on axis 1."""
        times = to_tensor(times, dtypes.int64)
        size = times.shape.as_list()[1]
        self._window_initializer(times, state)

        def one(step: Tensor, state: Any, reuse: bool = False) -> Any:
            with variable_scope("state_update_step", reuse=reuse):
                now = times[:, step]
                state = self._imputation_step(current_times=now, state=state)
                new, outputs = step_fn(step, now, state)
                assert set(outputs) == set(names)
                for part, before in zip(nest.flatten(new), nest.flatten(state), strict=True):
                    part.set_shape(before.get_shape())
                return nest.pack_sequence_as(state, nest.flatten(new)), [outputs[name] for name in names]

        if size is not None and self._unrolled is not None and size <= self._unrolled:
            rows = []
            for step in range(size):
                state, outputs = one(array.constant(step, dtypes.int32), state, reuse=step > 0)
                rows.append([*nest.flatten(state), *outputs])
            stacked = [array.stack(column, axis=1) for column in zip(*rows, strict=True)]
        else:
            stacked = self._looped(one, state, array.shape(times)[1], len(names))
        parts = len(nest.flatten(state))
        return nest.pack_sequence_as(state, stacked[:parts]), dict(zip(names, stacked[parts:], strict=True))

    def _looped(self, one: Callable[..., Any], state: Any, size: Tensor, outputs: int) -> list[Tensor]:
        """The parts of all states and the outputs, of as many steps as `size` says."""
        kinds = [part.dtype for part in nest.flatten(state)] + [self.dtype] * outputs

        def body(step: Tensor, state: Any, arrays: list[TensorArray]) -> Any:
            state, found = one(step, state)
            rows = zip(arrays, [*nest.flatten(state), *found], strict=True)
            return step + 1, state, [rows_so_far.write(step, value) for rows_so_far, value in rows]

        arrays = [TensorArray(dtype=kind, size=size) for kind in kinds]
        start = (array.zeros([], dtypes.int32), state, arrays)
        arrays = while_loop(lambda step, *_: math.less(step, size), body, start)[2]

        def turned(rows: Tensor) -> Tensor:
            return array.transpose(rows, array.concat([[1, 0], math.range(2, array.rank(rows))], 0))

        return [turned(rows.stack()) for rows in arrays]
