"""The functions of the default graph: name scopes, devices, collections, and scopes that step out of the ones around."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from thalweg._src.core.convert import graph_of
from thalweg._src.core.graph import Graph, get_default_graph


class name_scope:
    """Prefix the names of what is made in the block. `tf.name_scope(name, default_name, values)`.

    `default_name` is used where `name` is None; `values` are the inputs of the function that opens the scope: their graph is the
    default one inside. Programs from before TensorFlow 1.14 may give the inputs in second place, beside a name. Yields the scope, 'a/b/'.
    """

    def __init__(self, name: str | None, default_name: Any = None, values: Sequence[Any] | None = None):
        if name is not None and isinstance(default_name, list | tuple) and values is None:
            default_name, values = None, default_name
        if not (default_name is None or isinstance(default_name, str)):
            raise TypeError(
                f"`default_name` type ({type(default_name)}) is not a string type. You likely meant to pass this into the `values` kwarg."
            )
        self._name = default_name if name is None else name
        self._given, self._default_name, self._values = name, default_name, values
        self._stack: contextlib.ExitStack | None = None

    @property
    def name(self) -> str | None:
        return self._name

    def __enter__(self) -> str:
        if self._given is None and self._default_name is None and self._values is not None:
            raise ValueError(
                f"At least one of name ({self._given}) and default_name ({self._default_name}) should be provided."
            )
        self._stack = contextlib.ExitStack()
        graph = get_default_graph()
        if self._values:
            own = graph_of(list(self._values))
            if own is not graph:
                self._stack.enter_context(own.as_default())
                graph = own
        try:
            return self._stack.enter_context(graph.name_scope(self._name))
        except BaseException:
            self._stack.close()
            raise

    def __exit__(self, *error: Any) -> None:
        assert self._stack is not None
        self._stack.__exit__(*error)


@contextlib.contextmanager
def op_scope(values: Any, name: str | None, default_name: str | None = None) -> Iterator[str]:
    """`name_scope` with the order of arguments of 0.x."""
    with name_scope(name, default_name=default_name, values=values) as scope:
        yield scope


def device(device_name_or_function: Any) -> Any:
    """Place what is made in the block, in the default graph: a device string, a function of the op, or None."""
    return get_default_graph().device(device_name_or_function)


def container(container_name: str) -> Any:
    """The resource container of what is made in the block."""
    return get_default_graph().container(container_name)


def colocate_with(op: Any, ignore_existing: bool = False) -> Any:
    """Place what is made in the block with `op`."""
    return get_default_graph().colocate_with(op, ignore_existing)


def add_to_collection(name: Any, value: Any) -> None:
    """Append `value` to a collection of the default graph."""
    get_default_graph().add_to_collection(name, value)


def add_to_collections(names: Any, value: Any) -> None:
    """Append `value` to collections of the default graph."""
    get_default_graph().add_to_collections(names, value)


def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """A copy of a collection of the default graph; with `scope`, the items whose names match that pattern from their start."""
    return get_default_graph().get_collection(key, scope)


def get_collection_ref(key: Any) -> list[Any]:
    """A collection of the default graph itself."""
    return get_default_graph().get_collection_ref(key)


@contextlib.contextmanager
def init_scope() -> Iterator[None]:
    """Build in the outermost graph, free of control dependencies: variables and their initial values are made so."""
    with _free(get_default_graph().outermost):
        yield


@contextlib.contextmanager
def free_of_dependencies() -> Iterator[None]:
    """Build free of control dependencies and outside of every loop, as `tf.control_dependencies(None)` does."""
    with _free(get_default_graph().around_loops):
        yield


@contextlib.contextmanager
def _free(outer: Graph) -> Iterator[None]:
    """Build in `outer`, a graph around the default one or that itself, in the same name scope, after nothing."""
    graph = get_default_graph()
    scope = graph.get_name_scope()
    with contextlib.ExitStack() as stack:
        if outer is not graph:
            stack.enter_context(outer.as_default())
        stack.enter_context(outer.control_dependencies(None))
        if outer is not graph:
            stack.enter_context(outer.name_scope(scope + "/" if scope else None))
        yield


def name_from_scope(scope: str) -> str:
    """'a/b/' -> 'a/b'."""
    return scope[:-1] if scope.endswith("/") else scope


def strip_name_scope(name: str, export_scope: str | None) -> str:
    """`name` without the leading scope."""
    if not export_scope:
        return name
    scope = export_scope.rstrip("/") + "/"
    for prefix in ("", "^", "loc:@"):
        if name.startswith(prefix + scope):
            return prefix + name[len(prefix) + len(scope) :]
    return name


def prepend_name_scope(name: str, import_scope: str | None) -> str:
    """`name` below another scope."""
    if not import_scope:
        return name
    scope = import_scope.rstrip("/")
    for prefix in ("^", "loc:@"):
        if name.startswith(prefix):
            return f"{prefix}{scope}/{name[len(prefix) :]}"
    return f"{scope}/{name}"
