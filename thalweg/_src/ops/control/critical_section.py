"""tf.CriticalSection: functions of which one runs at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from thalweg._src.core import nest
from thalweg._src.core.graph import Operation
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.basic import group, identity

_inside = threading.local()


class CriticalSection:
    """Functions whose operations are executed by `execute`, those of one call after those of another.

    A session runs the operations that touch variables in the order of their creation and a step at a time, so nothing has to be locked.
    """

    def __init__(
        self,
        name: str | None = None,
        shared_name: str | None = None,
        critical_section_def: Any = None,
        import_scope: Any = None,
    ):
        if critical_section_def is not None:
            raise ValueError(f"critical_section_def is not supported (import_scope: {import_scope})")
        with name_scope(name, "CriticalSection", []) as scope:
            self._name = shared_name or scope.rstrip("/").rpartition("/")[2]

    @property
    def name(self) -> str:
        """The name, or the shared name."""
        return self._name

    def execute(self, fn: Callable[[], Any], exclusive_resource_access: bool = True, name: str | None = None) -> Any:
        """What `fn()` gives, in operations of its own; an operation, where it gives none.

        Raises ValueError where `fn` executes something in this section itself, which would wait for ever.
        """
        running = getattr(_inside, "sections", ())
        if self in running:
            raise ValueError(
                "The function fn attempts to directly access the CriticalSection in which it would be running.  "
                "This is illegal and would cause deadlocks."
            )
        with name_scope(name, "critical_section_execute", []):
            _inside.sections = (*running, self)
            try:
                given = fn()
            finally:
                _inside.sections = running
            if given is None:
                return None
            return nest.map_leaves(lambda v: group(v) if isinstance(v, Operation) else identity(v), given)
