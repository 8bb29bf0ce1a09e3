"""tf.contrib.learn.MetricSpec: a metric function, and which prediction, label and weight it gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.lib.estimators.modes import fn_args
from thalweg._src.lib.platform import logging as log

_LABELS = ("labels", "label", "targets", "target")
_PREDICTIONS = ("predictions", "prediction", "logits", "logit")
_WEIGHTS = ("weights", "weight")


def _argument(name: str, args: tuple[str, ...], candidates: tuple[str, ...], required: bool = False) -> str | None:
    found = [a for a in candidates if a in args]
    if len(found) > 1:
        raise ValueError(f"Ambiguous arguments {set(found)}, must provide only one of {set(candidates)}.")
    if not found and required:
        raise ValueError(f"{set(candidates)} missing from {name}({args}).")
    return found[0] if found else None


class MetricSpec:
    """A metric `metric_fn(predictions, labels, weights)`, by whichever of their usual names it takes them.

    The keys choose among dicts of predictions, labels and features. Raises ValueError for functions that lack an argument.
    """

    def __init__(
        self,
        metric_fn: Callable[..., Any],
        prediction_key: str | None = None,
        label_key: str | None = None,
        weight_key: str | None = None,
    ):
        self._metric_fn = metric_fn
        self._prediction_key, self._label_key, self._weight_key = prediction_key, label_key, weight_key
        inner = getattr(metric_fn, "func", metric_fn)
        self._name = getattr(inner, "__name__", str(inner))
        args = fn_args(metric_fn)
        self._labels = _argument(self._name, args, _LABELS, required=label_key is not None)
        self._predictions = _argument(self._name, args, _PREDICTIONS)
        self._weights = _argument(self._name, args, _WEIGHTS, required=weight_key is not None)
        self._first = args[0] if args else None

    @property
    def metric_fn(self) -> Callable[..., Any]:
        """The metric as a function of named `labels`, `predictions` and `weights`."""

        def named(_sentinel: Any = None, labels: Any = None, predictions: Any = None, weights: Any = None) -> Any:
            if _sentinel is not None:
                raise ValueError("`metric_fn` requires named args: `labels`, `predictions`, and optionally `weights`.")
            by_name: dict[str, Any] = {}
            positional = []
            if weights is not None and self._weights:
                by_name[self._weights] = weights
            if self._predictions:
                by_name[self._predictions] = predictions
            else:
                positional.append(predictions)
            if self._labels and self._labels == self._first and positional:
                positional.insert(0, labels)
            elif self._labels:
                by_name[self._labels] = labels
            return self._metric_fn(*positional, **by_name)

        return named

    @property
    def prediction_key(self) -> str | None:
        return self._prediction_key

    @property
    def label_key(self) -> str | None:
        return self._label_key

    @property
    def weight_key(self) -> str | None:
        return self._weight_key

    def __str__(self) -> str:
        return (
            f"MetricSpec(metric_fn={self._name}, prediction_key={self.prediction_key}, label_key={self.label_key}, "
            f"weight_key={self.weight_key})"
        )

    def create_metric_ops(self, inputs: Any, labels: Any, predictions: Any) -> Any:
        """The ops of the metric. Raises ValueError where a key is needed and missing, or not there."""

        def chosen(name: str, tensors: Any, key: Any) -> Any:
            if isinstance(tensors, dict):
                if key is None:
                    if len(tensors) > 1:
                        raise ValueError(
                            f"MetricSpec without specified {name}_key requires {name}s tensor or single element dict, got "
                            f"{tensors}"
                        )
                    return next(iter(tensors.values()), None)
                if key not in tensors:
                    raise ValueError(f"MetricSpec with {name}_key specified requires {name}s dict with that key: {key}")
                return tensors[key]
            if key:
                raise ValueError(f"MetricSpec with {name}_key specified requires {name}s dict, got {tensors}.\n{self}")
            return tensors

        weights = chosen("weight", inputs, self.weight_key) if self.weight_key else None
        try:
            return self.metric_fn(
                labels=chosen("label", labels, self.label_key),
                predictions=chosen("prediction", predictions, self.prediction_key),
                weights=weights,
            )
        except Exception as error:
            log.error("Could not create metric ops for %s, %s.", self, error)
            raise
