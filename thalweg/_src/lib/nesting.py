"""tf.nest: functions of nested structures: lists, tuples, named tuples, dicts (by sorted key), classes of `attrs`.

Strings, arrays, tensors and objects of other kinds are leaves. With `expand_composites`, sparse and ragged tensors are
structures of their parts.
"""

from __future__ import annotations

import collections
import collections.abc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from thalweg._src.core.type_spec import has_parts


class _Dot:
    """Stands for a leaf in messages."""

    def __repr__(self) -> str:
        return "."


def is_sequence(seq: Any) -> bool:
    """Whether `seq` is a structure."""
    if isinstance(seq, str | bytes | bytearray | memoryview):
        return False
    kinds = (collections.abc.Sequence, collections.abc.Mapping, collections.abc.MappingView)
    return isinstance(seq, kinds) or _is_attrs(seq)


is_nested = is_sequence


def is_sequence_or_composite(value: Any) -> bool:
    """Whether `value` is a structure or a tensor of several parts."""
    return is_sequence(value) or _is_composite(value) or has_parts(value)


def _test(expand_composites: bool) -> Callable[[Any], bool]:
    return is_sequence_or_composite if expand_composites else is_sequence


def _is_attrs(value: Any) -> bool:
    return hasattr(type(value), "__attrs_attrs__")


def _is_namedtuple(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(f, str) for f in getattr(value, "_fields", (0,)))


def _is_composite(value: Any) -> bool:
    return hasattr(value, "_type_spec") and hasattr(value, "_to_components")


def _same_namedtuples(a: Any, b: Any) -> bool:
    return type(a).__name__ == type(b).__name__ and a._fields == b._fields


def _sorted(mapping: Any) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys.") from None


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    """The children of a structure with their keys, in order."""
    if isinstance(value, collections.abc.Mapping):
        yield from ((k, value[k]) for k in _sorted(value))
    elif _is_attrs(value):
        yield from ((a.name, getattr(value, a.name)) for a in type(value).__attrs_attrs__)
    elif _is_namedtuple(value):
        yield from ((f, getattr(value, f)) for f in value._fields)
    elif _is_composite(value):
        yield type(value).__name__, value._to_components()
    elif has_parts(value):
        yield value.value_type.__name__, value._component_specs
    else:
        yield from enumerate(value)


def _children(value: Any) -> list[Any]:
    return [child for _, child in _items(value)]


def sequence_like(like: Any, children: Sequence[Any]) -> Any:
    """A structure of the kind of `like` with those children."""
    if isinstance(like, collections.abc.Mapping):
        pairs = dict(zip(_sorted(like), children, strict=False))
        ordered = [(k, pairs[k]) for k in like]
        if type(like) is collections.defaultdict:
            return collections.defaultdict(like.default_factory, ordered)
        return type(like)(ordered)  # type: ignore[call-arg]
    if isinstance(like, collections.abc.MappingView | range):
        return list(children)
    if _is_namedtuple(like) or _is_attrs(like):
        return type(like)(*children)
    if _is_composite(like):
        return like._type_spec._from_components(children[0])
    if has_parts(like):
        return like._from_components(children[0])
    return type(like)(children)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves, in order.

    >>> tf.nest.flatten({"b": [1, 2], "a": 0})
    [0, 1, 2]
    """
    nested = _test(expand_composites)
    out: list[Any] = []

    def walk(value: Any) -> None:
        if nested(value):
            for child in _children(value):
                walk(child)
        else:
            out.append(value)

    walk(structure)
    return out


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """The structure with `flat_sequence` for its leaves. Raises TypeError for no sequence, ValueError for another number."""
    nested = _test(expand_composites)
    if not nested(flat_sequence):
        raise TypeError("flat_sequence must be a sequence")
    flat = list(flat_sequence)
    if not nested(structure):
        if len(flat) != 1:
            raise ValueError(f"Structure is a scalar but len(flat_sequence) == {len(flat)} > 1")
        return flat[0]
    own = len(flatten(structure, expand_composites))
    if own != len(flat):
        raise ValueError(
            f"Could not pack sequence. Structure had {own} elements, but flat_sequence had {len(flat)} elements.  "
            f"Structure: {structure}, flat_sequence: {flat_sequence}."
        )
    rest = iter(flat)

    def build(value: Any) -> Any:
        return sequence_like(value, [build(c) for c in _children(value)]) if nested(value) else next(rest)

    return build(structure)


def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """`func` of the leaves at each place, in the structure of the first. Raises TypeError or ValueError where they differ."""
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    check_types = kwargs.pop("check_types", True)
    expand = kwargs.pop("expand_composites", False)
    if kwargs:
        raise ValueError(
            f"Only valid keyword arguments are `check_types` and `expand_composites`, not: `{'`, `'.join(kwargs)}`"
        )
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types=check_types, expand_composites=expand)
    leaves = zip(*(flatten(s, expand) for s in structure), strict=True)
    return pack_sequence_as(structure[0], [func(*x) for x in leaves], expand)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Raises ValueError where the nesting differs, TypeError where (with `check_types`) the types of it do."""
    try:
        _assert_same(nest1, nest2, check_types, _test(expand_composites))
    except (ValueError, TypeError) as error:
        one, two = (str(map_structure(lambda _: _Dot(), n)) for n in (nest1, nest2))
        raise type(error)(f"{error}\nEntire first structure:\n{one}\nEntire second structure:\n{two}") from None


