"""tf.contrib.kernel_methods: random features that stand for a kernel, linear classifiers on top of them, and their hinge loss."""

from __future__ import annotations

import abc
import math as python_math
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.contrib.layers.numeric_columns import RealValuedColumn, real_valued_column
from thalweg._src.contrib.learn.canned_models import linear_model_fn
from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.head import multi_class_head
from thalweg._src.contrib.learn.modes import PredictionKey
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.losses import Reduction, compute_weighted_loss
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports.checks import assert_less


class InvalidShapeError(Exception):
    """A tensor that a mapper can't map."""


class DenseKernelMapper(abc.ABC):
    """Maps rows to rows whose products approximate a kernel of the first."""

    @abc.abstractmethod
    def map(self, input_tensor: Any) -> Any:
        """[batch, input_dim] -> [batch, output_dim]."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The name of the mapper."""

    @property
    @abc.abstractmethod
    def input_dim(self) -> int:
        """How wide the rows are that it takes."""

    @property
    @abc.abstractmethod
    def output_dim(self) -> int:
        """How wide the rows are that it gives."""


class RandomFourierFeatureMapper(DenseKernelMapper):
    """x -> sqrt(2 / output_dim) cos(x W + b), W normal, b uniform: for the kernel exp(-|x - y|^2 / (2 stddev^2)).

    After Rahimi and Recht, Random Features for Large-Scale Kernel Machines, 2007. The same `seed` gives the same mapping.
    """

    def __init__(
        self, input_dim: int, output_dim: int, stddev: float = 1.0, seed: int | None = 1, name: str | None = None
    ):
        self._input_dim, self._output_dim = input_dim, output_dim
        self._stddev, self._seed, self._name = stddev, seed, name

    @property
    def name(self) -> str:
        return self._name or str(id(self))

    @property
    def input_dim(self) -> int:
        return self._input_dim

    @property
    def output_dim(self) -> int:
        return self._output_dim

    def map(self, input_tensor: Any) -> Any:
        """Raises InvalidShapeError for what are no rows of `input_dim` numbers."""
        shape = input_tensor.shape
        if len(shape) != 2:
            raise InvalidShapeError(f"The shape of the tensor should be 2. Got {len(shape)} instead.")
        if shape[1] != self._input_dim:
            raise InvalidShapeError(
                f"Invalid dimension: expected {self._input_dim} input features, got {shape[1]} instead."
            )
        random = np.random.RandomState(self._seed)
        weights = random.normal(scale=1.0 / self._stddev, size=[self._input_dim, self._output_dim])
        phases = random.uniform(low=0.0, high=2 * np.pi, size=[self._output_dim])
        angles = math.matmul(input_tensor, array.constant(weights, dtypes.float32)) + array.constant(
            phases, dtypes.float32
        )
        return python_math.sqrt(2.0 / self._output_dim) * math.cos(angles)


def sparse_multiclass_hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """max over the other classes of (their logit - the right one's + 1), at least 0: logits [batch, classes], labels [batch].

    After Crammer and Singer, 2001. Raises ValueError for other ranks, labels that are no integers, and weights that do not fit.
    """
    with scopes.name_scope(scope, "sparse_multiclass_hinge_loss", (logits, labels)) as scope:
        if logits.shape.ndims != 2:
            raise ValueError(
                f"logits should have rank 2 ([batch_size, num_classes]). Given rank is {logits.shape.ndims}"
            )
        if labels.dtype not in (dtypes.int32, dtypes.int64):
            raise ValueError(f"Invalid dtype for labels: {labels.dtype}. Acceptable dtypes: int32 and int64")
        if labels.shape.ndims not in (1, 2):
            raise ValueError(
                f"labels should have rank 1 ([batch_size]) or 2 ([batch_size, 1]). Given rank is {labels.shape.ndims}"
            )
        weights = to_tensor(weights)
        if weights.shape.ndims not in (0, 1, 2):
            raise ValueError(
                f"non-scalar weights should have rank 1 ([batch_size]) or 2 ([batch_size, 1]). Given rank is {weights.shape.ndims}"
            )
        if weights.shape.ndims:
            weights = array.reshape(weights, [-1])
            weights.shape.assert_is_compatible_with(array.reshape(labels, [-1]).shape)
        classes = array.shape(logits)[1]
        with get_default_graph().control_dependencies([assert_less(labels, math.cast(classes, labels.dtype))]):
            labels = array.reshape(labels, [-1])
        logits = math.cast(logits, dtypes.float32)
        right = array.one_hot(labels, classes)
        own = math.reduce_sum(logits * right, 1, keepdims=True)
        margins = math.maximum(logits - own + (1.0 - right), 0.0)
        return compute_weighted_loss(math.reduce_max(margins, 1), weights, scope, loss_collection, reduction=reduction)


def _mapped(features: dict[Any, Any], columns: Any, mappers: Any) -> tuple[dict[Any, Any], Any]:
    """The features and columns, with those that the mappers make of real-valued columns."""
    if mappers is None:
        return features, columns
    features, columns = dict(features), set(columns)
    for column, own in mappers.items():
        if not isinstance(column, RealValuedColumn):
            log.warning("Only real-valued columns can be mapped: FeatureColumn %s stays as it is.", column.name)
            continue
        name = f"{column.name}_MAPPED"
        columns.add(real_valued_column(name, sum(m.output_dim for m in own)))
        features[name] = array.concat([m.map(features[column.name]) for m in own], 1)
    return features, columns


def _model_fn(features: Any, labels: Any, mode: str, params: dict[str, Any], config: Any = None) -> Any:
    features, columns = _mapped(features, params["feature_columns"], params["kernel_mappers"])
    return linear_model_fn(features, labels, mode, {**params, "feature_columns": columns}, config)


class KernelLinearClassifier(Estimator):
    """A linear classifier of `feature_columns` and of what `kernel_mappers` ({real-valued column: [mapper, ...]}) make of theirs.

    Raises ValueError without both, for mappers that are none, and for fewer than two classes.
    """

    def __init__(
        self,
        feature_columns: Any = None,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        kernel_mappers: Any = None,
        config: Any = None,
    ):
        if not feature_columns and not kernel_mappers:
            raise ValueError("You should set at least one of feature_columns, kernel_mappers.")
        mappers = [m for own in (kernel_mappers or {}).values() for m in own]
        if not all(isinstance(m, DenseKernelMapper) for m in mappers):
            raise ValueError("Invalid kernel mappers.")
        head = multi_class_head(n_classes, weight_column_name=weight_column_name)
        params = {
            "head": head,
            "feature_columns": feature_columns or [],
            "optimizer": optimizer,
            "kernel_mappers": kernel_mappers,
        }
        super().__init__(model_fn=_model_fn, model_dir=model_dir, config=config, params=params)

    def _one(self, key: str, input_fn: Any) -> Iterator[Any]:
        return (told[key] for told in self.predict(input_fn=input_fn, outputs=[key]))

    def predict_classes(self, input_fn: Any = None) -> Iterator[Any]:
        """The class of each example."""
        return self._one(PredictionKey.CLASSES, input_fn)

    def predict_proba(self, input_fn: Any = None) -> Iterator[Any]:
        """The probabilities of the classes of each example."""
        return self._one(PredictionKey.PROBABILITIES, input_fn)
