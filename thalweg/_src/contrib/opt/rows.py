"""Writes of rows of reference and resource variables, and the whole variable after that."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.graph import get_default_graph
from thalweg._src.ops.stateful.resource_variables import ResourceVariable
from thalweg._src.ops.updates import updating


def _after(variable: Any, written: Any) -> Any:
    if not isinstance(variable, ResourceVariable):
        return written
    with get_default_graph().control_dependencies([written]):
        return variable.value()


def scatter_add(variable: Any, indices: Any, rows: Any, use_locking: bool = False) -> Any:
    """The variable after the rows were added."""
    return _after(variable, updating.scatter_add(variable, indices, rows, use_locking=use_locking))


def scatter_update(variable: Any, indices: Any, rows: Any, use_locking: bool = False) -> Any:
    """The variable after the rows were replaced."""
    return _after(variable, updating.scatter_update(variable, indices, rows, use_locking=use_locking))
