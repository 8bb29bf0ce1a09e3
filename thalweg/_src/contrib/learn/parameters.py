"""The parameters of an estimator, as scikit-learn asks for them, and what estimators of tf.contrib.learn promise."""

from __future__ import annotations

from typing import Any

from thalweg._src.lib.estimators.modes import fn_args


class NotFittedError(ValueError, AttributeError):
    """A model was asked before it was trained."""


class Evaluable:
    """What can be evaluated: `model_dir`, and `evaluate` on arrays or an input function."""

    @property
    def model_dir(self) -> Any:
        """Where checkpoints and summaries lie."""
        raise NotImplementedError

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        feed_fn: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        metrics: Any = None,
        name: str | None = None,
        checkpoint_path: Any = None,
        hooks: Any = None,
    ) -> Any:
        """{metric: value} of the last checkpoint, or the one given."""
        raise NotImplementedError


class Trainable:
    """What can be trained: `fit` on arrays or an input function."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        steps: int | None = None,
        batch_size: int | None = None,
        monitors: Any = None,
        max_steps: int | None = None,
    ) -> Any:
        """Train for `steps` more, or until `max_steps`."""
        raise NotImplementedError


class ParametersOfEstimator:
    """`get_params` and `set_params`, by the arguments of the constructor, as scikit-learn asks for them."""

    def __sklearn_tags__(self) -> Any:
        """What today's scikit-learn asks of a step of a pipeline: the tags of any estimator."""
        from sklearn.base import BaseEstimator

        return BaseEstimator().__sklearn_tags__()

    def __sklearn_is_fitted__(self) -> bool:
        """Left to the estimator, which says so itself when it is asked before it was trained."""
        return True

    def _names(self) -> list[str]:
        return sorted(a for a in fn_args(type(self).__init__) if a not in ("self",))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """{argument: value} of the constructor, where the object has them."""
        found = {}
        for name in self._names():
            value = getattr(self, name, None)
            found[name] = value
            if deep and hasattr(value, "get_params"):
                found.update({f"{name}__{key}": v for key, v in value.get_params().items()})
        return found

    def set_params(self, **params: Any) -> Any:
        """Set arguments of the constructor, `inner__name` for those of inner objects. Raises ValueError for others."""
        valid = self.get_params()
        for key, value in params.items():
            name, _, inner = key.partition("__")
            if name not in valid:
                raise ValueError(f"Invalid parameter {name} for estimator {type(self).__name__}")
            if inner:
                valid[name].set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self
