"""Heads: what an estimator does with a model of time series in each mode, and in an exported model."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from thalweg._src.contrib.timeseries.keys import STATE_PREFIX, STATE_TUPLE, TIMES, VALUES, SavedModelLabels
from thalweg._src.contrib.timeseries.model import ModelOutputs
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import convert_to_tensor_or_sparse_tensor
from thalweg._src.lib import nesting as nest
from thalweg._src.lib.estimators.export_outputs import PredictOutput
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.estimators.spec import EstimatorSpec
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.metrics.means import mean
from thalweg._src.lib.summary import summary
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.stateful.assigning import assign
from thalweg._src.ops.stateful.variable_scope import variable_scope
from thalweg._src.ops.stateful.variables import Variable

Features = dict[str, Any]


class _WithoutState(PredictOutput):
    """A PredictOutput whose signature does not ask for the state."""

    def as_signature_def(self, receiver_tensors: Any) -> Any:
        asked = {key: value for key, value in receiver_tensors.items() if not key.startswith(STATE_PREFIX)}
        return super().as_signature_def(asked)


def state_to_dictionary(state: Any) -> dict[str, Any]:
    """The parts of a state, numbered."""
    return {f"{STATE_PREFIX}_{i:02d}": part for i, part in enumerate(nest.flatten(state))}


class TimeSeriesRegressionHead:
    """Trains, evaluates, predicts and serves `model`; `state_manager` says what state a batch begins from."""

    def __init__(
        self,
        model: Any,
        state_manager: Any,
        optimizer: Any,
        input_statistics_generator: Any = None,
        name: str | None = None,
    ) -> None:
        self.model, self.state_manager, self.optimizer = model, state_manager, optimizer
        self.input_statistics_generator = input_statistics_generator
        self._name = name

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def logits_dimension(self) -> int:
        return 1

    def create_loss(self, features: Features, mode: str, logits: Any = None, labels: Any = None) -> ModelOutputs:
        """What the model makes of a batch; its loss is summarized."""
        found = self.state_manager.define_loss(self.model, features, mode)
        summary.scalar(f"loss/{self._name}" if self._name else "loss", found.loss)
        return found

    def create_estimator_spec(self, features: Features, mode: str, labels: Any = None) -> EstimatorSpec:
        """The EstimatorSpec for `mode`. ValueError for labels, missing features, other shapes and unknown modes."""
        with name_scope(self._name, "head"):
            if labels is not None and labels != {}:
                raise ValueError(
                    f"The model received a `labels`, which is not supported. Pass '{TIMES}' and '{VALUES}' as features."
                )
            features = {name: self._tensor(name, value) for name, value in features.items()}
            statistics = None
            if self.input_statistics_generator is not None:
                training = mode == ModeKeys.TRAIN
                statistics = self.input_statistics_generator.initialize_graph(features, update_statistics=training)
            self.model.initialize_graph(input_statistics=statistics)
            features, serving = self._joined_state(features)
            if mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
                self._check(features, [TIMES, VALUES], "training/evaluation", ignored={STATE_TUPLE})
            elif mode == ModeKeys.PREDICT:
                self._check_predict_features(features)
            else:
                raise ValueError(f"Unknown mode '{mode}' passed to model_fn.")
            self.state_manager.initialize_graph(model=self.model, input_statistics=statistics)
            if mode == ModeKeys.TRAIN:
                return self._train_ops(features)
            if mode == ModeKeys.EVAL:
                return self._evaluate_ops(features)
            return self._serving_ops(features) if serving else self._predict_ops(features)

    def _tensor(self, name: str, value: Any) -> Any:
        if name == TIMES:
            return math.cast(value, dtypes.int64)
        if name == VALUES:
            return math.cast(value, self.model.dtype)
        return value if name == STATE_TUPLE else convert_to_tensor_or_sparse_tensor(value)

    def _joined_state(self, features: Features) -> tuple[Features, bool]:
        """`features` with a state that came in numbered parts whole, and whether it did."""
        pattern = re.compile(f"^{STATE_PREFIX}_(\\d+)$")
        numbers = {key: int(found.group(1)) for key in features if (found := pattern.search(key))}
        if not numbers:
            return features, False
        parts = [features[key] for key in sorted(numbers, key=numbers.__getitem__)]
        rest = {key: value for key, value in features.items() if key not in numbers}
        return {**rest, STATE_TUPLE: nest.pack_sequence_as(self.model.get_start_state(), parts)}, True

    def _check_predict_features(self, features: Features) -> None:
        self._check(features, [TIMES, STATE_TUPLE], "prediction", ignored={STATE_TUPLE})

    def _check(self, features: Features, needed: list[str], use: str, ignored: Collection[str]) -> None:
        """ValueError unless all of `needed` are there, and all but `ignored` begin with the shape of the times."""
        for name in needed:
            if name not in features:
                raise ValueError(f"Expected a '{name}' feature for {use}.")
        shape = features[TIMES].get_shape()
        if not shape.is_compatible_with([None, None]):
            raise ValueError(f"Expected shape (batch dimension, window size) for feature '{TIMES}' (got shape {shape})")
        if VALUES in needed and VALUES not in ignored:
            found = features[VALUES].get_shape()
            if not found.is_compatible_with([None, None, self.model.num_features]):
                raise ValueError(
                    f"Expected shape (batch dimension, window size, {self.model.num_features}) for feature '{VALUES}', since "
                    f"the model was configured with num_features={self.model.num_features} (got shape {found})"
                )
        for name, value in features.items():
            found = None if name in ignored else value.get_shape()
            if found is None or found.ndims is None:
                continue
            if found.ndims < 2:
                raise ValueError(
                    f"Features must have shape (batch dimension, window size, ...) (got rank {found.ndims} for feature "
                    f"'{name}')"
                )
            if not found[:2].is_compatible_with(shape):
                raise ValueError(
                    "Features must have shape (batch dimension, window size, ...) where batch dimension and window size "
                    f"match the '{TIMES}' feature (got shape {found} for feature '{name}' but shape {shape} for feature "
                    f"'{TIMES}')"
                )

    def _train_ops(self, features: Features) -> EstimatorSpec:
        with variable_scope("model", use_resource=True):
            found = self.create_loss(features, ModeKeys.TRAIN)
        step = self.optimizer.minimize(found.loss, global_step=get_global_step())
        return EstimatorSpec(loss=found.loss, mode=ModeKeys.TRAIN, train_op=step)

    def _evaluate_ops(self, features: Features) -> EstimatorSpec:
        with variable_scope("model", use_resource=True):
            found = self.create_loss(features, ModeKeys.EVAL)
        metrics = {key: _last_value(key, value) for key, value in found.predictions.items()}
        metrics[TIMES] = _last_value(TIMES, found.prediction_times)
        parts = [_last_value(f"{STATE_TUPLE}_{i}", part) for i, part in enumerate(nest.flatten(found.end_state))]
        values = nest.pack_sequence_as(found.end_state, [value for value, _ in parts])
        metrics[STATE_TUPLE] = (values, basic.group(*(update for _, update in parts)))
        metrics["average_loss"] = mean(found.loss, name="average_loss")
        return EstimatorSpec(
            loss=found.loss, mode=ModeKeys.EVAL, eval_metric_ops=metrics, predictions=found.predictions
        )

    def _predict_ops(self, features: Features) -> EstimatorSpec:
        with variable_scope("model", use_resource=True):
            prediction = self.model.predict(features=features)
        prediction[TIMES] = features[TIMES]
        return EstimatorSpec(predictions=prediction, mode=ModeKeys.PREDICT)

    def _serving_ops(self, features: Features) -> EstimatorSpec:
        """Signatures that predict from a state, bring a state up to date, and make one from the start state."""
        with variable_scope("model", use_resource=True):
            prediction = self.model.predict(features=features)
        with variable_scope("model", reuse=True):
            filtered = self.create_loss(features, ModeKeys.EVAL)
        with variable_scope("model", reuse=True):
            stateless = {key: value for key, value in features.items() if key != STATE_TUPLE}
            cold = self.model.define_loss(features=stateless, mode=ModeKeys.EVAL)
        outputs = {
            SavedModelLabels.PREDICT: PredictOutput(prediction),
            SavedModelLabels.FILTER: PredictOutput(state_to_dictionary(filtered.end_state)),
            SavedModelLabels.COLD_START_FILTER: _WithoutState(state_to_dictionary(cold.end_state)),
        }
        return EstimatorSpec(mode=ModeKeys.PREDICT, export_outputs=outputs, predictions={})


class OneShotPredictionHead(TimeSeriesRegressionHead):
    """A head whose exported model predicts from values in one go, and knows no states."""

    def _check_predict_features(self, features: Features) -> None:
        self._check(features, [TIMES, VALUES, STATE_TUPLE], "prediction", ignored={STATE_TUPLE, VALUES})

    def _evaluate_ops(self, features: Features) -> EstimatorSpec:
        spec = super()._evaluate_ops(features)
        del spec.eval_metric_ops[STATE_TUPLE]
        return spec

    def _serving_ops(self, features: Features) -> EstimatorSpec:
        length = array.shape(features[VALUES])[1]
        others = {key: value for key, value in features.items() if key not in (STATE_TUPLE, VALUES)}
        seen: Features = {key: value[:, :length] for key, value in others.items()}
        coming: Features = {key: value[:, length:] for key, value in others.items()}
        with variable_scope("model", use_resource=True):
            found = self.model.define_loss(features={**seen, VALUES: features[VALUES]}, mode=ModeKeys.EVAL)
        with variable_scope("model", reuse=True):
            prediction = self.model.predict(features={**coming, STATE_TUPLE: found.end_state})
        outputs = {SavedModelLabels.PREDICT: _WithoutState(prediction)}
        return EstimatorSpec(mode=ModeKeys.PREDICT, export_outputs=outputs, predictions={})


def _last_value(name: str, value: Tensor) -> tuple[Tensor, Any]:
    """A metric that is its last value, of whatever shape."""
    kept = Variable(
        array.zeros([], dtype=value.dtype),
        name=f"{name}_identity_metric",
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES],
        validate_shape=False,
    )
    update = assign(kept, value, validate_shape=False)
    return kept.value(), update