def _assert_same(a: Any, b: Any, check_types: bool, nested: Callable[[Any], bool]) -> None:
    if nested(a) != nested(b):
        which, other = ("First", "second") if nested(a) else ("Second", "first")
        one, two = (a, b) if nested(a) else (b, a)
        raise ValueError(
            "The two structures don't have the same nested structure.\n\n"
            f"First structure: type={type(a).__name__} str={a}\n\nSecond structure: type={type(b).__name__} str={b}\n\n"
            f'More specifically: Substructure "type={type(one).__name__} str={one}" is a sequence, while substructure '
            f'"type={type(two).__name__} str={two}" is not'
        )
    if not nested(a):
        return
    if check_types:
        _check_same_type(a, b)
    if isinstance(a, collections.abc.Mapping) and isinstance(b, collections.abc.Mapping) and set(a) != set(b):
        raise ValueError(
            f"The two dictionaries don't have the same set of keys. First structure has keys {list(a)}, while second "
            f"structure has keys {list(b)}"
        )
    own, other_children = _children(a), _children(b)
    if len(own) != len(other_children):
        raise ValueError(
            "The two structures don't have the same number of elements.\n\n"
            f"First structure: type={type(a).__name__} str={a}\n\nSecond structure: type={type(b).__name__} str={b}\n\n"
            "The two structures don't have the same nested structure."
        )
    for x, y in zip(own, other_children, strict=True):
        _assert_same(x, y, check_types, nested)


def _check_same_type(a: Any, b: Any) -> None:
    if type(a) is type(b) or has_parts(a) or has_parts(b):
        return
    if _is_namedtuple(a) and _is_namedtuple(b):
        if not _same_namedtuples(a, b):
            raise TypeError(
                "The two namedtuples don't have the same sequence type. First structure has type "
                f"{type(a).__name__}, while second structure has type {type(b).__name__}"
            )
        return
    if isinstance(a, collections.abc.Mapping) and isinstance(b, collections.abc.Mapping):
        return
    raise TypeError(
        "The two structures don't have the same sequence type. First structure has type "
        f"{type(a).__name__}, while second structure has type {type(b).__name__}"
    )


