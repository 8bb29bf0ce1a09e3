"""The canned estimators of tf.estimator: each binds a head and a model of `canned`."""

from __future__ import annotations

from typing import Any

from thalweg._src.lib.estimators import canned
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.heads import Regression, classifier_head
from thalweg._src.lib.estimators.linear_sdca import check_sdca
from thalweg._src.lib.losses import Reduction
from thalweg._src.ops.nets.activations import relu


class DNNEstimator(Estimator):
    """A deep model under any head."""

    def __init__(
        self,
        head: Any,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Any = relu,
        dropout: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        batch_norm: bool = False,
    ):
        def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
            return canned.deep_model(
                *(features, labels, mode, head, optimizer, config),
                hidden_units=hidden_units,
                feature_columns=tuple(feature_columns or []),
                activation_fn=activation_fn,
                dropout=dropout,
                input_layer_partitioner=input_layer_partitioner,
                batch_norm=batch_norm,
            )

        Estimator.__init__(self, model_fn, model_dir, config, warm_start_from=warm_start_from)


class DNNClassifier(DNNEstimator):
    """Classes by dense layers of `hidden_units`."""

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Any = relu,
        dropout: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
    ):
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(
            *(head, hidden_units, feature_columns, model_dir, optimizer, activation_fn, dropout),
            *(input_layer_partitioner, config, warm_start_from, batch_norm),
        )


class DNNRegressor(DNNEstimator):
    """Numbers by dense layers of `hidden_units`."""

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Any = relu,
        dropout: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
    ):
        head = Regression(label_dimension, weight_column, loss_reduction)
        super().__init__(
            *(head, hidden_units, feature_columns, model_dir, optimizer, activation_fn, dropout),
            *(input_layer_partitioner, config, warm_start_from, batch_norm),
        )


class LinearEstimator(Estimator):
    """A linear model under any head."""

    def __init__(
        self,
        head: Any,
        feature_columns: Any,
        model_dir: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        partitioner: Any = None,
        sparse_combiner: str = "sum",
        warm_start_from: Any = None,
    ):
        columns = tuple(feature_columns or [])

        def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
            return canned.linear_model(
                features, labels, mode, head, columns, optimizer, partitioner, config, sparse_combiner
            )

        Estimator.__init__(self, model_fn, model_dir, config, warm_start_from=warm_start_from)


class LinearClassifier(LinearEstimator):
    """Classes by weights of features.

    >>> columns = [tf.feature_column.numeric_column("x")]
    >>> inputs = tf.estimator.inputs.numpy_input_fn({"x": np.float32([-1, 1])}, np.int32([0, 1]), 2, None, False)
    >>> model = tf.estimator.LinearClassifier(columns).train(inputs, steps=30)
    >>> model.evaluate(inputs, steps=1)["accuracy"]
    1.0
    """

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        partitioner: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        sparse_combiner: str = "sum",
    ):
        check_sdca(optimizer, sparse_combiner, n_classes - 1, "LinearSDCA cannot be used in a multi-class setting.")
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(
            head, feature_columns, model_dir, optimizer, config, partitioner, sparse_combiner, warm_start_from
        )


class LinearRegressor(LinearEstimator):
    """Numbers by weights of features."""

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        partitioner: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        sparse_combiner: str = "sum",
    ):
        check_sdca(
            optimizer, sparse_combiner, label_dimension, "LinearSDCA can only be used with one-dimensional label."
        )
        head = Regression(label_dimension, weight_column, loss_reduction)
        super().__init__(
            head, feature_columns, model_dir, optimizer, config, partitioner, sparse_combiner, warm_start_from
        )


class DNNLinearCombinedEstimator(Estimator):
    """A linear and a deep model, added, under any head. Raises ValueError without columns."""

    def __init__(
        self,
        head: Any,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = relu,
        dnn_dropout: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        linear_sparse_combiner: str = "sum",
        warm_start_from: Any = None,
        batch_norm: bool = False,
    ):
        linear, deep = list(linear_feature_columns or []), list(dnn_feature_columns or [])
        if not linear and not deep:
            raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")

        def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
            return canned.combined_model(
                *(features, labels, mode, head, linear, linear_optimizer, deep, dnn_optimizer, config),
                linear_sparse_combiner=linear_sparse_combiner,
                hidden_units=dnn_hidden_units,
                activation_fn=dnn_activation_fn,
                dropout=dnn_dropout,
                input_layer_partitioner=input_layer_partitioner,
                batch_norm=batch_norm,
            )

        Estimator.__init__(self, model_fn, model_dir, config, warm_start_from=warm_start_from)


class DNNLinearCombinedClassifier(DNNLinearCombinedEstimator):
    """Classes: wide and deep."""

    def __init__(
        self,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = relu,
        dnn_dropout: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ):
        super().__init__(
            classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction),
            *(model_dir, linear_feature_columns, linear_optimizer, dnn_feature_columns, dnn_optimizer),
            *(dnn_hidden_units, dnn_activation_fn, dnn_dropout, input_layer_partitioner, config),
            *(linear_sparse_combiner, warm_start_from, batch_norm),
        )


class DNNLinearCombinedRegressor(DNNLinearCombinedEstimator):
    """Numbers: wide and deep."""

    def __init__(
        self,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = relu,
        dnn_dropout: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ):
        super().__init__(
            Regression(label_dimension, weight_column, loss_reduction),
            *(model_dir, linear_feature_columns, linear_optimizer, dnn_feature_columns, dnn_optimizer),
            *(dnn_hidden_units, dnn_activation_fn, dnn_dropout, input_layer_partitioner, config),
            *(linear_sparse_combiner, warm_start_from, batch_norm),
        )


class BaselineEstimator(Estimator):
    """What is known of the labels without looking at the features, under any head."""

    def __init__(
        self,
        head: Any,
        model_dir: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        _weight_column: Any = None,
    ):
        def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
            return canned.baseline_model(features, labels, mode, head, optimizer, _weight_column)

        Estimator.__init__(self, model_fn, model_dir, config)


class BaselineClassifier(BaselineEstimator):
    """How often each class is there."""

    def __init__(
        self,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        loss_reduction: str = Reduction.SUM,
    ):
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(head, model_dir, optimizer, config, weight_column)


class BaselineRegressor(BaselineEstimator):
    """The mean of the labels."""

    def __init__(
        self,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        loss_reduction: str = Reduction.SUM,
    ):
        head = Regression(label_dimension, weight_column, loss_reduction)
        super().__init__(head, model_dir, optimizer, config, weight_column)
