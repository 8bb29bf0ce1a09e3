"""`tf.estimator.experimental.LinearSDCA`: linear estimators that learn by stochastic dual coordinate ascent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.lib.estimators.heads import BinaryLogistic, Regression
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.estimators.sdca import SdcaModel, SparseFeatureColumn
from thalweg._src.lib.feature_columns.base import CategoricalColumn, DenseColumn, FeatureTransformationCache
from thalweg._src.lib.feature_columns.layers import LinearModel
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook
from thalweg._src.ops.arrays.selecting import boolean_mask
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric import segments


class Batch:
    """The examples and variables of an `SdcaModel`, gathered column by column."""

    def __init__(self) -> None:
        self.examples: dict[str, Any] = {"sparse_features": [], "dense_features": []}
        self.variables: dict[str, list[Any]] = {"sparse_features_weights": [], "dense_features_weights": []}

    def add_sparse(self, pair: Any, buckets: int, weights: Any) -> None:
        """A categorical column: an IdWeightPair of classes in [0, buckets). Words without a class (-1) count nothing."""
        ids, strengths = pair
        examples, classes = ids.indices[:, 0], math.cast(array.reshape(ids.values, [-1]), dtypes.int64)
        values = array.ones_like(classes, dtypes.float32) if strengths is None else strengths.values
        known = math.greater_equal(classes, 0)
        both = boolean_mask(examples * buckets + classes, known)
        once, place = array.unique(both)  # what an example names twice is one feature of twice the strength
        values = segments.unsorted_segment_sum(
            boolean_mask(math.cast(array.reshape(values, [-1]), dtypes.float32), known), place, array.size(once)
        )
        self.examples["sparse_features"].append(SparseFeatureColumn(once // buckets, once % buckets, values))
        self.variables["sparse_features_weights"].append(weights)

    def add_dense(self, tensor: Any, weights: Any) -> None:
        """A dense column, [n, width] or [n]."""
        self.examples["dense_features"].append(array.reshape(tensor, [array.shape(tensor)[0], -1]))
        self.variables["dense_features_weights"].append(weights)

    def complete(self, features: Any, labels: Any, weight_column: Any, example_id_column: str) -> None:
        """What is not a column: labels, weights and names."""
        labels = math.cast(array.reshape(labels, [-1]), dtypes.float32)
        key = getattr(weight_column, "key", weight_column)
        weights = array.reshape(features[key], [-1]) if key else array.ones_like(labels)
        self.examples.update(
            example_labels=labels,
            example_weights=math.cast(weights, dtypes.float32),
            example_ids=features[example_id_column],
        )


class UpdateWeights(SessionRunHook):
    """After each step gives the model's variables what the optimizer learned."""

    def __init__(self, model: Any = None, train_op: Any = None):
        self._model, self._train_op = model, train_op

    def set_parameters(self, sdca_model: Any, train_op: Any) -> None:
        """The model and its step, where they are made after the hook."""
        self._model, self._train_op = sdca_model, train_op

    def begin(self) -> None:
        self._update = self._model.update_weights(self._train_op)

    def before_run(self, run_context: Any) -> Any:
        return SessionRunArgs(self._update)


class _Model(SdcaModel):
    least_l2 = 0.0
    slot_name = "_unshrunk"


class LinearSDCA:
    """An optimizer of LinearClassifier and LinearRegressor that takes each example's best step.

    Features must have a column `example_id_column` of strings that name the examples. `num_loss_partitions` is the number of workers.
    Raises ValueError for an L2 that is not positive and a negative L1, when it is used.
    """

    def __init__(
        self,
        example_id_column: str,
        num_loss_partitions: int = 1,
        num_table_shards: int | None = None,
        symmetric_l1_regularization: float = 0.0,
        symmetric_l2_regularization: float = 1.0,
        adaptive: bool = False,
    ):
        self._example_id_column = example_id_column
        self._options = {
            "symmetric_l1_regularization": symmetric_l1_regularization,
            "symmetric_l2_regularization": symmetric_l2_regularization,
            "adaptive": adaptive,
            "num_loss_partitions": num_loss_partitions,
            "num_table_shards": num_table_shards,
        }

    def get_train_step(
        self,
        state_manager: Any,
        weight_column_name: Any,
        loss_type: str,
        feature_columns: Iterable[Any],
        features: dict[str, Any],
        targets: Any,
        bias_var: Any,
        global_step: Any,
    ) -> tuple[SdcaModel, Any]:
        """The model and the operation of a step. Raises ValueError for columns of other kinds, and for regularizations."""
        if self._options["symmetric_l2_regularization"] <= 0.0:
            raise ValueError("symmetric_l2_regularization should be positive.")
        batch, cache = Batch(), FeatureTransformationCache(features)
        for column in sorted(feature_columns, key=lambda c: c.name):
            if isinstance(column, CategoricalColumn):
                pair = column.get_sparse_tensors(cache, state_manager)
                batch.add_sparse(pair, column.num_buckets, state_manager.get_variable(column, "weights"))
            elif isinstance(column, DenseColumn):
                if column.variable_shape.ndims != 1:
                    rank = column.variable_shape.ndims
                    raise ValueError(f"Column {type(column).__name__} has rank {rank}, larger than 1.")
                tensor = column.get_dense_tensor(cache, state_manager)
                batch.add_dense(tensor, state_manager.get_variable(column, "weights"))
            else:
                raise ValueError(f"LinearSDCA does not support column type {type(column).__name__}.")
        batch.complete(features, targets, weight_column_name, self._example_id_column)
        batch.add_dense(array.ones_like(batch.examples["example_labels"]), bias_var)
        model = _Model(batch.examples, batch.variables, {**self._options, "loss_type": loss_type})
        return model, model.minimize(global_step=global_step)


def check_sdca(optimizer: Any, sparse_combiner: str, outputs: int, message: str) -> None:
    """Raise ValueError where a LinearSDCA can't train the estimator: for more than one logit, and for means."""
    if not isinstance(optimizer, LinearSDCA):
        return
    if sparse_combiner != "sum":
        raise ValueError('sparse_combiner must be "sum" when optimizer is a LinearSDCA object.')
    if outputs > 1:
        raise ValueError(message)


def sdca_model(
    features: Any, labels: Any, mode: str, head: Any, feature_columns: Any, optimizer: LinearSDCA, tell: Any
) -> Any:
    """The EstimatorSpec of a linear model that learns by dual ascent; `tell(model)` makes its summaries.

    Raises ValueError for heads of several logits.
    """
    if isinstance(head, BinaryLogistic):
        loss_type = "logistic_loss"
    elif isinstance(head, Regression) and head.logits_dimension == 1:
        loss_type = "squared_loss"
    else:
        raise ValueError(f"Unsupported head type: {head}")
    model = LinearModel(feature_columns, units=1, sparse_combiner="sum", name="linear_model")
    logits = model(features)
    tell(model)
    if mode != ModeKeys.TRAIN:
        return head.create_estimator_spec(features, mode, logits, labels=labels)
    trained, train_op = optimizer.get_train_step(
        *(model._state, head._weight_column, loss_type, feature_columns, features, labels, model.bias),
        get_global_step(),
    )
    spec = head.create_estimator_spec(features, mode, logits, labels=labels, train_op_fn=lambda loss: train_op)
    return spec._replace(training_chief_hooks=(*spec.training_chief_hooks, UpdateWeights(trained, train_op)))
