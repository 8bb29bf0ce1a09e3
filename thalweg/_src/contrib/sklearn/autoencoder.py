"""An auto-encoder: it learns to give back what it gets, through a narrow middle."""

from __future__ import annotations

from collections.abc import Hashable
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from thalweg._src.contrib.sklearn.perceptron import ACTIVATIONS, dense, sizes
from thalweg._src.contrib.sklearn.training import FLOATS, Trained


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Trained):
    """A transformer: features to `n_components` numbers, and back. The decoder mirrors the encoder's hidden layers.

    >>> from thalweg.sklearn import Autoencoder
    >>> Autoencoder(8, hidden_layer_sizes=(64,)).n_components
    8
    """

    _parameter_constraints = Trained._parameter_constraints | {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
    }

    def __init__(self, n_components=2, hidden_layer_sizes=(), activation="relu", *,
                 alpha=0.0001, batch_size="auto", learning_rate_init=0.01, max_iter=200,
                 shuffle=True, random_state=None, tol=1e-4, verbose=False, warm_start=False, early_stopping=False,
                 validation_fraction=0.1, n_iter_no_change=10):  # fmt: skip
        super().__init__(alpha=alpha, batch_size=batch_size, learning_rate_init=learning_rate_init, max_iter=max_iter,
                         shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
                         early_stopping=early_stopping, validation_fraction=validation_fraction,
                         n_iter_no_change=n_iter_no_change)  # fmt: skip
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation

    def _structure(self) -> Hashable:
        return self.n_components, sizes(self.hidden_layer_sizes), self.activation

    def _model(self, x: Any, n_outputs: int, training: Any) -> dict[str, Any]:
        widths, bend = sizes(self.hidden_layer_sizes), ACTIVATIONS[self.activation]
        for i, width in enumerate(widths):
            x = bend(dense(x, width, i))
        code = x = dense(x, self.n_components, len(widths))
        for i, width in enumerate(reversed(widths), len(widths) + 1):
            x = bend(dense(x, width, i))
        return {"out": dense(x, n_outputs, 2 * len(widths) + 1), "code": code}

    def _check(self, X: Any, y: Any, incremental: bool, first: bool) -> tuple[np.ndarray, np.ndarray]:
        X = validate_data(self, X, accept_sparse=False, dtype=FLOATS, reset=first)
        return X, X

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Train on X [rows, features]; `y` is ignored. Returns the estimator."""
        return self._fit(X, None, sample_weight, incremental=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """One pass over these rows, from where training stands."""
        return self._fit(X, None, sample_weight, incremental=True)

    @property
    def _n_features_out(self) -> int:
        return self._built_with["n_components"]

    def transform(self, X: Any) -> np.ndarray:
        """The codes of rows, [rows, n_components]."""
        return self._predictions(X, "code")

    def inverse_transform(self, X: Any) -> np.ndarray:
        """What the decoder makes of codes [rows, n_components]: [rows, features]."""
        check_is_fitted(self)
        codes = check_array(X, dtype=self._dtype)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {codes.shape[1]} features, but Autoencoder gives {self._n_features_out} components."
            )
        return self._network().run("predictions", codes, "code")

    def score(self, X: Any, y: Any = None) -> float:
        """Minus the mean squared difference between rows and what comes back of them."""
        back = self._predictions(X)
        return -float(np.mean((back - np.asarray(X, back.dtype)) ** 2))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
