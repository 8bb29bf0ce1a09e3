"""Estimators around a function that builds a graph."""

from __future__ import annotations

import inspect
from collections.abc import Hashable
from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions

from thalweg._src.contrib.sklearn.classification import Classification
from thalweg._src.contrib.sklearn.perceptron import dense
from thalweg._src.contrib.sklearn.training import Regression, Trained


class _Graph(Trained):
    _seeded = True
    _parameter_constraints = Trained._parameter_constraints | {
        "model": [callable, None],
        "dtype": [StrOptions({"float32", "float64"}), None],
    }

    def __init__(self, model=None, *, dtype=None,
                 alpha=0.0001, batch_size="auto", learning_rate_init=0.01, max_iter=200,
                 shuffle=True, random_state=None, tol=1e-4, verbose=False, warm_start=False, early_stopping=False,
                 validation_fraction=0.1, n_iter_no_change=10):  # fmt: skip
        super().__init__(alpha=alpha, batch_size=batch_size, learning_rate_init=learning_rate_init, max_iter=max_iter,
                         shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
                         early_stopping=early_stopping, validation_fraction=validation_fraction,
                         n_iter_no_change=n_iter_no_change)  # fmt: skip
        self.model = model
        self.dtype = dtype

    def _structure(self) -> Hashable:
        return None

    def _model(self, x: Any, n_outputs: int, training: Any) -> dict[str, Any]:
        if self.model is None:
            return {"out": dense(x, n_outputs, 0)}
        told = {"training": training} if "training" in inspect.signature(self.model).parameters else {}
        return {"out": self.model(x, n_outputs, **told)}

    def _first(self, network: Any, random: Any) -> dict[str, np.ndarray]:
        """The graph's own first values; its seed comes of `random_state`."""
        return {}

    def _check(self, X: Any, y: Any, incremental: bool, first: bool) -> tuple[np.ndarray, np.ndarray]:
        X, y = super()._check(X, y, incremental, first)
        return (X if self.dtype is None else X.astype(self.dtype)), y


class GraphClassifier(Classification, _Graph):
    """A classifier around `model(features, n_outputs)`, which builds a graph and returns logits, [rows, n_outputs].

    `features`: a tensor [rows, features]. `n_outputs`: 1 for two classes, else their number. A function that names a third argument
    `training` gets a boolean tensor, true while it is trained. `dtype`: "float32" or "float64" of the features; without it that of X.
    Variables start as the function says, with the graph's seed from `random_state`; Adam trains them on the cross-entropy, with
    alpha / 2 times the squares of those that have two dimensions or more. Without a `model`, one linear layer.

    >>> import thalweg as tf
    >>> from thalweg.sklearn import GraphClassifier
    >>> def model(features, n_outputs):
    ...     return tf.layers.dense(tf.layers.dense(features, 8, tf.nn.relu), n_outputs)
    >>> estimator = GraphClassifier(model, learning_rate_init=0.1, tol=0.01, random_state=0)
    >>> estimator.fit([[-1.0], [1.0]], ["no", "yes"]).predict([[1.0]])
    array(['yes'], dtype='<U3')
    """


class GraphRegressor(Regression, _Graph):
    """A regressor around `model(features, n_outputs)`: as GraphClassifier, with predictions for logits and squared error."""
