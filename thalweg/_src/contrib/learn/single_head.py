"""What all heads of tf.contrib.learn share: from logits to losses, weights, training and metrics."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.layers.dense import linear
from thalweg._src.contrib.learn.modes import MetricKey, ModeKeys, ModelFnOps, ProblemType
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dimension import Dimension
from thalweg._src.core.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor
from thalweg._src.lib.metrics import means
from thalweg._src.lib.optimizers.adagrad import AdagradOptimizer
from thalweg._src.lib.summary import summary
from thalweg._src.lib.weights import broadcast_weights
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations
from thalweg._src.ops.stateful.variable_scope import variable_scope
from thalweg._src.ops.stateful.variables import Variable


def no_op_train_fn(loss: Any) -> Any:
    """A training step that does nothing."""
    return basic.no_op()


class Head:
    """Makes the ModelFnOps of a model from its logits."""

    @property
    def logits_dimension(self) -> int:
        """The size of the last axis of the logits."""
        raise NotImplementedError

    def create_model_fn_ops(
        self,
        features: Any,
        mode: str,
        labels: Any = None,
        train_op_fn: Any = None,
        logits: Any = None,
        logits_input: Any = None,
        scope: Any = None,
    ) -> ModelFnOps:
        """The ModelFnOps for `mode`: of `logits`, or of a linear layer on `logits_input`."""
        raise NotImplementedError


class SingleHead(Head):
    """One kind of label. Raises ValueError for a logits dimension below 1."""

    scope_name = ""
    problem_type = ProblemType.UNSPECIFIED

    def __init__(
        self,
        logits_dimension: int,
        label_name: str | None = None,
        weight_column_name: str | None = None,
        enable_centered_bias: bool = False,
        head_name: str | None = None,
        loss_fn: Any = None,
        thresholds: Any = None,
    ):
        if logits_dimension is None or logits_dimension < 1:
            raise ValueError(f"Invalid logits_dimension {logits_dimension}.")
        self._logits_dimension, self._label_name = logits_dimension, label_name
        self._weight_column_name, self._head_name = weight_column_name, head_name
        self._enable_centered_bias, self._loss_fn = enable_centered_bias, loss_fn
        self._thresholds = thresholds or (0.5,)

    @property
    def logits_dimension(self) -> int:
        return self._logits_dimension

    @property
    def label_name(self) -> str | None:
        return self._label_name

    @property
    def weight_column_name(self) -> str | None:
        return self._weight_column_name

    @property
    def head_name(self) -> str | None:
        return self._head_name

    def _transform_labels(self, labels: Any) -> Any:
        tensor = labels[self._label_name] if isinstance(labels, dict) else labels
        tensor = convert_to_tensor_or_sparse_tensor(tensor)
        if isinstance(tensor, SparseTensor):
            raise ValueError("SparseTensor is not supported.")
        return tensor

    def _losses(self, labels: Any, logits: Any) -> Any:
        """The loss of each example."""
        raise NotImplementedError

    def _loss(self, labels: Any, logits: Any, weights: Any) -> tuple[Any, Any]:
        """(the mean of weighted losses, the weighted mean of losses)."""
        if self._loss_fn:
            loss = self._loss_fn(labels, logits) if weights is None else self._loss_fn(labels, logits, weights)
            return loss, loss
        return weighted_loss(self._losses(labels, logits), weights)

    def _predictions(self, logits: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _metrics(self, predictions: Any, labels: Any, weights: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _alternatives(self, predictions: dict[str, Any]) -> dict[Any, Any]:
        return {self._head_name: (self.problem_type, predictions)}

    def _key(self, key: str) -> str:
        return f"{key}/{self._head_name}" if self._head_name else key

    def create_model_fn_ops(
        self,
        features: Any,
        mode: str,
        labels: Any = None,
        train_op_fn: Any = None,
        logits: Any = None,
        logits_input: Any = None,
        scope: Any = None,
    ) -> ModelFnOps:
        with variable_scope(scope, default_name=self._head_name or self.scope_name):
            infer = mode == ModeKeys.INFER or labels is None
            labels = None if infer else self._transform_labels(labels)
            logits = _made_logits(logits_input, logits, self.logits_dimension)
            check_mode(mode)
            bias = None
            if self._enable_centered_bias:
                bias = self._centered_bias()
                logits = activations.bias_add(logits, bias)
            with scopes.name_scope(None, "predictions", (logits,)):
                predictions = self._predictions(logits)
            loss = train_op = metrics = None
            if not infer:
                weights = weight_tensor(features, self._weight_column_name)
                loss, average = self._loss(labels, logits, weights)
                with scopes.name_scope(""):
                    summary.scalar(self._key(MetricKey.LOSS), basic.identity(average))
                if mode == ModeKeys.TRAIN:
                    if train_op_fn is None:
                        raise ValueError("train_op_fn can not be None in TRAIN mode")
                    train_op = self._train_op(loss, labels, train_op_fn, bias, logits, weights)
                with scopes.name_scope("metrics"):
                    found = {MetricKey.LOSS: means.mean(average), **self._metrics(predictions, labels, weights)}
                metrics = {self._key(key): pair for key, pair in found.items()}
            return ModelFnOps(
                mode=mode,
                predictions=predictions,
                loss=loss,
                train_op=train_op,
                eval_metric_ops=metrics,
                output_alternatives=self._alternatives(predictions),
            )

    def _centered_bias(self) -> Any:
        bias = Variable(array.zeros(shape=(self.logits_dimension,)), name="centered_bias_weight", trainable=True)
        for i in range(self.logits_dimension):
            summary.scalar(self._key(f"centered_bias/bias_{i}"), bias[i])
        return bias

    def _train_op(self, loss: Any, labels: Any, train_op_fn: Any, bias: Any, logits: Any, weights: Any) -> Any:
        step = None
        if bias is not None:
            with scopes.name_scope(None, "centered_bias_step") as name:
                size = array.shape(bias)[0]
                batch = array.shape(logits)[0]
                alone = array.reshape(array.tile(bias, (batch,)), (batch, size))
                alone.set_shape([None, self.logits_dimension])
                own = math.reduce_mean(self._loss(labels, alone, weights)[0], name="training_loss")
            step = AdagradOptimizer(0.1).minimize(own, var_list=(bias,), name=name)
        with scopes.name_scope(None, "train_op", (loss,)):
            made = train_op_fn(loss)
            return made if step is None else basic.group(made, step)


def check_mode(mode: str) -> None:
    """Raise ValueError for other modes."""
    if mode not in (ModeKeys.TRAIN, ModeKeys.INFER, ModeKeys.EVAL):
        raise ValueError(f"mode={mode} unrecognized.")


def _made_logits(logits_input: Any, logits: Any, dimension: int) -> Any:
    if logits is None:
        if logits_input is None:
            raise ValueError("Neither logits nor logits_input supplied.")
        return linear(logits_input, dimension, scope="logits")
    if logits_input is not None:
        raise ValueError("Both logits and logits_input supplied.")
    logits = to_tensor(logits, name="logits")
    if logits.get_shape().ndims is not None:
        Dimension(logits.get_shape().as_list()[-1]).assert_is_compatible_with(dimension)
    return logits


def weight_tensor(features: Any, name: str | None) -> Any:
    """The weights of examples, [batch, 1]; None without a name. Raises ValueError where the feature is missing."""
    if not name:
        return None
    if name not in features:
        raise ValueError(f"Weights {name} missing from features.")
    with scopes.name_scope(None, "weight_tensor"):
        weights = math.cast(features[name], dtypes.float32)
        return array.reshape(weights, (-1, 1)) if weights.get_shape().ndims == 1 else weights


def weighted_loss(losses: Any, weights: Any) -> tuple[Any, Any]:
    """(the mean of losses times weights, their sum over the sum of weights)."""
    with scopes.name_scope("loss") as scope:
        if weights is None:
            loss = math.reduce_mean(losses, name=scope)
            return loss, loss
        weights = broadcast_weights(weights, losses)
        weighted = math.multiply(losses, weights)
        average = math.div(math.reduce_sum(weighted), math.reduce_sum(weights), name="weighted_average_loss")
        return math.reduce_mean(weighted, name=scope), average


def as_column(x: Any) -> Any:
    x = to_tensor(x)
    return array.expand_dims(x, axis=1) if x.get_shape().ndims == 1 else x
