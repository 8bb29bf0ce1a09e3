"""`tf.test.StubOutForTesting`: attributes replaced for a while."""

from __future__ import annotations

import inspect
from typing import Any


class StubOutForTesting:
    """Replaces attributes of modules, classes and objects, and puts the old ones back; as a block, at its end.

    >>> class Clock:
    ...     now = 1
    >>> with tf.test.StubOutForTesting() as stubs:
    ...     stubs.Set(Clock, "now", 2)
    ...     Clock.now
    2
    >>> Clock.now
    1
    """

    def __init__(self) -> None:
        self._set: list[tuple[Any, str, Any]] = []
        self._smartly_set: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> StubOutForTesting:
        return self

    def __exit__(self, unused_exc_type: Any, unused_exc_value: Any, unused_tb: Any) -> None:
        self.CleanUp()

    def __del__(self) -> None:
        self.CleanUp()

    def CleanUp(self) -> None:
        """Put everything back."""
        self.SmartUnsetAll()
        self.UnsetAll()

    def Set(self, parent: Any, child_name: str, new_child: Any) -> None:
        """Replace the attribute `child_name` of `parent`."""
        old = getattr(parent, child_name)
        if isinstance(vars(parent).get(child_name) if hasattr(parent, "__dict__") else None, staticmethod):
            old = staticmethod(old)
        self._set.append((parent, child_name, old))
        setattr(parent, child_name, new_child)

    def UnsetAll(self) -> None:
        """Put back what `Set` has replaced."""
        _put_back(self._set)

    def SmartSet(self, obj: Any, attr_name: str, new_attr: Any) -> None:
        """Replace an attribute where it is defined: in `obj`, or in the first class that has it. Raises AttributeError for none."""
        owners = [obj, *(inspect.getmro(obj) if inspect.isclass(obj) else inspect.getmro(type(obj)))]
        owner = next((o for o in owners if attr_name in getattr(o, "__dict__", ())), None)
        if owner is None or inspect.ismodule(obj):
            owner = obj
        old = vars(owner).get(attr_name, getattr(obj, attr_name))
        self._smartly_set.append((owner, attr_name, old))
        setattr(owner, attr_name, new_attr)

    def SmartUnsetAll(self) -> None:
        """Put back what `SmartSet` has replaced."""
        _put_back(self._smartly_set)


def _put_back(replaced: list[tuple[Any, str, Any]]) -> None:
    while replaced:
        setattr(*replaced.pop())
