"""`get_variable` and `variable_scope`: variables by name, created or shared."""

from __future__ import annotations

import bisect
import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import graph_of, to_tensor
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Graph, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.ops.stateful import variables
from thalweg._src.ops.stateful.variable_modes import VariableAggregation, VariableSynchronization
from thalweg._src.ops.stateful.variable_store import (
    AUTO_REUSE,
    kept_by_graph,
    resource_variables_enabled,
    variable_store,
)
from thalweg._src.ops.stateful.variables import Variable

# What a scope hands down to the scopes and variables inside, beside its name and `reuse`.
_SETTINGS = ("initializer", "regularizer", "caching_device", "partitioner", "custom_getter", "dtype", "use_resource")


class VariableScope:
    """The defaults of `get_variable` in a `variable_scope` block, and the prefix of its names."""

    def __init__(
        self,
        reuse: Any,
        name: str = "",
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        name_scope: str = "",
        dtype: Any = dtypes.float32,
        use_resource: bool | None = None,
        constraint: Any = None,
    ):
        self._name, self._reuse, self._name_scope, self._constraint = name, reuse, name_scope, constraint
        self._initializer, self._regularizer, self._caching_device = initializer, regularizer, caching_device
        self._partitioner, self._custom_getter, self._dtype = partitioner, custom_getter, dtype
        self._use_resource = use_resource

    @property
    def name(self) -> str:
        return self._name

    @property
    def original_name_scope(self) -> str:
        """The name scope that the block opened when it was first entered."""
        return self._name_scope

    @property
    def reuse(self) -> Any:
        return self._reuse

    @property
    def initializer(self) -> Any:
        return self._initializer

    @property
    def dtype(self) -> Any:
        return self._dtype

    @property
    def use_resource(self) -> bool | None:
        return self._use_resource

    @property
    def regularizer(self) -> Any:
        return self._regularizer

    @property
    def caching_device(self) -> Any:
        return self._caching_device

    @property
    def partitioner(self) -> Any:
        return self._partitioner

    @property
    def custom_getter(self) -> Any:
        return self._custom_getter

    @property
    def constraint(self) -> Any:
        return self._constraint

    def reuse_variables(self) -> None:
        """From here on, `get_variable` in this scope shares variables and creates none."""
        self._reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Set the default initializer."""
        self._initializer = initializer

    def set_dtype(self, dtype: Any) -> None:
        """Set the default dtype."""
        self._dtype = dtype

    def set_use_resource(self, use_resource: bool) -> None:
        """Set whether variables are resource variables."""
        self._use_resource = use_resource

    def set_regularizer(self, regularizer: Any) -> None:
        """Set the default regularizer."""
        self._regularizer = regularizer

    def set_caching_device(self, caching_device: Any) -> None:
        """Set the default caching device."""
        self._caching_device = caching_device

    def set_partitioner(self, partitioner: Any) -> None:
        """Set the default partitioner."""
        self._partitioner = partitioner

    def set_custom_getter(self, custom_getter: Any) -> None:
        """Set the default custom getter."""
        self._custom_getter = custom_getter

    def get_collection(self, name: Any) -> list[Any]:
        """The items of a collection whose names are in this scope."""
        return scopes.get_collection(name, self._name + "/" if self._name else "")

    def trainable_variables(self) -> list[Variable]:
        """The trainable variables of this scope."""
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Variable]:
        """The global variables of this scope."""
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Variable]:
        """The local variables of this scope."""
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(
        self,
        var_store: Any,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        custom_getter: Any = None,
        constraint: Any = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
    ) -> Any:
        """The variable `name` of this scope in `var_store`."""
        kwargs: dict[str, Any] = {
            "regularizer": regularizer,
            "reuse": reuse,
            "trainable": trainable,
            "collections": collections,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "validate_shape": validate_shape,
            "use_resource": use_resource,
            "custom_getter": custom_getter,
            "constraint": self.constraint if constraint is None else constraint,
            "synchronization": synchronization,
            "aggregation": aggregation,
        }
        for key in ("regularizer", "caching_device", "partitioner", "custom_getter", "reuse", "use_resource"):
            if kwargs[key] is None:
                kwargs[key] = getattr(self, key)
        if executing_eagerly():
            kwargs.update(reuse=False, use_resource=True)
        full_name = f"{self.name}/{name}" if self.name else name
        # The names of variables follow variable scopes alone, so the name scope is put aside.
        with scopes.name_scope(None):
            if dtype is not None and initializer is not None and not callable(initializer):
                found = to_tensor(initializer).dtype.base_dtype
                if found != dtype:
                    raise ValueError(f"Initializer type '{found}' and explicit dtype '{dtype}' don't match.")
            kwargs["initializer"] = self.initializer if initializer is None else initializer
            return var_store.get_variable(
                full_name, shape=shape, dtype=self.dtype if dtype is None else dtype, **kwargs
            )

    def _child(self, name: str, reuse: Any, name_scope: str, given: dict[str, Any]) -> VariableScope:
        """A scope with this one's settings where `given` has none."""
        settings = {k: getattr(self, k) if given.get(k) is None else given[k] for k in _SETTINGS}
        if given.get("custom_getter") is not None:
            settings["custom_getter"] = _nested_getter(given["custom_getter"], self.custom_getter)
        return VariableScope(reuse, name=name, name_scope=name_scope, constraint=given.get("constraint"), **settings)


