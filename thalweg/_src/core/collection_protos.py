"""How the items of a collection become messages in a MetaGraph, and messages items: one entry per collection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class _Conversion(NamedTuple):
    proto_type: Any
    to_proto: Callable[..., Any] | None
    from_proto: Callable[..., Any] | None


_conversions: dict[str, _Conversion] = {}


def register_proto_function(
    collection_name: str, proto_type: Any = None, to_proto: Any = None, from_proto: Any = None
) -> None:
    """Let a collection be exported: `to_proto(item, export_scope=)` gives a message (or None to leave the item out),
    `from_proto(message, import_scope=)` the item. `proto_type` is the class of the messages, or its name.

    Raises TypeError where a function is none, KeyError for a collection that is registered already.
    """
    if to_proto is not None and not callable(to_proto):
        raise TypeError("to_proto must be callable.")
    if from_proto is not None and not callable(from_proto):
        raise TypeError("from_proto must be callable.")
    if collection_name in _conversions:
        raise KeyError(f"Registering two proto_function with name '{collection_name}'!")
    _conversions[collection_name] = _Conversion(proto_type, to_proto, from_proto)


def conversion(collection_name: str) -> _Conversion:
    """How the items of the collection are converted; functions that are None where nobody has said."""
    found = _conversions.get(collection_name, _Conversion(None, None, None))
    if isinstance(found.proto_type, str):
        from thalweg._src.formats import protos

        return found._replace(proto_type=getattr(protos, found.proto_type))
    return found