def assert_shallow_structure(
    shallow_tree: Any,
    input_tree: Any,
    check_types: bool = True,
    expand_composites: bool = False,
    check_subtrees_length: bool = True,
) -> None:
    """Raises TypeError or ValueError unless `input_tree` has the structure of `shallow_tree` as far as that goes."""
    nested = _test(expand_composites)
    if not nested(shallow_tree):
        return
    if not nested(input_tree):
        raise TypeError(
            f"If shallow structure is a sequence, input must also be a sequence. Input has type: {type(input_tree)}."
        )
    if check_types and not isinstance(input_tree, type(shallow_tree)):
        _check_shallow_type(shallow_tree, input_tree)
    own, given = _children(shallow_tree), _children(input_tree)
    if check_subtrees_length and len(given) != len(own):
        raise ValueError(
            "The two structures don't have the same sequence length. Input structure has length "
            f"{len(given)}, while shallow structure has length {len(own)}."
        )
    if len(given) < len(own):
        raise ValueError(
            f"The input_tree has fewer elements than the shallow_tree. Input structure has length {len(given)}, while "
            f"shallow structure has length {len(own)}."
        )
    if isinstance(shallow_tree, collections.abc.Mapping):
        absent = set(shallow_tree) - set(input_tree)
        if absent:
            raise ValueError(
                "The shallow_tree's keys are not a subset of the input_tree's keys. The shallow_tree has the following "
                f"keys that are not in the input_tree: {sorted(absent)}."
            )
    for below, branch in zip(own, given, strict=False):
        assert_shallow_structure(below, branch, check_types, expand_composites, check_subtrees_length)


def _check_shallow_type(shallow: Any, given: Any) -> None:
    if _is_namedtuple(shallow) and _is_namedtuple(given):
        fits = _same_namedtuples(shallow, given)
    elif has_parts(shallow) or has_parts(given):
        fits = True
    else:
        fits = isinstance(shallow, collections.abc.Mapping) and isinstance(given, collections.abc.Mapping)
    if not fits:
        raise TypeError(
            f"The two structures don't have the same sequence type. Input structure has type {type(given)}, while shallow "
            f"structure has type {type(shallow)}."
        )