def _nested_getter(inner: Any, outer: Any) -> Any:
    if outer is None:
        return inner

    def getter(true_getter: Any, *args: Any, **kwargs: Any) -> Any:
        return inner(functools.partial(outer, true_getter), *args, **kwargs)

    return getter


# -- the scope of each graph, and per thread


class _ScopeStore(threading.local):
    def __init__(self) -> None:
        self.current = VariableScope(False)
        self.counts: dict[str, int] = {}
        self.names: list[str] = []  # of the counts, sorted: so that closing a scope need not look at all of them

    def open(self, name: str) -> None:
        if name not in self.counts:
            bisect.insort(self.names, name)
            self.counts[name] = 0
        self.counts[name] += 1

    def close_inside(self, name: str) -> None:
        """Forget the scopes inside `name`."""
        first = bisect.bisect_left(self.names, name + "/")
        last = bisect.bisect_left(self.names, name + "0")  # the character after "/"
        for inside in self.names[first:last]:
            del self.counts[inside]
        del self.names[first:last]


def scope_store() -> _ScopeStore:
    return kept_by_graph("variable scopes", _ScopeStore)


def get_variable_scope() -> VariableScope:
    """The current variable scope."""
    return scope_store().current


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """The variable `name` of the current variable scope: created, or shared where the scope says `reuse`.

    `initializer` is a tensor, or a function of (shape, dtype); the scope's or Glorot's unless given. Raises ValueError for a
    variable that is there and may not be shared, is not there and must be, or has another shape or dtype.

    >>> with tf.variable_scope("foo"):
    ...     tf.get_variable("v", [1]).name
    'foo/v:0'
    """
    return get_variable_scope().get_variable(
        variable_store(),
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
        synchronization=synchronization,
        aggregation=aggregation,
    )


def get_local_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = False,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """`get_variable` for a local variable: not trained, not saved."""
    return get_variable(
        name,
        shape,
        dtype,
        initializer,
        regularizer,
        False,
        [*(collections or []), GraphKeys.LOCAL_VARIABLES],
        caching_device,
        partitioner,
        validate_shape,
        use_resource,
        custom_getter,
        constraint,
        synchronization,
        aggregation,
    )


