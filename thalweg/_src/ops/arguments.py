"""Arguments that had another name once."""

from typing import Any


def renamed(name: str, value: Any, old_name: str, old_value: Any) -> Any:
    """The value of an argument that may come under its old name. Raises ValueError where both are given."""
    if old_value is None:
        return value
    if value is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{name}'")
    return old_value
