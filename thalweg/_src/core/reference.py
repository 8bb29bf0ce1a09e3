"""References: what stands for a tensor or a variable in sets and dicts, and gives it back."""

from typing import Any


class Reference:
    """Stands for one object: equal to the references of that object alone."""

    __slots__ = ("_held",)

    def __init__(self, held: Any):
        self._held = held

    def deref(self) -> Any:
        """The object."""
        return self._held

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Reference) and self._held is other._held

    def __hash__(self) -> int:
        return id(self._held)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._held!r}>"