class variable_scope:
    """A block whose variables have a common prefix and common defaults; it opens a name scope too.

    `name_or_scope`: a name, or a scope to enter again; `default_name` is used where that is None, made unique. `reuse`: True to share
    variables, tf.AUTO_REUSE to share those that are there, None to do as the scope around. Raises TypeError without a name, ValueError
    for another `reuse`. An object that is entered again keeps the name that was made unique and the first `original_name_scope`.
    """

    def __init__(
        self,
        name_or_scope: Any,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: bool | None = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ):
        if default_name is None and name_or_scope is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if not (reuse in (None, True, False) or reuse is AUTO_REUSE):
            raise ValueError("The reuse parameter must be True or False or None.")
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(f"The auxiliary_name_scope must be `True` or `False`, while get {auxiliary_name_scope}")
        self._name_or_scope, self._default_name, self._values = name_or_scope, default_name, values or []
        self._reuse = reuse or None
        self._given = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "custom_getter": custom_getter,
            "dtype": dtype,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        self._auxiliary = auxiliary_name_scope
        self._graph: Graph = graph_of(list(self._values))
        self._entered: list[tuple[VariableScope, contextlib.ExitStack]] = []
        self._first: tuple[Any, str] | None = None  # what was entered first, and the name scope that it opened
        self._around: str | None = None

    def __enter__(self) -> VariableScope:
        stack = contextlib.ExitStack()
        try:
            scope = self._enter(stack)
        except BaseException:
            stack.close()
            raise
        self._entered.append((scope, stack))
        return scope

    def __exit__(self, *error: Any) -> None:
        scope, stack = self._entered[-1]
        if scope_store().current is not scope:
            raise RuntimeError("Improper nesting of variable_scope.")
        self._entered.pop()
        stack.__exit__(*error)

    def _enter(self, stack: contextlib.ExitStack) -> VariableScope:
        if not get_default_graph().building_function:
            stack.enter_context(self._graph.as_default())
        graph = get_default_graph()
        given = self._name_or_scope
        if given is not None and not isinstance(given, VariableScope | str):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        if given is None and self._reuse:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        last = given.name.split("/")[-1] if isinstance(given, VariableScope) else given
        opened = ""
        if given is None or last or not self._auxiliary:
            opened = self._open_names(stack, graph, self._default_name if given is None else last)
        if isinstance(given, VariableScope):
            opened = given.original_name_scope
        if self._first is None:
            self._first = _unique(self._default_name) if given is None else given, opened  # type: ignore[arg-type]
        scope, opened = self._first
        return stack.enter_context(entered(scope, self._reuse, opened, self._given))

    def _open_names(self, stack: contextlib.ExitStack, graph: Graph, name: str | None) -> str:
        if not self._auxiliary:
            if self._around is None:
                self._around = graph.get_name_scope()
            return stack.enter_context(graph.name_scope(self._around + "/" if self._around else None))
        return stack.enter_context(graph.name_scope(name))


@contextlib.contextmanager
def entered(
    name_or_scope: str | VariableScope, reuse: Any, name_scope: str, given: dict[str, Any]
) -> Iterator[VariableScope]:
    """The variable scope of a block, without its name scope."""
    store = scope_store()
    old = store.current
    before = None
    if isinstance(name_or_scope, VariableScope):
        shared = name_or_scope
        scope = shared._child(shared.name, reuse or shared.reuse, shared._name_scope, given)
        store.open(shared.name)
        before = dict(store.counts), list(store.names)
    else:
        name = f"{old.name}/{name_or_scope}" if old.name else name_or_scope
        scope = old._child(name, reuse or old.reuse, name_scope, given)
        store.open(name)
    store.current = scope
    try:
        yield scope
    finally:
        if before is not None:
            store.counts, store.names = before
        else:
            store.close_inside(scope.name)
        store.current = old


def _unique(prefix: str) -> str:
    store = scope_store()
    name = f"{store.current.name}/{prefix}" if store.current.name else prefix
    if store.counts.get(name, 0) == 0:
        return prefix
    i = 1
    while store.counts.get(f"{name}_{i}", 0) > 0:
        i += 1
    return f"{prefix}_{i}"


def new_scope(name: str | None, default_name: str, custom_getter: Any = None) -> VariableScope:
    """A scope of its own, that no block has entered: `name`, or `default_name` made unique."""
    given = {"custom_getter": custom_getter}
    with entered(name or _unique(default_name), None, "", given) as scope:
        return scope


@contextlib.contextmanager
def variable_op_scope(
    values: Any,
    name_or_scope: Any,
    default_name: str | None = None,
    initializer: Any = None,
    regularizer: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    reuse: Any = None,
    dtype: Any = None,
    use_resource: bool | None = None,
    constraint: Any = None,
) -> Iterator[VariableScope]:
    """`variable_scope` with the order of arguments of 0.x."""
    settings = (initializer, regularizer, caching_device, partitioner, custom_getter, reuse, dtype, use_resource)
    with variable_scope(name_or_scope, default_name, values, *settings, constraint=constraint) as scope:
        yield scope


def _scope_says() -> bool:
    said = get_variable_scope().use_resource
    return resource_variables_enabled() if said is None else said


variables.default_use_resource[0] = _scope_says
