"""tfe.metrics: objects that gather statistics batch by batch, in eager execution and in graphs."""

from __future__ import annotations

import re
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.tracking.object_graph import AutoTrackable
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.initializers import zeros_initializer

_UNFIT = re.compile("[^A-Za-z0-9.]")


class Metric(AutoTrackable):
    """Statistics of what it is called with. In a graph a call gives the tensors that update it; `result()` computes the value.

    Subclasses make variables in `build` with `add_variable`, add to them in `call`, and compute in `result`.
    """

    def __init__(self, name: str | None = None, use_global_variables: bool = False):
        self._built = False
        self._use_global_variables = use_global_variables
        state = self.__dict__  # no attributes to save: the variables are tracked by their own names
        state["_vars"], state["_initial_values"] = [], {}
        name = name or type(self).__name__
        scope_name = _UNFIT.sub("_", name)
        with vs.variable_scope(scope_name, use_resource=True, reuse=False) as scope:
            self._name = name + scope.name[scope.name.rfind(scope_name) + len(scope_name) :]
            self._scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take a batch in."""
        if not self._built:
            with vs.variable_scope(self._scope):
                self.build(*args, **kwargs)
            self._built = True
        return self.call(*args, **kwargs)

    @property
    def name(self) -> str:
        return self._name

    @property
    def variables(self) -> list[Any]:
        """The variables, in order of creation."""
        return self._vars

    def init_variables(self) -> Any:
        """Begin anew: at once in eager execution, with the operation that this gives in a graph."""
        if not executing_eagerly():
            return basic.group(*[v.initializer for v in self._vars])
        for v in self._vars:
            v.assign(self._initial_values[id(v)])
        return None

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the variables."""
        raise NotImplementedError("Metrics must define a build() member function")

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the variables."""
        raise NotImplementedError("Metrics must define a call() member function")

    def result(self) -> Any:
        """The value of the statistic so far."""
        raise NotImplementedError("Metrics must define a result() member function")

    def value(self) -> Any:
        """The result's tensor in a graph; in eager execution the function that computes it."""
        return self.result if executing_eagerly() else self.result()

    def aggregate(self, metrics: Any) -> None:
        """Add the statistics of other metrics of this kind. Raises TypeError for another kind."""
        for m in metrics:
            if type(m) is not type(self):
                raise TypeError(f"All metrics must be the same type, '{type(self)}' != '{type(m)}'.")
        for i, own in enumerate(self._vars):
            if any(m._vars[i].name != own.name for m in metrics):
                raise ValueError("All metrics must have variables in the same order.")
            own.assign_add(math.add_n([m._vars[i] for m in metrics]))

    def add_variable(self, name: str, shape: Any = None, dtype: Any = None, initializer: Any = None) -> Any:
        """A variable of the metric; only to be used in `build`."""
        if self._built:
            raise RuntimeError("Can't call add_variable() except in build().")
        collections = None
        if not executing_eagerly():
            own = GraphKeys.GLOBAL_VARIABLES if self._use_global_variables else GraphKeys.LOCAL_VARIABLES
            collections = [own, GraphKeys.METRIC_VARIABLES]
        v = vs.get_variable(
            name, shape, dtype, initializer, trainable=False, collections=collections, use_resource=True
        )
        self._track_trackable(v, name, overwrite=True)
        self._vars.append(v)
        if executing_eagerly():
            self._initial_values[id(v)] = v.value()
        return v


class Mean(Metric):
    """The (weighted) mean of all values."""

    def __init__(self, name: str | None = None, dtype: Any = dtypes.float64, use_global_variables: bool = False):
        super().__init__(name, use_global_variables)
        self.dtype = dtype

    def build(self, *args: Any, **kwargs: Any) -> None:
        self.numer = self.add_variable("numer", (), self.dtype, zeros_initializer())
        self.denom = self.add_variable("denom", (), self.dtype, zeros_initializer())

    def call(self, values: Any, weights: Any = None) -> Any:
        """Take `values` in, each with its weight."""
        if weights is None:
            count, total = math.cast(array.size(values), self.dtype), math.cast(math.reduce_sum(values), self.dtype)
        else:
            weights = math.cast(weights, self.dtype)
            count, total = math.reduce_sum(weights), math.reduce_sum(math.cast(values, self.dtype) * weights)
        done = [self.denom.assign_add(count, read_value=False), self.numer.assign_add(total, read_value=False)]
        with get_default_graph().control_dependencies([d for d in done if d is not None]):
            values = basic.identity(values)
        return values if weights is None else (values, weights)

    def result(self, write_summary: Any = True) -> Any:
        """The mean. With `write_summary` it also goes to the default summary writer, if there is one."""
        mean = self.numer / self.denom
        if write_summary is not False:
            from thalweg._src.lib.summary import contrib

            contrib.scalar(self.name, mean)
        return mean


class _Matches(Mean):
    """The share of examples for which something holds."""

    def __init__(self, name: str | None = None, dtype: Any = dtypes.float64):
        super().__init__(name, dtype)

    def _count(self, matches: Any, labels: Any, predictions: Any, weights: Any) -> Any:
        counted = Mean.call(self, math.cast(matches, self.dtype), weights=weights)
        counted = counted if weights is None else counted[0]
        with get_default_graph().control_dependencies([counted]):
            labels = basic.identity(labels)
        return (labels, predictions) if weights is None else (labels, predictions, weights)


def _same_shape(labels: Any, predictions: Any) -> None:
    checks.assert_equal(
        array.shape(labels), array.shape(predictions), message="Shapes of labels and predictions are unequal"
    )


class Accuracy(_Matches):
    """How often predictions are equal to labels."""

    def call(self, labels: Any, predictions: Any, weights: Any = None) -> Any:  # type: ignore[override]
        """Take a batch in."""
        _same_shape(labels, predictions)
        return self._count(math.equal(labels, predictions), labels, predictions, weights)


class CategoricalAccuracy(_Matches):
    """How often the largest prediction is that of the one-hot label."""

    def call(self, labels: Any, predictions: Any, weights: Any = None) -> Any:  # type: ignore[override]
        """Take a batch in."""
        _same_shape(labels, predictions)
        labels, predictions = math.argmax(labels, axis=-1), math.argmax(predictions, axis=-1)
        return self._count(math.equal(labels, predictions), labels, predictions, weights)


class BinaryAccuracy(_Matches):
    """How often predictions are above `threshold` where labels are true, and not elsewhere."""

    def __init__(self, threshold: float, name: str | None = None, dtype: Any = dtypes.float64):
        super().__init__(name, dtype)
        self.threshold = threshold

    def call(self, labels: Any, predictions: Any, weights: Any = None) -> Any:  # type: ignore[override]
        """Take a batch in."""
        _same_shape(labels, predictions)
        predictions = to_tensor(predictions) > self.threshold
        labels = math.cast(labels, dtypes.bool)
        return self._count(math.equal(labels, predictions), labels, predictions, weights)


class SparseAccuracy(_Matches):
    """How often the largest prediction is that of the label, a number."""

    def call(self, labels: Any, predictions: Any, weights: Any = None) -> Any:  # type: ignore[override]
        """Take a batch in."""
        checks.assert_equal(
            array.shape(labels), array.shape(predictions)[0], message="First axis of labels and predictions is unequal"
        )
        predictions, labels = math.argmax(predictions, axis=-1), math.cast(labels, dtypes.int64)
        return self._count(math.equal(labels, predictions), labels, predictions, weights)
