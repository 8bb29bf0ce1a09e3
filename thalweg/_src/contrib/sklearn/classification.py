"""Labels to numbers and back, for the estimators that classify."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import column_or_1d

from thalweg._src.contrib.sklearn.training import Trained


class Classification(ClassifierMixin, Trained):
    """Trained on labels: of two classes, of many, or several at once (an indicator matrix)."""

    _loss = "sigmoid"  # or "softmax", as the labels are

    def _check_targets(self, y: Any, incremental: bool) -> np.ndarray:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._labels = LabelBinarizer().fit(y)
            self.classes_ = self._labels.classes_
        else:
            given = unique_labels(y)
            if self.warm_start and not incremental and set(given) != set(self.classes_):
                raise ValueError("warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                                 f"Previously got {self.classes_}, `y` has {given}")  # fmt: skip
            if len(np.setdiff1d(given, self.classes_)):
                raise ValueError("`y` has classes not in `self.classes_`. "
                                 f"`self.classes_` has {self.classes_}. 'y' has {given}.")  # fmt: skip
        self._loss = "softmax" if self._labels.y_type_ == "multiclass" else "sigmoid"
        return self._labels.transform(y).astype(np.float32)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train on X [rows, features] and labels y. Returns the estimator."""
        return self._fit(X, y, sample_weight, incremental=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """One pass over these rows, from where training stands. The first call names all `classes`."""
        if _check_partial_fit_first_call(self, classes):
            several = type_of_target(y).startswith("multilabel")
            self._labels = LabelBinarizer().fit(y if several else classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def _score(self, X: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
        out = self._run("predictions", X)
        right = out.argmax(1) == y.argmax(1) if self._loss == "softmax" else ((out > 0.5) == (y > 0.5)).all(axis=1)
        return float(np.average(right, weights=w[:, 0]))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row; an indicator matrix where the labels were one."""
        out = self._predictions(X)
        return self._labels.inverse_transform(out.ravel() if self.n_outputs_ == 1 else out)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities [rows, classes], in the order of `classes_`."""
        out = self._predictions(X)
        if self.n_outputs_ > 1:
            return out
        return np.ones_like(out) if len(self.classes_) == 1 else np.hstack([1 - out, out])

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of `predict_proba`."""
        return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
