"""The structures of elements: tuples, named tuples and dicts (sorted by key). Lists are leaves: they become tensors.

Otherwise as `core.nest`; a SparseTensorValue is a leaf too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from thalweg._src.core.sparse_tensor import SparseTensorValue


def is_sequence(value: Any) -> bool:
    """Whether `value` is a structure rather than a leaf."""
    return isinstance(value, tuple | Mapping) and not isinstance(value, SparseTensorValue)


def parts(value: Any) -> list[Any]:
    """The direct children of a structure, in order."""
    return [value[k] for k in _sorted(value)] if isinstance(value, Mapping) else list(value)


def _sorted(mapping: Mapping) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys.") from None


def rebuilt(like: Any, children: Sequence[Any]) -> Any:
    """The children put together as those of `like` are."""
    if isinstance(like, Mapping):
        found = dict(zip(_sorted(like), children, strict=True))
        pairs = [(k, found[k]) for k in like]
        factory = getattr(like, "default_factory", None)
        return type(like)(factory, pairs) if factory is not None else type(like)(pairs)  # type: ignore[call-arg]
    return type(like)(*children) if hasattr(like, "_fields") else type(like)(children)


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order."""
    if not is_sequence(structure):
        return [structure]
    return [leaf for part in parts(structure) for leaf in flatten(part)]


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """The structure with other leaves. Raises TypeError for what is no list of leaves, ValueError where their number differs."""
    if not (is_sequence(flat_sequence) or isinstance(flat_sequence, list)):
        raise TypeError("flat_sequence must be a sequence")
    flat = list(flat_sequence)
    if not is_sequence(structure):
        if len(flat) != 1:
            raise ValueError(f"Structure is a scalar but len(flat_sequence) == {len(flat)} > 1")
        return flat[0]
    count = len(flatten(structure))
    if count != len(flat):
        raise ValueError(
            f"Could not pack sequence. Structure had {count} elements, but flat_sequence had {len(flat)} elements.  Structure: "
            f"{structure}, flat_sequence: {flat_sequence}."
        )
    leaves = iter(flat)

    def build(node: Any) -> Any:
        return rebuilt(node, [build(p) for p in parts(node)]) if is_sequence(node) else next(leaves)

    return build(structure)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True) -> None:
    """Raises ValueError or TypeError unless both are nested in the same way."""
    if len(flatten(nest1)) != len(flatten(nest2)) or is_sequence(nest1) != is_sequence(nest2):
        raise ValueError(
            f"The two structures don't have the same number of elements. First structure: {nest1}, second structure: {nest2}."
        )
    _assert_same(nest1, nest2, check_types)


def _assert_same(a: Any, b: Any, check_types: bool) -> None:
    if is_sequence(a) != is_sequence(b):
        raise ValueError(
            f"The two structures don't have the same nested structure. First structure: {a}, second structure: {b}."
        )
    if not is_sequence(a):
        return
    if check_types and type(a) is not type(b):
        raise TypeError(
            f"The two structures don't have the same sequence type. First structure has type {type(a)}, while second structure has "
            f"type {type(b)}."
        )
    for x, y in zip(parts(a), parts(b), strict=False):
        _assert_same(x, y, check_types)


def map_structure(func: Callable[..., Any], *structure: Any, **check_types_dict: Any) -> Any:
    """The structure of the first, each leaf the result of `func` on the leaves at its place."""
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    if check_types_dict and set(check_types_dict) != {"check_types"}:
        raise ValueError("Only valid keyword argument is check_types")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, **check_types_dict)
    leaves = zip(*[flatten(s) for s in structure], strict=True)
    return pack_sequence_as(structure[0], [func(*x) for x in leaves])


def assert_shallow_structure(shallow_tree: Any, input_tree: Any, check_types: bool = True) -> None:
    """Raises ValueError or TypeError unless `input_tree` is nested as `shallow_tree`, and perhaps deeper."""
    if not is_sequence(shallow_tree):
        return
    if not is_sequence(input_tree):
        raise TypeError(
            f"If shallow structure is a sequence, input must also be a sequence. Input has type: {type(input_tree)}."
        )
    if check_types and not isinstance(input_tree, type(shallow_tree)):
        raise TypeError(
            f"The two structures don't have the same sequence type. Input structure has type {type(input_tree)}, while shallow "
            f"structure has type {type(shallow_tree)}."
        )
    if len(input_tree) != len(shallow_tree):
        raise ValueError(
            f"The two structures don't have the same sequence length. Input structure has length {len(input_tree)}, while shallow "
            f"structure has length {len(shallow_tree)}."
        )
    if check_types and isinstance(shallow_tree, Mapping) and set(input_tree) != set(shallow_tree):
        raise ValueError(
            f"The two structures don't have the same keys. Input structure has keys {list(input_tree)}, while shallow structure has "
            f"keys {list(shallow_tree)}."
        )
    for x, y in zip(parts(shallow_tree), parts(input_tree), strict=True):
        assert_shallow_structure(x, y, check_types)


def flatten_up_to(shallow_tree: Any, input_tree: Any) -> list[Any]:
    """What stands in `input_tree` where `shallow_tree` has leaves."""
    assert_shallow_structure(shallow_tree, input_tree)

    def walk(shallow: Any, deep: Any) -> list[Any]:
        if not is_sequence(shallow):
            return [deep]
        return [leaf for x, y in zip(parts(shallow), parts(deep), strict=True) for leaf in walk(x, y)]

    return walk(shallow_tree, input_tree)


def map_structure_up_to(shallow_tree: Any, func: Callable[..., Any], *inputs: Any) -> Any:
    """`map_structure` over what stands in `inputs` where `shallow_tree` has leaves."""
    if not inputs:
        raise ValueError("Cannot map over no sequences")
    flat = [flatten_up_to(shallow_tree, tree) for tree in inputs]
    return pack_sequence_as(shallow_tree, [func(*x) for x in zip(*flat, strict=True)])
