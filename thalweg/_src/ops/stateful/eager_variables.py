"""Variables of eager execution: they have their value from the start, and are gone when nobody holds them."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.eager import EagerGraph, executing_eagerly
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.ops.stateful import state, variables
from thalweg._src.ops.stateful.resource_variables import ResourceVariable
from thalweg._src.ops.stateful.variables import declared_dims

_made = itertools.count()
# Called with each new variable.
when_made: list[Callable[[Any], None]] = []


class EagerVariable(ResourceVariable):
    """A variable of eager execution. Functions that use it build operations on the same variable."""

    def _make(
        self, initial_value: Any, dtype: DType | None, validate: bool, caching: Any, name: Any, shape: Any
    ) -> None:
        graph = get_default_graph()
        assert isinstance(graph, EagerGraph)
        with scopes.name_scope(name, "Variable") as scope:
            own = scopes.name_from_scope(scope)
            value = initial_value() if callable(initial_value) else initial_value
            init = to_tensor(value, dtype, "initial_value")
            dims = declared_dims(shape, init, validate)
            element = init.dtype.base_dtype
            unique = graph.fresh_name(own)
            handle = state.var_handle(shape=dims, dtype=element, shared_name=unique, name=unique + "/")
        handle.op.outputs = []  # so that variable and operation are gone without the garbage collector
        handle.variable = weakref.ref(self)
        self._dtype, self._variable, self._own_name, self._cached = element, handle, own, None
        self._initial_value = self._initializer_op = None  # type: ignore[assignment]
        self._unique_id, self._made = unique, next(_made)
        state.assign_variable(handle, init, dtype=element)
        for tell in when_made:
            tell(self)

    @property
    def name(self) -> str:
        return self._own_name + ":0"

    @property
    def _shared_name(self) -> str:
        return self._own_name

    @property
    def graph(self) -> Any:
        return self._variable.op.graph

    @property
    def device(self) -> str:
        return self._variable.device

    @property
    def initializer(self) -> Any:
        """None: there is nothing to initialize."""
        return None

    @property
    def create(self) -> Any:
        raise RuntimeError("`create` op is not available when eager execution is enabled.")

    @property
    def initial_value(self) -> Any:
        raise RuntimeError("initial_value not supported in EAGER mode.")

    def initialized_value(self) -> Tensor:
        return self.read_value()

    def _as_graph_element(self) -> Tensor:
        return self._read()

    def _update(self, op: Any, value: Any, name: str | None, read_value: bool) -> Any:
        result = super()._update(op, value, name, read_value and not executing_eagerly())
        return self if read_value and executing_eagerly() else result

    def _lazy_read(self, done: Operation) -> ResourceVariable:
        return self if executing_eagerly() else super()._lazy_read(done)

    def value(self) -> Tensor:
        return self._read()

    def set_shape(self, shape: Any) -> None:
        self._read().set_shape(shape)

    # -- as a Python value

    def numpy(self) -> Any:
        """The value as an array. Raises NotImplementedError in a graph."""
        if not executing_eagerly():
            raise NotImplementedError("numpy() is only available when eager execution is enabled.")
        return self.read_value().numpy()  # type: ignore[attr-defined]

    def eval(self, session: Any = None) -> Any:
        raise NotImplementedError(
            "eval is not supported when eager execution is enabled, is .numpy() what you're looking for?"
        )

    def load(self, value: Any, session: Any = None) -> None:
        """Put `value` into the variable."""
        self.assign(value)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype)

    def __bool__(self) -> bool:
        return bool(self.read_value())

    def __int__(self) -> int:
        return int(self.read_value())  # type: ignore[call-overload]

    def __float__(self) -> float:
        return float(self.read_value())  # type: ignore[arg-type]

    def __index__(self) -> int:
        return self.numpy().__index__()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.read_value())

    def __copy__(self) -> EagerVariable:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not executing_eagerly():
            raise NotImplementedError("__deepcopy__() is only available when eager execution is enabled.")
        copied = variables.Variable(
            self.read_value(),
            trainable=self._trainable,
            constraint=self._constraint,
            dtype=self._dtype,
            name=self._own_name,
        )
        memo[id(self)] = copied
        return copied

    def __repr__(self) -> str:
        facts = f"'{self.name}' shape={self.get_shape()} dtype={self.dtype.name}"
        if not executing_eagerly():
            return f"<tf.Variable {facts}>"
        return f"<tf.Variable {facts}, numpy={self.read_value()._text(True)}>"  # type: ignore[attr-defined]

    __str__ = __repr__


class _TfeVariable(type):
    """tfe.Variable makes the variables of eager execution, and resource variables in graphs; both are instances of it."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return variables.Variable(*args, use_resource=True, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, ResourceVariable)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(EagerVariable, name)


class TfeVariable(metaclass=_TfeVariable):
    """A resource variable, as `tf.Variable(..., use_resource=True)` makes it."""


variables.kinds["eager"] = EagerVariable
