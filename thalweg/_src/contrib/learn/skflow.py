"""The estimators of 0.x, of SKFlow: a model function (x, y) that gives predictions and a loss."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

import numpy as np

from thalweg._src.contrib.layers.optimizers import OPTIMIZER_CLS_NAMES, optimize_loss
from thalweg._src.contrib.learn import models
from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.feeding import setup_train_data_feeder
from thalweg._src.contrib.learn.modes import ModeKeys, ModelFnOps
from thalweg._src.contrib.learn.monitor_hooks import replace_monitors_with_hooks
from thalweg._src.contrib.learn.parameters import NotFittedError
from thalweg._src.contrib.learn.signatures import placeholders_from
from thalweg._src.core import scopes
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.hooks.basic import FeedFnHook, StopAtStepHook
from thalweg._src.ops.arrays.constants import constant


class TensorFlowEstimator(Estimator):
    """`model_fn(x, y)` gives (predictions, loss); `fit(x, y)` trains it for `steps` batches.

    With `n_classes` above 1 the labels that the model sees are rows with a one, and `predict` gives class numbers. Raises
    ValueError for unknown optimizers.
    """

    def __init__(
        self,
        model_fn: Any,
        n_classes: int,
        batch_size: int = 32,
        steps: int = 200,
        optimizer: Any = "Adagrad",
        learning_rate: Any = 0.1,
        clip_gradients: float | None = 5.0,
        class_weight: Any = None,
        continue_training: bool = False,
        config: Any = None,
        verbose: int = 1,
    ):
        if isinstance(optimizer, str) and optimizer not in OPTIMIZER_CLS_NAMES:
            raise ValueError(
                f"Optimizer name should be one of [{', '.join(OPTIMIZER_CLS_NAMES)}], you provided {optimizer}."
            )
        self.class_weight, self.learning_rate, self.clip_gradients = class_weight, learning_rate, clip_gradients
        self.optimizer, self.n_classes, self.batch_size = optimizer, n_classes, batch_size
        self.steps, self.continue_training, self.verbose = steps, continue_training, verbose
        super().__init__(model_fn=self._model_of(model_fn), config=config)

    def _model_of(self, model_fn: Any) -> Any:
        def model(features: Any, labels: Any, mode: str) -> ModelFnOps:
            scopes.add_to_collection("IS_TRAINING", mode == ModeKeys.TRAIN)
            if self.class_weight is not None:
                constant(self.class_weight, name="class_weight")
            predictions, loss = model_fn(features, labels)
            train_op = None
            if mode == ModeKeys.TRAIN:
                rate, step = self.learning_rate, get_global_step()
                rate = rate(step) if callable(rate) else rate
                optimizer = self.optimizer
                if callable(optimizer) and not isinstance(optimizer, type):
                    optimizer = optimizer(rate)
                train_op = optimize_loss(
                    loss, step, learning_rate=rate, optimizer=optimizer, clip_gradients=self.clip_gradients
                )
            return ModelFnOps(mode, predictions=predictions, loss=loss, train_op=train_op)

        return model

    def _check_inputs(self, features: Any, labels: Any) -> None:
        self._features_info = self._labels_info = None  # each fit may bring other data
        super()._check_inputs(features, labels)

    def fit(  # type: ignore[override]
        self, x: Any, y: Any, steps: int | None = None, monitors: Any = None, logdir: Any = None, batch_size: Any = None
    ) -> TensorFlowEstimator:
        """Train on arrays, or on iterators of rows."""
        if logdir is not None:
            self._model_dir = os.fspath(logdir)
        feeder = setup_train_data_feeder(x, y, self.n_classes, batch_size or self.batch_size)
        hooks = [FeedFnHook(feeder.get_feed_dict_fn()), *replace_monitors_with_hooks(monitors, self)]
        hooks.append(StopAtStepHook(num_steps=steps or self.steps))
        self._train_model(feeder.input_builder, hooks)
        return self

    def partial_fit(self, x: Any, y: Any, **how: Any) -> TensorFlowEstimator:  # type: ignore[override]
        """Train further."""
        return self.fit(x, y, **how)

    def evaluate(  # type: ignore[override]
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        feed_fn: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        metrics: Any = None,
        name: str | None = None,
        **how: Any,
    ) -> dict[str, Any]:
        """{metric: value}, "loss" among them."""
        if x is not None:
            size = batch_size or self.batch_size
            feeder = setup_train_data_feeder(x, y, self.n_classes, size, shuffle=False, epochs=1)
            input_fn, feed_fn = feeder.input_builder, feeder.get_feed_dict_fn()
        results, step = self._evaluate_model(input_fn, steps, feed_fn, metrics, name)
        results["global_step"] = step
        return results

    def _get_predict_ops(self, features: Any) -> Any:
        return self._call_model_fn(features, placeholders_from(self._labels_info), ModeKeys.INFER)

    def _predict(self, x: Any, axis: int = -1, batch_size: int | None = None) -> np.ndarray:
        if self._graph is None:
            raise NotFittedError("This estimator is not fitted yet: call `fit` first.")
        feeder = setup_train_data_feeder(x, None, None, batch_size or self.batch_size, shuffle=False, epochs=1)
        rows = list(self._infer_model(feeder.input_builder, feeder.get_feed_dict_fn()))
        found = np.array(rows)
        return found.argmax(axis=axis) if self.n_classes > 1 and axis != -1 else found

    def predict(self, x: Any, axis: int = 1, batch_size: int | None = None) -> np.ndarray:  # type: ignore[override]
        """The class (the largest along `axis`) or number of each row. Raises NotFittedError before `fit`."""
        return self._predict(x, axis, batch_size)

    def predict_proba(self, x: Any, batch_size: int | None = None) -> np.ndarray:
        """The probabilities of the classes of each row."""
        return self._predict(x, -1, batch_size)

    def score(self, x: Any, y: Any) -> float:
        """The part of right classes; for numbers the coefficient of determination."""
        found, y = self.predict(x), np.asarray(y)
        if self.n_classes > 1:
            return float(np.mean(found == y))
        return float(1 - np.sum((y - found) ** 2) / np.sum((y - y.mean(axis=0)) ** 2))

    def get_tensor(self, name: str) -> Any:
        """A tensor of the graph that was trained last."""
        if self._graph is None:
            raise NotFittedError("This estimator is not fitted yet: call `fit` first.")
        return self._graph.get_tensor_by_name(name)

    def get_tensor_value(self, name: str) -> Any:
        """The value of a variable."""
        return self.get_variable_value(name.split(":")[0])

    def save(self, path: Any) -> None:
        """Copy checkpoints and the parameters into a folder, which may be the one where they are."""
        if self._graph is None:
            raise NotFittedError("This estimator is not fitted yet: call `fit` first.")
        if os.path.realpath(self.model_dir) != os.path.realpath(path):
            shutil.copytree(self.model_dir, path, dirs_exist_ok=True)
        params = {
            k: v for k, v in self.get_params(deep=False).items() if isinstance(v, str | int | float | list | dict)
        }
        with open(os.path.join(path, "model.def"), "w", encoding="utf-8") as file:
            json.dump({**params, "class_name": type(self).__name__}, file)

    @classmethod
    def restore(cls, path: Any, config: Any = None) -> TensorFlowEstimator:
        """Not possible since 0.9: the model function isn't saved. Raises ValueError, and says what to do instead."""
        if not os.path.exists(os.path.join(path, "model.def")):
            raise ValueError("Restore folder doesn't contain model definition.")
        raise ValueError(
            "A saved estimator holds no model function. Make the estimator anew with the same model_fn and with "
            f"config=RunConfig(model_dir={os.fspath(path)!r}): it goes on from the checkpoint there."
        )


