"""scikit-learn: arguments by position, renamed or dropped."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from thalweg._src.compat.mended.calls import positional, renamed, supply

PACKAGES = (
    "cluster",
    "datasets",
    "decomposition",
    "ensemble",
    "feature_extraction.text",
    "linear_model",
    "manifold",
    "metrics",
    "metrics.pairwise",
    "model_selection",
    "naive_bayes",
    "neighbors",
    "preprocessing",
    "svm",
)
# an argument that an estimator no longer takes -> its name today, or None where it has become the only way
ARGUMENTS: dict[str, dict[str, str | None]] = {
    "TSNE": {"n_iter": "max_iter"},
    "SGDClassifier": {"n_iter": "max_iter"},
    "SGDRegressor": {"n_iter": "max_iter"},
    "Perceptron": {"n_iter": "max_iter"},
    "OneHotEncoder": {"sparse": "sparse_output", "n_values": None},
    "KMeans": {"n_jobs": None, "precompute_distances": None},
    "LogisticRegression": {"multi_class": None},
    "IsolationForest": {"behaviour": None},
}


def package(module: ModuleType) -> None:
    """The functions and estimators that a package of scikit-learn makes public."""
    for name in getattr(module, "__all__", ()):
        try:
            value = getattr(module, name)
        except (AttributeError, ImportError):
            continue
        if inspect.isfunction(value):
            setattr(module, name, positional(value))
        elif inspect.isclass(value) and "__init__" in vars(value):
            _estimator(value)


def _estimator(kind: Any) -> None:
    kind.__init__ = positional(kind.__init__)
    taken = inspect.signature(kind.__init__).parameters
    gone = {old: new for old, new in ARGUMENTS.get(kind.__name__, {}).items() if old not in taken}
    if gone:
        kind.__init__ = renamed(kind.__init__, gone)
    if hasattr(kind, "get_feature_names_out"):
        supply(kind, {"get_feature_names": lambda self: list(self.get_feature_names_out())})


def metrics(module: ModuleType) -> None:
    package(module)
    own = module.mean_squared_error
    if "squared" in inspect.signature(own).parameters:
        return

    @functools.wraps(own)
    def mean_squared_error(*args: Any, squared: bool = True, **kwargs: Any) -> Any:
        return (own if squared else module.root_mean_squared_error)(*args, **kwargs)

    module.mean_squared_error = mean_squared_error  # type: ignore[attr-defined]


def preprocessing(module: ModuleType) -> None:
    def imputer(missing_values: Any = "NaN", strategy: str = "mean", axis: int = 0, **_: Any) -> Any:
        """`Imputer`, by columns."""
        from sklearn.impute import SimpleImputer

        if axis:
            raise ValueError("Imputer(axis=1) is gone from scikit-learn: transpose the data, or fill it by hand")
        return SimpleImputer(
            missing_values=float("nan") if missing_values == "NaN" else missing_values, strategy=strategy
        )

    package(module)
    supply(module, {"Imputer": imputer})


CHANGES: dict[str, Callable[[ModuleType], None]] = {
    **{f"sklearn.{name}": package for name in PACKAGES},
    "sklearn.metrics": metrics,
    "sklearn.preprocessing": preprocessing,
}
