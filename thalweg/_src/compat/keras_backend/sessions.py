"""Keras's session, the numbers of its layers' names, and its learning phase, each of a graph."""

from __future__ import annotations

import collections
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from thalweg._src.core.graph import Graph, Tensor, get_default_graph, reset_default_graph
from thalweg._src.core.scopes import init_scope, name_scope
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.stateful.assigning import is_variable_initialized
from thalweg._src.ops.stateful.variable_lists import variables_initializer
from thalweg._src.runtime.session import Session, get_default_session

_uids: WeakKeyDictionary[Graph, collections.Counter[str]] = WeakKeyDictionary()
_phases: WeakKeyDictionary[Graph, Any] = WeakKeyDictionary()
_variables: WeakKeyDictionary[Graph, WeakSet[Any]] = WeakKeyDictionary()
_session: Session | None = None
_initializes_by_hand = False


def get_graph() -> Graph:
    return get_default_graph()


def get_uid(prefix: str = "") -> int:
    """1 for the first time that `prefix` is asked in this graph, then 2 …"""
    counter = _uids.setdefault(get_graph(), collections.Counter())
    counter[prefix] += 1
    return counter[prefix]


def reset_uids() -> None:
    _uids.clear()


def learning_phase() -> Any:
    """A boolean tensor that is False where it is not fed, or the number that was set: 0 tests, 1 trains."""
    with init_scope():
        graph = get_graph()
        if graph not in _phases:
            with name_scope(""):
                _phases[graph] = constants.placeholder_with_default(False, shape=(), name="keras_learning_phase")
        return _phases[graph]


def set_learning_phase(value: int) -> None:
    """Fix the phase of this graph at 0 or 1. ValueError for anything else."""
    if value not in (0, 1):
        raise ValueError("Expected learning phase to be 0 or 1.")
    _phases[get_graph()] = value


def manual_variable_initialization(value: bool) -> None:
    global _initializes_by_hand
    _initializes_by_hand = value


def get_session(op_input_list: Any = ()) -> Session:
    """The default session, else Keras's for the graph of the first tensor given, or for the default graph.

    The variables that Keras made and nobody has initialized yet are.
    """
    global _session
    session = get_default_session()
    if session is None:
        graph = next((x.graph for x in op_input_list if isinstance(x, Tensor)), get_graph())
        if _session is None or _session.graph is not graph:
            _session = Session(graph=graph)
        session = _session
    if not _initializes_by_hand:
        with session.graph.as_default():
            _initialize(session)
    return session


def set_session(session: Session) -> None:
    global _session
    _session = session


def clear_session() -> None:
    """A new default graph; names, phase and session begin anew."""
    global _session
    reset_default_graph()
    reset_uids()
    _session = None
    _phases.clear()
    learning_phase()


def keep(variable: Any) -> None:
    """Note a variable that `get_session` shall initialize."""
    _variables.setdefault(getattr(variable, "graph", None) or get_graph(), WeakSet()).add(variable)


def _initialize(session: Session) -> None:
    fresh = [v for v in _variables.get(session.graph, ()) if not getattr(v, "_keras_initialized", False)]
    if not fresh:
        return
    done = session.run([is_variable_initialized(v) for v in fresh])
    left = [v for v, is_done in zip(fresh, done, strict=True) if not is_done]
    for v in fresh:
        v._keras_initialized = True
    if left:
        session.run(variables_initializer(left))