def _identity(x: Any) -> Any:
    return x


class _Recurrent(TensorFlowEstimator):
    _top: Any = None
    _scope = ""

    def __init__(
        self,
        rnn_size: int,
        n_classes: int = 0,
        cell_type: str = "gru",
        num_layers: int = 1,
        input_op_fn: Any = _identity,
        initial_state: Any = None,
        bidirectional: bool = False,
        sequence_length: Any = None,
        attn_length: int | None = None,
        attn_size: int | None = None,
        attn_vec_size: int | None = None,
        batch_size: int = 32,
        steps: int = 50,
        optimizer: Any = "Adagrad",
        learning_rate: Any = 0.1,
        class_weight: Any = None,
        clip_gradients: float | None = 5.0,
        continue_training: bool = False,
        config: Any = None,
        verbose: int = 1,
    ):
        self.rnn_size, self.cell_type, self.num_layers, self.input_op_fn = rnn_size, cell_type, num_layers, input_op_fn
        self.bidirectional, self.sequence_length, self.initial_state = bidirectional, sequence_length, initial_state
        self.attn_length, self.attn_size, self.attn_vec_size = attn_length, attn_size, attn_vec_size
        model = models.get_rnn_model(
            *(rnn_size, cell_type, num_layers, input_op_fn, bidirectional, type(self)._top, sequence_length),
            *(initial_state, attn_length, attn_size, attn_vec_size),
        )
        super().__init__(
            *(model, n_classes, batch_size, steps, optimizer, learning_rate, clip_gradients, class_weight),
            *(continue_training, config, verbose),
        )

    @property
    def bias_(self) -> Any:
        return self.get_variable_value(f"{self._scope}/bias")

    @property
    def weights_(self) -> Any:
        return self.get_variable_value(f"{self._scope}/weights")


class TensorFlowRNNClassifier(_Recurrent):
    """Classes of sequences, by recurrent layers."""

    _top = staticmethod(models.logistic_regression)
    _scope = "logistic_regression"


class TensorFlowRNNRegressor(_Recurrent):
    """Numbers of sequences, by recurrent layers."""

    _top = staticmethod(models.linear_regression)
    _scope = "linear_regression"


class TensorFlowDNNClassifier(TensorFlowEstimator):
    """Classes by dense layers of `hidden_units`."""

    def __init__(self, hidden_units: Any, n_classes: int, dropout: Any = None, **how: Any):
        self.hidden_units, self.dropout = hidden_units, dropout
        super().__init__(models.get_dnn_model(hidden_units, models.logistic_regression, dropout), n_classes, **how)


class TensorFlowDNNRegressor(TensorFlowEstimator):
    """Numbers by dense layers of `hidden_units`."""

    def __init__(self, hidden_units: Any, n_classes: int = 0, dropout: Any = None, **how: Any):
        self.hidden_units, self.dropout = hidden_units, dropout
        super().__init__(models.get_dnn_model(hidden_units, models.linear_regression, dropout), n_classes, **how)


class TensorFlowLinearClassifier(TensorFlowEstimator):
    """Classes by one linear layer."""

    def __init__(self, n_classes: int, **how: Any):
        super().__init__(models.logistic_regression, n_classes, **how)


class TensorFlowLinearRegressor(TensorFlowEstimator):
    """Numbers by one linear layer."""

    def __init__(self, n_classes: int = 0, **how: Any):
        super().__init__(models.linear_regression, n_classes, **how)


TensorFlowClassifier = TensorFlowLinearClassifier
TensorFlowRegressor = TensorFlowLinearRegressor
