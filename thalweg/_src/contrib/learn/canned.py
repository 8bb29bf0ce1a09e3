"""The canned estimators of tf.contrib.learn: linear, deep, and both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from thalweg._src.contrib.learn import head as heads
from thalweg._src.contrib.learn.bundles import classification_signature_fn_with_prob, regression_signature_fn
from thalweg._src.contrib.learn.canned_models import combined_model_fn, deep_model_fn, linear_model_fn, partitioner_of
from thalweg._src.contrib.learn.dual_ascent import sdca_model_fn
from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.modes import PredictionKey
from thalweg._src.contrib.linear_optimizer.optimizer import SDCAOptimizer
from thalweg._src.lib.estimators.linear_sdca import UpdateWeights
from thalweg._src.ops.nets import activations


class Predictions:
    """Predictions one by one, as 1.x gives them; an array for whoever makes one of them or asks by place, as 0.11 gave them."""

    def __init__(self, rows: Iterable[Any]):
        self._rows = iter(rows)
        self._all: Any = None

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self._all is None:
            self._all = np.array(list(self._rows))
            self._rows = iter(self._all)
        return self._all if dtype is None else self._all.astype(dtype)

    def __getitem__(self, place: Any) -> Any:
        return np.asarray(self)[place]


class _Canned(Estimator):
    """Predictions of one key, unless `outputs` are asked for."""

    _key: Any = None

    def predict(
        self,
        x: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        outputs: Any = None,
        as_iterable: bool = True,
        iterate_batches: bool = False,
    ) -> Any:
        """Predictions for arrays or what `input_fn` gives."""
        if not outputs and self._key:
            return self._one(self._key, x, input_fn, batch_size, as_iterable)
        return super().predict(x, input_fn, batch_size, outputs, as_iterable, iterate_batches)

    def _one(self, key: str, x: Any, input_fn: Any, batch_size: int | None, as_iterable: bool) -> Any:
        found = Estimator.predict(self, x, input_fn, batch_size, [key], as_iterable)
        return Predictions(p[key] for p in found) if as_iterable else found[key]


class _Classifier(_Canned):
    _key = PredictionKey.CLASSES
    _signature_fn = staticmethod(classification_signature_fn_with_prob)

    def predict_classes(
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, as_iterable: bool = True
    ) -> Any:
        """The class of each example."""
        return self._one(PredictionKey.CLASSES, x, input_fn, batch_size, as_iterable)

    def predict_proba(
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, as_iterable: bool = True
    ) -> Any:
        """The probabilities of the classes of each example."""
        return self._one(PredictionKey.PROBABILITIES, x, input_fn, batch_size, as_iterable)


class _Regressor(_Canned):
    _key = PredictionKey.SCORES
    _signature_fn = staticmethod(regression_signature_fn)

    def predict_scores(
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, as_iterable: bool = True
    ) -> Any:
        """The number of each example."""
        return self._one(PredictionKey.SCORES, x, input_fn, batch_size, as_iterable)


class _Parameters:
    """`weights_`, `bias_` of models trained before they had checkpoints to ask."""

    @property
    def weights_(self: Any) -> Any:
        values = {
            n: self.get_variable_value(n)
            for n in self.get_variable_names()
            if n.split("/")[-1] in ("weight", "weights") and "Ftrl" not in n
        }
        return next(iter(values.values())) if len(values) == 1 else values

    @property
    def bias_(self: Any) -> Any:
        return self.get_variable_value("linear/bias_weight")


def _head_of_classes(n_classes: int, weight: Any, bias: bool, label_keys: Any = None) -> Any:
    return heads.multi_class_head(
        n_classes, weight_column_name=weight, enable_centered_bias=bias, label_keys=label_keys
    )


def _head_of_numbers(dimension: int, weight: Any, bias: bool) -> Any:
    return heads.regression_head(weight_column_name=weight, label_dimension=dimension, enable_centered_bias=bias)


def _input_partitioner(config: Any, min_slice_size: int | None) -> Any:
    """What divides the variables of the input layer; None where the size of slices is not given."""
    return None if min_slice_size is None else partitioner_of(config, min_slice_size)


def _check_ascent(optimizer: Any, joint_weights: bool, centered_bias: bool) -> None:
    if isinstance(optimizer, SDCAOptimizer):
        assert not joint_weights, "_joint_weights is incompatible with the SDCAOptimizer."
        if centered_bias:
            raise ValueError("enable_centered_bias is not supported with SDCA")


class LinearEstimator(_Canned, _Parameters):
    """A linear model under any head."""

    def __init__(
        self,
        feature_columns: Any,
        head: Any,
        model_dir: Any = None,
        weight_column_name: Any = None,
        optimizer: Any = None,
        gradient_clip_norm: Any = None,
        _joint_weights: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
    ):
        assert feature_columns
        if isinstance(optimizer, SDCAOptimizer) and type(self) is LinearEstimator:
            raise ValueError("LinearEstimator does not support SDCA optimizer.")
        by_ascent = isinstance(optimizer, SDCAOptimizer)
        params = {
            "head": head,
            "feature_columns": tuple(feature_columns),
            "optimizer": optimizer,
            "gradient_clip_norm": gradient_clip_norm,
        }
        if by_ascent:
            params |= {"weight_column_name": weight_column_name, "update_weights_hook": UpdateWeights()}
        model_fn = sdca_model_fn if by_ascent else linear_model_fn
        Estimator.__init__(self, model_fn, model_dir, config, params, feature_engineering_fn)


class LinearClassifier(_Classifier, LinearEstimator):
    """Classes by weights of features."""

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column_name: Any = None,
        optimizer: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        _joint_weight: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        label_keys: Any = None,
    ):
        _check_ascent(optimizer, _joint_weight, enable_centered_bias)
        if isinstance(optimizer, SDCAOptimizer):
            assert n_classes == 2, "SDCA only applies to binary classification."
        head = _head_of_classes(n_classes, weight_column_name, enable_centered_bias, label_keys)
        LinearEstimator.__init__(
            *(
                self,
                feature_columns,
                head,
                model_dir,
                weight_column_name,
                optimizer,
                gradient_clip_norm,
                _joint_weight,
                config,
            ),
            feature_engineering_fn,
        )


class LinearRegressor(_Regressor, LinearEstimator):
    """Numbers by weights of features."""

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        weight_column_name: Any = None,
        optimizer: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        label_dimension: int = 1,
        _joint_weights: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
    ):
        _check_ascent(optimizer, _joint_weights, enable_centered_bias)
        head = _head_of_numbers(label_dimension, weight_column_name, enable_centered_bias)
        LinearEstimator.__init__(
            *(
                self,
                feature_columns,
                head,
                model_dir,
                weight_column_name,
                optimizer,
                gradient_clip_norm,
                _joint_weights,
                config,
            ),
            feature_engineering_fn,
        )


class SVM(_Classifier):
    """A linear support vector machine of two classes. Raises ValueError for kernels, which there are none of."""

    def __init__(
        self,
        example_id_column: str,
        feature_columns: Any,
        weight_column_name: Any = None,
        model_dir: Any = None,
        l1_regularization: float = 0.0,
        l2_regularization: float = 0.0,
        num_loss_partitions: int = 1,
        kernels: Any = None,
        config: Any = None,
        feature_engineering_fn: Any = None,
    ):
        if kernels is not None:
            raise ValueError("Kernel SVMs are not currently supported.")
        optimizer = SDCAOptimizer(
            example_id_column=example_id_column,
            num_loss_partitions=num_loss_partitions,
            symmetric_l1_regularization=l1_regularization,
            symmetric_l2_regularization=l2_regularization,
        )
        params = {
            "head": heads.binary_svm_head(weight_column_name=weight_column_name, enable_centered_bias=False),
            "feature_columns": feature_columns,
            "optimizer": optimizer,
            "weight_column_name": weight_column_name,
            "update_weights_hook": UpdateWeights(),
        }
        Estimator.__init__(self, sdca_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNEstimator(_Canned):
    """A deep model under any head."""

    def __init__(
        self,
        head: Any,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        optimizer: Any = None,
        activation_fn: Any = activations.relu,
        dropout: Any = None,
        gradient_clip_norm: Any = None,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
    ):
        params = {
            "head": head,
            "hidden_units": hidden_units,
            "feature_columns": tuple(feature_columns or []),
            "optimizer": optimizer,
            "activation_fn": activation_fn,
            "dropout": dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "embedding_lr_multipliers": embedding_lr_multipliers,
            "input_layer_min_slice_size": input_layer_min_slice_size,
        }
        Estimator.__init__(self, deep_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNClassifier(_Classifier, DNNEstimator):
    """Classes by dense layers of `hidden_units`."""

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column_name: Any = None,
        optimizer: Any = None,
        activation_fn: Any = activations.relu,
        dropout: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
        label_keys: Any = None,
    ):
        head = _head_of_classes(n_classes, weight_column_name, enable_centered_bias, label_keys)
        DNNEstimator.__init__(
            *(self, head, hidden_units, feature_columns, model_dir, optimizer, activation_fn, dropout),
            *(gradient_clip_norm, config, feature_engineering_fn, embedding_lr_multipliers, input_layer_min_slice_size),
        )


class DNNRegressor(_Regressor, DNNEstimator):
    """Numbers by dense layers of `hidden_units`."""

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        weight_column_name: Any = None,
        optimizer: Any = None,
        activation_fn: Any = activations.relu,
        dropout: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        label_dimension: int = 1,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
    ):
        head = _head_of_numbers(label_dimension, weight_column_name, enable_centered_bias)
        DNNEstimator.__init__(
            *(self, head, hidden_units, feature_columns, model_dir, optimizer, activation_fn, dropout),
            *(gradient_clip_norm, config, feature_engineering_fn, embedding_lr_multipliers, input_layer_min_slice_size),
        )


class DNNLinearCombinedEstimator(_Canned):
    """A linear and a deep model, added, under any head."""

    def __init__(
        self,
        head: Any,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = None,
        _joint_linear_weights: bool = False,
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = None,
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = None,
        dnn_dropout: Any = None,
        gradient_clip_norm: Any = None,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        fix_global_step_increment_bug: bool = False,
        input_layer_partitioner: Any = None,
    ):
        linear, deep = tuple(linear_feature_columns or []), tuple(dnn_feature_columns or [])
        if not linear and not deep:
            raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
        params = {
            "head": head,
            "linear_feature_columns": linear,
            "linear_optimizer": linear_optimizer,
            "dnn_feature_columns": deep,
            "dnn_optimizer": dnn_optimizer,
            "hidden_units": dnn_hidden_units,
            "activation_fn": dnn_activation_fn or activations.relu,
            "dropout": dnn_dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "embedding_lr_multipliers": embedding_lr_multipliers,
            "input_layer_partitioner": input_layer_partitioner,
            "fix_global_step_increment_bug": fix_global_step_increment_bug,
        }
        Estimator.__init__(self, combined_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNLinearCombinedClassifier(_Classifier, DNNLinearCombinedEstimator):
    """Classes: wide and deep."""

    def __init__(
        self,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column_name: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = None,
        _joint_linear_weights: bool = False,
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = None,
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = activations.relu,
        dnn_dropout: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
        label_keys: Any = None,
        fix_global_step_increment_bug: bool = False,
    ):
        DNNLinearCombinedEstimator.__init__(
            self,
            _head_of_classes(n_classes, weight_column_name, enable_centered_bias, label_keys),
            *(model_dir, linear_feature_columns, linear_optimizer, _joint_linear_weights, dnn_feature_columns),
            *(dnn_optimizer, dnn_hidden_units, dnn_activation_fn, dnn_dropout, gradient_clip_norm, config),
            *(feature_engineering_fn, embedding_lr_multipliers, fix_global_step_increment_bug),
            _input_partitioner(config, input_layer_min_slice_size),
        )


class DNNLinearCombinedRegressor(_Regressor, DNNLinearCombinedEstimator):
    """Numbers: wide and deep."""

    def __init__(
        self,
        model_dir: Any = None,
        weight_column_name: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = None,
        _joint_linear_weights: bool = False,
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = None,
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = activations.relu,
        dnn_dropout: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        label_dimension: int = 1,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
        fix_global_step_increment_bug: bool = False,
    ):
        DNNLinearCombinedEstimator.__init__(
            self,
            _head_of_numbers(label_dimension, weight_column_name, enable_centered_bias),
            *(model_dir, linear_feature_columns, linear_optimizer, _joint_linear_weights, dnn_feature_columns),
            *(dnn_optimizer, dnn_hidden_units, dnn_activation_fn, dnn_dropout, gradient_clip_norm, config),
            *(feature_engineering_fn, embedding_lr_multipliers, fix_global_step_increment_bug),
            _input_partitioner(config, input_layer_min_slice_size),
        )
