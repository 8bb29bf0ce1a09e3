"""Multi-layer perceptrons and the linear classifier."""

from __future__ import annotations

from collections.abc import Hashable
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from thalweg._src.contrib.sklearn.classification import Classification
from thalweg._src.contrib.sklearn.network import Network
from thalweg._src.contrib.sklearn.training import Regression, Trained
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.numeric.elementwise import sigmoid, tanh
from thalweg._src.ops.numeric.matmul import matmul
from thalweg._src.ops.stateful.initializers import zeros_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable

ACTIVATIONS = {"identity": lambda x: x, "logistic": sigmoid, "tanh": tanh, "relu": relu}


def dense(x: Any, width: int, number: int) -> Any:
    """x W + b, with variables named by the layer's number."""
    size = x.shape.as_list()[1]
    kernel = get_variable(f"coefs_{number}", [size, width], dtype=x.dtype, initializer=zeros_initializer())
    bias = get_variable(f"intercepts_{number}", [width], dtype=x.dtype, initializer=zeros_initializer())
    return matmul(x, kernel) + bias


def sizes(hidden: Any) -> tuple[int, ...]:
    """The widths of hidden layers. Raises ValueError where one is not positive."""
    out = tuple(hidden) if hasattr(hidden, "__iter__") else (hidden,)
    if any(h <= 0 for h in out):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {list(out)}.")
    return tuple(int(h) for h in out)


class _Perceptron(Trained):
    _parameter_constraints = Trained._parameter_constraints | {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
    }

    def __init__(self, hidden_layer_sizes=(100,), activation="relu", *, alpha=0.0001, batch_size="auto",
                 learning_rate_init=0.001, max_iter=200, shuffle=True, random_state=None, tol=1e-4, verbose=False,
                 warm_start=False, early_stopping=False, validation_fraction=0.1, n_iter_no_change=10):  # fmt: skip
        super().__init__(alpha=alpha, batch_size=batch_size, learning_rate_init=learning_rate_init, max_iter=max_iter,
                         shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
                         early_stopping=early_stopping, validation_fraction=validation_fraction,
                         n_iter_no_change=n_iter_no_change)  # fmt: skip
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation

    def _structure(self) -> Hashable:
        return sizes(self.hidden_layer_sizes), self.activation

    def _model(self, x: Any, n_outputs: int, training: Any) -> dict[str, Any]:
        widths = sizes(self.hidden_layer_sizes)
        for i, width in enumerate(widths):
            x = ACTIVATIONS[self.activation](dense(x, width, i))
        return {"out": dense(x, n_outputs, len(widths))}

    def _first(self, network: Network, random: np.random.RandomState) -> dict[str, np.ndarray]:
        """scikit-learn's first values, in its order: with one `random_state` both train the same network."""
        out, bound = {}, 0.0
        for name in network.trained:
            value = network.fresh[name]
            if value.ndim == 2:
                bound = np.sqrt((2.0 if self.activation == "logistic" else 6.0) / sum(value.shape))
            out[name] = random.uniform(-bound, bound, value.shape).astype(value.dtype)
        return out

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of each layer, [inputs, outputs]."""
        return [v for v in self.weights_.values() if v.ndim == 2]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of each layer."""
        return [v for v in self.weights_.values() if v.ndim == 1]

    @property
    def n_layers_(self) -> int:
        """Layers, those of the input and the output included."""
        return len(self.coefs_) + 1


class MLPClassifier(Classification, _Perceptron):
    """A multi-layer perceptron that classifies: cross-entropy by Adam, as scikit-learn's class of this name trains it.

    >>> from thalweg.sklearn import MLPClassifier
    >>> MLPClassifier((8,), max_iter=5, random_state=0).get_params()["hidden_layer_sizes"]
    (8,)
    """


class MLPRegressor(Regression, _Perceptron):
    """A multi-layer perceptron that predicts numbers: squared error by Adam."""


class LinearClassifier(Classification):
    """Logistic regression, or softmax regression where there are more than two classes, by Adam."""

    def __init__(self, *,
                 alpha=0.0001, batch_size="auto", learning_rate_init=0.01, max_iter=200,
                 shuffle=True, random_state=None, tol=1e-4, verbose=False, warm_start=False, early_stopping=False,
                 validation_fraction=0.1, n_iter_no_change=10):  # fmt: skip
        super().__init__(alpha=alpha, batch_size=batch_size, learning_rate_init=learning_rate_init, max_iter=max_iter,
                         shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
                         early_stopping=early_stopping, validation_fraction=validation_fraction,
                         n_iter_no_change=n_iter_no_change)  # fmt: skip

    def _structure(self) -> Hashable:
        return ()

    def _model(self, x: Any, n_outputs: int, training: Any) -> dict[str, Any]:
        return {"out": dense(x, n_outputs, 0)}

    @property
    def coef_(self) -> np.ndarray:
        """The weights, [classes or 1, features]."""
        return self.weights_["coefs_0"].T

    @property
    def intercept_(self) -> np.ndarray:
        """The biases, [classes or 1]."""
        return self.weights_["intercepts_0"]