def _up_to(shallow: Any, value: Any, nested: Callable[[Any], bool], path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """(path, subtree) at the leaves of `shallow`."""
    if not nested(shallow):
        yield path, value
        return
    found = dict(_items(value))
    for key, below in _items(shallow):
        yield from _up_to(below, found[key], nested, (*path, key))


def flatten_with_tuple_paths_up_to(
    shallow_tree: Any,
    input_tree: Any,
    check_types: bool = True,
    expand_composites: bool = False,
    check_subtrees_length: bool = True,
) -> list[tuple[tuple, Any]]:
    """(path, subtree of `input_tree`) at the leaves of `shallow_tree`."""
    assert_shallow_structure(shallow_tree, input_tree, check_types, expand_composites, check_subtrees_length)
    return list(_up_to(shallow_tree, input_tree, _test(expand_composites)))


def flatten_up_to(
    shallow_tree: Any,
    input_tree: Any,
    check_types: bool = True,
    expand_composites: bool = False,
    check_subtrees_length: bool = True,
) -> list[Any]:
    """The subtrees of `input_tree` at the leaves of `shallow_tree`."""
    pairs = flatten_with_tuple_paths_up_to(
        shallow_tree, input_tree, check_types, expand_composites, check_subtrees_length
    )
    return [value for _, value in pairs]


def map_structure_with_tuple_paths_up_to(shallow_tree: Any, func: Any, *inputs: Any, **kwargs: Any) -> Any:
    """`func(path, *subtrees)` at the leaves of `shallow_tree`, in its structure."""
    if not inputs:
        raise ValueError("Cannot map over no sequences")
    how = {
        "check_types": kwargs.pop("check_types", True),
        "expand_composites": kwargs.pop("expand_composites", False),
        "check_subtrees_length": kwargs.pop("check_subtrees_length", True),
    }
    found = [flatten_with_tuple_paths_up_to(shallow_tree, tree, **how) for tree in inputs]
    results = [func(pairs[0][0], *(v for _, v in pairs), **kwargs) for pairs in zip(*found, strict=True)]
    return pack_sequence_as(shallow_tree, results, how["expand_composites"])


def map_structure_up_to(shallow_tree: Any, func: Any, *inputs: Any, **kwargs: Any) -> Any:
    """`func(*subtrees)` at the leaves of `shallow_tree`, in its structure."""
    return map_structure_with_tuple_paths_up_to(shallow_tree, lambda _, *values: func(*values), *inputs, **kwargs)


def map_structure_with_tuple_paths(func: Any, *structure: Any, **kwargs: Any) -> Any:
    """`func(path, *leaves)` at each place; the path is a tuple of keys and positions."""
    return map_structure_with_tuple_paths_up_to(structure[0], func, *structure, **kwargs)


def map_structure_with_paths(func: Any, *structure: Any, **kwargs: Any) -> Any:
    """`func(path, *leaves)` at each place; the path is a string, 'a/0/b'."""
    joined = lambda path, *values, **more: func("/".join(str(p) for p in path), *values, **more)
    return map_structure_with_tuple_paths_up_to(structure[0], joined, *structure, **kwargs)


def yield_flat_paths(nest: Any, expand_composites: bool = False) -> Iterator[tuple]:
    """The paths of the leaves, in order."""
    for path, _ in _up_to(nest, nest, _test(expand_composites)):
        yield path


def flatten_with_tuple_paths(structure: Any, expand_composites: bool = False) -> list[tuple[tuple, Any]]:
    """(path, leaf) in order."""
    paths = yield_flat_paths(structure, expand_composites)
    return list(zip(paths, flatten(structure, expand_composites), strict=True))


def flatten_with_joined_string_paths(
    structure: Any, separator: str = "/", expand_composites: bool = False
) -> list[tuple[str, Any]]:
    """('a/0/b', leaf) in order."""
    pairs = flatten_with_tuple_paths(structure, expand_composites)
    return [(separator.join(str(p) for p in path), leaf) for path, leaf in pairs]


def flatten_dict_items(dictionary: Any) -> dict[Any, Any]:
    """A dict whose keys and values are alike structures, as a dict of their leaves. Raises ValueError where they differ."""
    if not isinstance(dictionary, collections.abc.Mapping):
        raise TypeError("input must be a dictionary")
    flat: dict[Any, Any] = {}
    for key, value in dictionary.items():
        keys, values = (flatten(key), flatten(value)) if is_sequence(key) else ([key], [value])
        if len(keys) != len(values):
            raise ValueError(
                f"Could not flatten dictionary. Key had {len(keys)} elements, but value had {len(values)} elements. "
                f"Key: {keys}, value: {values}."
            )
        for k, v in zip(keys, values, strict=True):
            if k in flat:
                raise ValueError(f"Could not flatten dictionary: key {k} is not unique.")
            flat[k] = v
    return flat


def get_traverse_shallow_structure(traverse_fn: Any, structure: Any, expand_composites: bool = False) -> Any:
    """Which parts of a structure to go into: `traverse_fn` says True, False, or a structure of those one level deep."""
    nested = _test(expand_composites)
    wanted = traverse_fn(structure)
    if not nested(structure):
        if not isinstance(wanted, bool):
            raise TypeError(f"traverse_fn returned structure: {wanted} for non-structure: {structure}")
        return wanted
    if isinstance(wanted, bool):
        if not wanted:
            return False
        below = [get_traverse_shallow_structure(traverse_fn, c, expand_composites) for c in _children(structure)]
        return sequence_like(structure, below)
    if not nested(wanted):
        raise TypeError(f"traverse_fn returned a non-bool scalar: {wanted} for input: {structure}")
    assert_shallow_structure(wanted, structure, expand_composites=expand_composites)
    level = []
    for flag, branch in zip(_children(wanted), _children(structure), strict=False):
        if not isinstance(flag, bool):
            raise TypeError(
                f"traverse_fn didn't return a depth=1 structure of bools.  saw: {wanted}  for structure: {structure}"
            )
        level.append(get_traverse_shallow_structure(traverse_fn, branch) if flag else False)
    return sequence_like(structure, level)
