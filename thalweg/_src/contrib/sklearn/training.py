"""What every estimator here does: check its input, train in mini-batches until the loss stands still, keep weights as arrays."""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, shuffle
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from thalweg._src.contrib.sklearn.callbacks import CallbackSupportMixin, Told, with_callbacks
from thalweg._src.contrib.sklearn.network import Network, held_by, own

FLOATS = (np.float64, np.float32)


class Trained(CallbackSupportMixin, BaseEstimator):
    """The base of the estimators. A subclass says what its graph is (`_model`), and what it depends on (`_structure`)."""

    _loss = "squared"
    _seeded = False  # whether the graph itself draws numbers, so that it belongs to one seed
    _parameter_constraints: dict[str, list[Any]] = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, alpha, batch_size, learning_rate_init, max_iter, shuffle, random_state, tol, verbose, warm_start,
                 early_stopping, validation_fraction, n_iter_no_change):  # fmt: skip
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change

    # -- what a subclass says

    def _structure(self) -> Hashable:
        """The parameters that its graph depends on; None where only the graph can say."""
        raise NotImplementedError

    def _model(self, x: Any, n_outputs: int, training: Any) -> dict[str, Any]:
        """The graph on `x`: {"out": the last layer, ...}."""
        raise NotImplementedError

    def _first(self, network: Network, random: np.random.RandomState) -> dict[str, np.ndarray]:
        """First values of variables: kernels by Glorot's rule, the others as the graph initializes them."""
        out = {}
        for name in network.trained:
            shape, dtype = network.fresh[name].shape, network.fresh[name].dtype
            if len(shape) >= 2:
                area = int(np.prod(shape[:-2]))
                bound = np.sqrt(6.0 / max(1, area * (shape[-2] + shape[-1])))
                out[name] = random.uniform(-bound, bound, shape).astype(dtype)
        return out

    def _check_targets(self, y: Any, incremental: bool) -> np.ndarray:
        """Targets as an array [rows, outputs] of numbers."""
        raise NotImplementedError

    def _score(self, X: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
        """How good predictions are on the rows that were set aside; the higher, the better."""
        difference = (self._run("predictions", X) - y) ** 2
        return -float(np.average(difference.mean(axis=1), weights=w[:, 0]))

    # -- the network

    def _network(self, state: bool = True) -> Network:
        """This estimator's network: the one it holds, or one made of its arrays. Without `state`, one to be loaded."""
        held = held_by(self)
        if held is not None and state:
            return held
        plain = type(self)(**self._built_with)  # as it was fitted, whatever parameters have been set since
        features, outputs, (alpha, rate) = self.n_features_in_, self.n_outputs_, self._rates

        def make() -> Network:
            return Network(lambda x, training: plain._model(x, outputs, training), n_features=features, n_outputs=outputs,
                           dtype=self._dtype, loss=self._loss, alpha=alpha, learning_rate=rate,
                           seed=self._seed)  # fmt: skip

        structure = plain._structure()
        if structure is None:  # the graph itself says what is equal
            made = make()
            structure, make = made.graph.as_graph_def().SerializeToString(deterministic=True), lambda: made
        key = (
            type(self),
            structure,
            features,
            outputs,
            self._dtype.str,
            self._loss,
            self._rows,
            self._seed,
            *self._rates,
        )
        return own(self, key, make, self._state if state else None)

    @property
    def graph_(self) -> Any:
        """The tf.Graph of the fitted estimator."""
        check_is_fitted(self)
        return self._network().graph

    @property
    def session_(self) -> Any:
        """The tf.Session that holds its variables."""
        check_is_fitted(self)
        return self._network().session

    @property
    def weights_(self) -> dict[str, np.ndarray]:
        """The trained variables, by name."""
        check_is_fitted(self)
        return {name: self._state[name] for name in self._trained}

    def _run(self, name: str, X: np.ndarray) -> np.ndarray:
        return self._network().run(name, X)

    def _predictions(self, X: Any, name: str = "predictions") -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=self._dtype, accept_sparse=False, reset=False)
        return self._run(name, X)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_state")

    # -- training

    @with_callbacks
    def _fit(self, X: Any, y: Any, sample_weight: Any, incremental: bool) -> Any:
        fitted = hasattr(self, "_state")
        first = not fitted or not (self.warm_start or incremental)
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        labels = y
        X, y = self._check(X, y, incremental, first)
        weights = np.ones(len(X), X.dtype) if sample_weight is None else _check_sample_weight(
            sample_weight, X, dtype=X.dtype, ensure_non_negative=True)  # fmt: skip
        random = check_random_state(self.random_state)
        if first:
            self._dtype, self.n_outputs_ = X.dtype, y.shape[1]
            self.loss_curve_: list[float] = []
            self.t_ = 0
            self._seed = int(random.randint(1, 1 << 31)) if self._seeded else 0
            self._built_with = self.get_params(deep=False)
        elif y.shape[1] != self.n_outputs_:
            raise ValueError(f"y has {y.shape[1]} outputs, but this estimator was fitted with {self.n_outputs_}.")
        X, y = X.astype(self._dtype, copy=False), y.astype(self._dtype, copy=False)
        size = self._size_of_batch(len(X))
        self._rows = size if self.batch_size != "auto" or size == 200 else max(8, 1 << (size - 1).bit_length())
        self._rates = float(self.alpha), float(self.learning_rate_init)
        if first or held_by(self) is None or not incremental:
            network = self._network(state=False)
            network.load(self._first(network, random) if first else self._state)
        else:
            network = self._network()
        passes = 1 if incremental else self.max_iter
        fitted = lambda: {"_state": network.read(), "_trained": list(network.trained)}
        told = Told(self, passes, X, labels, sample_weight, fitted)
        try:
            self._train(network, X, y, weights[:, None].astype(self._dtype), size, random, incremental, told)
        finally:
            self._trained = list(network.trained)
            self._state = network.read()
        if not all(np.isfinite(self._state[name]).all() for name in self._trained):
            raise ValueError("Solver produced non-finite parameter weights. The input data may contain large values "
                             "and need to be preprocessed.")  # fmt: skip
        told.end(None)
        return self

    def _check(self, X: Any, y: Any, incremental: bool, first: bool) -> tuple[np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, accept_sparse=False, multi_output=True, dtype=FLOATS, reset=first,
                             y_numeric=self._loss == "squared")  # fmt: skip
        return X, self._check_targets(y, incremental)

    def _size_of_batch(self, n: int) -> int:
        if self.batch_size == "auto":
            return min(200, n)
        if self.batch_size > n:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=4
            )
        return min(self.batch_size, n)

    def _train(self, network: Network, X: np.ndarray, y: np.ndarray, w: np.ndarray, size: int,
               random: np.random.RandomState, incremental: bool, told: Told) -> None:  # fmt: skip
        held_out = None
        if self.early_stopping:
            X, held_out, y, w = self._set_aside(X, y, w, random)
            size = min(size, len(X))
            self.validation_scores_, self.best_validation_score_ = [], -np.inf
        best, best_state, waited, index = np.inf, None, 0, np.arange(len(X))
        self.n_iter_ = 0
        for _ in range(1 if incremental else self.max_iter):
            task = told.begin()
            if self.shuffle:
                index = shuffle(index, random_state=random)
            total = 0.0
            for start in range(0, len(X), size):
                part = index[start : start + size]
                if w[part].any():
                    total += network.train(X[part], y[part], w[part], self._rows) * len(part)
            self.n_iter_ += 1
            self.t_ += len(X)
            self.loss_ = total / len(X)
            self.loss_curve_.append(self.loss_)
            if self.verbose:
                print(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")
            value = self.loss_
            if held_out is not None:
                value = -self._score(*held_out)
                self.validation_scores_.append(-value)
                if self.verbose:
                    print(f"Validation score: {-value:f}")
            waited = waited + 1 if value > best - self.tol else 0
            if value < best:
                best, best_state = value, network.read() if held_out is not None else None
            if told.end(task):
                break
            if waited > self.n_iter_no_change:
                if self.verbose:
                    print(f"No improvement by more than tol={self.tol} for {self.n_iter_no_change} epochs. Stopping.")
                break
        else:
            if not incremental:
                warnings.warn(f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization "
                              "hasn't converged yet.", ConvergenceWarning, stacklevel=4)  # fmt: skip
        self.best_loss_ = best if held_out is None else None
        if best_state is not None:
            self.best_validation_score_ = -best
            network.load(best_state)

    def _set_aside(self, X: Any, y: Any, w: Any, random: Any) -> tuple[Any, Any, Any, Any]:
        labels = (
            y.argmax(axis=1) if self._loss == "softmax" else y if self._loss == "sigmoid" and y.shape[1] == 1 else None
        )
        X, Xv, y, yv, w, wv = train_test_split(X, y, w, random_state=random, test_size=self.validation_fraction,
                                               stratify=labels)  # fmt: skip
        if len(Xv) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return X, (Xv, yv, wv), y, w

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.non_deterministic = False
        return tags


class Regression(RegressorMixin, Trained):
    """Trained on numbers: one or several per row."""

    def _check_targets(self, y: Any, incremental: bool) -> np.ndarray:
        if y.ndim == 2 and y.shape[1] == 1:
            from sklearn.utils.validation import column_or_1d

            y = column_or_1d(y, warn=True)
        return y[:, None] if y.ndim == 1 else y

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train on X [rows, features] and y [rows] or [rows, outputs]. Returns the estimator."""
        return self._fit(X, y, sample_weight, incremental=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """One pass over these rows, from where training stands."""
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> np.ndarray:
        """Predicted numbers, [rows] or [rows, outputs]."""
        out = self._predictions(X)
        return out.ravel() if out.shape[1] == 1 else out

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
