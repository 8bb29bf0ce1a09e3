"""Nested structures: lists, tuples, named tuples and dicts (sorted by key), with tensors and the like as leaves."""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Sequence
from typing import Any

_KINDS = (collections.abc.Mapping, collections.abc.Sequence, collections.abc.MappingView)


def is_nested(value: Any) -> bool:
    """Whether `value` is a structure rather than a leaf."""
    if isinstance(value, list | tuple | dict):
        return True
    if isinstance(value, str | bytes | bytearray | memoryview):
        return False
    return isinstance(value, _KINDS) or hasattr(value, "_nest_parts")


def parts(value: Any) -> list[Any]:
    """The direct children of a structure, in order."""
    if isinstance(value, collections.abc.Mapping):
        return [value[k] for k in _sorted(value)]
    if hasattr(value, "_nest_parts"):  # a TensorArray and the like: tensors under one name
        return list(value._nest_parts())
    return list(value)


def _sorted(mapping: collections.abc.Mapping) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys.") from None


def rebuild(like: Any, children: Sequence[Any]) -> Any:
    """A structure as `like`, with other children."""
    if isinstance(like, collections.abc.Mapping):
        pairs = dict(zip(_sorted(like), children, strict=True))
        ordered = [(k, pairs[k]) for k in like]
        if isinstance(like, collections.defaultdict):
            return collections.defaultdict(like.default_factory, ordered)
        return type(like)(ordered)  # type: ignore[call-arg]
    if hasattr(like, "_nest_parts"):
        return like._nest_rebuild(list(children))
    if hasattr(like, "_fields"):
        return type(like)(*children)
    if isinstance(like, collections.abc.MappingView | range):
        return list(children)
    return type(like)(children)  # type: ignore[call-arg]


def flatten(value: Any) -> list[Any]:
    """The leaves of `value`, in order."""
    if not is_nested(value):
        return [value]
    return [leaf for part in parts(value) for leaf in flatten(part)]


def pack(like: Any, leaves: Sequence[Any]) -> Any:
    """The structure of `like` with `leaves` in the places of its leaves. Raises ValueError where their number is another."""
    own = flatten(like)
    if len(own) != len(leaves):
        raise ValueError(f"The structure has {len(own)} elements, but flat_sequence has {len(leaves)} elements: {like}")
    found = iter(leaves)

    def build(node: Any) -> Any:
        return rebuild(node, [build(p) for p in parts(node)]) if is_nested(node) else next(found)

    return build(like)


def map_leaves(f: Callable[..., Any], *structures: Any) -> Any:
    """The structure of the first, each leaf the result of `f` on the leaves at that place."""
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    results = [f(*leaves) for leaves in zip(*[flatten(s) for s in structures], strict=True)]
    return pack(structures[0], results)


def assert_same_structure(a: Any, b: Any, check_types: bool = True) -> None:
    """Raises ValueError or TypeError unless the two have the same nesting, and with `check_types` the same types of it."""
    try:
        _compare(a, b, check_types)
    except (TypeError, ValueError) as error:
        text = "The two structures don't have the same nested structure."
        if text in str(error):
            raise
        raise type(error)(
            f"{text}\n\nFirst structure: {a}\n\nSecond structure: {b}\n\nMore specifically: {error}"
        ) from None


def _compare(a: Any, b: Any, check_types: bool) -> None:
    if is_nested(a) != is_nested(b):
        raise ValueError(
            f"The two structures don't have the same nested structure.\n\nFirst structure: {a}\n\nSecond structure: {b}"
        )
    if not is_nested(a):
        return
    if check_types and type(a) is not type(b):
        both_mappings = isinstance(a, collections.abc.Mapping) and isinstance(b, collections.abc.Mapping)
        same_tuple = (
            hasattr(a, "_fields")
            and hasattr(b, "_fields")
            and a._fields == b._fields
            and type(a).__name__ == type(b).__name__
        )
        if not both_mappings and not same_tuple:
            raise TypeError(
                f"The two structures don't have the same sequence type. First structure has type {type(a)}, while second structure "
                f"has type {type(b)}."
            )
    if isinstance(a, collections.abc.Mapping) and set(a) != set(b):
        raise ValueError(f"The two dictionaries don't have the same set of keys. First: {list(a)}, second: {list(b)}")
    own, other = parts(a), parts(b)
    if len(own) != len(other):
        raise ValueError(
            f"The two structures don't have the same nested structure.\n\nFirst structure: {a}\n\nSecond structure: {b}\n\n"
            f"The two structures don't have the same number of elements: {len(own)} and {len(other)}."
        )
    for x, y in zip(own, other, strict=True):
        _compare(x, y, check_types)


# -- the same with a TensorArray and the like as one leaf


def objects(value: Any) -> list[Any]:
    """The leaves of `value`, in order, as a program counts them: a TensorArray is one."""
    if not is_nested(value) or hasattr(value, "_nest_parts"):
        return [value]
    return [leaf for part in parts(value) for leaf in objects(part)]


def pack_objects(like: Any, leaves: Sequence[Any]) -> Any:
    """The structure of `like` with `leaves` in the places of its `objects`. Raises ValueError where their number is another."""
    own = objects(like)
    if len(own) != len(leaves):
        raise ValueError(f"The structure has {len(own)} elements, but flat_sequence has {len(leaves)} elements: {like}")
    found = iter(leaves)

    def build(node: Any) -> Any:
        if not is_nested(node) or hasattr(node, "_nest_parts"):
            return next(found)
        return rebuild(node, [build(p) for p in parts(node)])

    return build(like)


def map_objects(f: Callable[..., Any], *structures: Any) -> Any:
    """The structure of the first, each object the result of `f` on the objects at that place."""
    columns = zip(*[objects(s) for s in structures], strict=True)
    return pack_objects(structures[0], [f(*column) for column in columns])


def same_objects(a: Any, b: Any, check_types: bool = True) -> None:
    """`assert_same_structure` as a program counts leaves: the leaves may be of different kinds."""
    assert_same_structure(map_objects(lambda _: 0, a), map_objects(lambda _: 0, b), check_types)
