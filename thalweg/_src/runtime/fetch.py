"""From what the user asks for (tensors, ops, names, nested in lists, tuples and dicts) to a flat list, and back."""

from __future__ import annotations

import collections.abc
from collections.abc import Callable
from typing import Any

from thalweg._src.core import nest
from thalweg._src.core.graph import Graph, Operation, Tensor

# (type, fetch -> (elements, rebuild), (feed, value) -> [(tensor, value)], feed -> [tensors]); later ones are asked first.
_expansions: list[tuple[type, Callable, Callable | None, Callable | None]] = []


def register_session_run_conversion_functions(
    tensor_type: type,
    fetch_function: Callable[[Any], Any],
    feed_function: Callable[..., Any] | None = None,
    feed_function_for_partial_run: Callable[..., Any] | None = None,
) -> None:
    """Let `Session.run` fetch and feed values of `tensor_type`. Raises ValueError if the type is known already."""
    for known, *_ in _expansions:
        if issubclass(tensor_type, known):
            raise ValueError(f"{tensor_type} has already been registered so ignore it.")
    _expansions.insert(0, (tensor_type, fetch_function, feed_function, feed_function_for_partial_run))


class Fetches:
    """A fetch structure: its distinct tensors and targets, and how to build the result from their values."""

    def __init__(self, graph: Graph, fetches: Any):
        self.tensors: list[Tensor] = []
        self.targets: list[Operation] = []
        self._at: dict[Tensor, int] = {}
        self._graph = graph
        self.build = self._read(fetches)
        self.key = (tuple(self.tensors), tuple(self.targets))

    def _read(self, fetch: Any) -> Callable[[list[Any]], Any]:
        if fetch is None:
            raise TypeError(f"Fetch argument {fetch!r} has invalid type {type(fetch)!r}")
        if isinstance(fetch, list | tuple):
            parts = [self._read(f) for f in fetch]
            if isinstance(fetch, list):
                return lambda values: [p(values) for p in parts]
            if hasattr(fetch, "_fields"):
                make = type(fetch)._make  # type: ignore[attr-defined]
                return lambda values: make(p(values) for p in parts)
            return lambda values: tuple(p(values) for p in parts)
        if isinstance(fetch, collections.abc.Mapping):
            items = {k: self._read(v) for k, v in fetch.items()}
            kind = type(fetch)
            if kind is dict:
                return lambda values: {k: p(values) for k, p in items.items()}
            return lambda values: _mapping(kind, fetch, {k: p(values) for k, p in items.items()})
        if hasattr(type(fetch), "__attrs_attrs__"):
            fields = [a.name for a in type(fetch).__attrs_attrs__]
            parts = [self._read(getattr(fetch, f)) for f in fields]
            return lambda values: type(fetch)(*[p(values) for p in parts])
        for kind, expand, _, _ in _expansions:
            if isinstance(fetch, kind):
                elements, contract = expand(fetch)
                parts = [self._element(e, fetch) for e in elements]
                return lambda values: contract([p(values) for p in parts])
        if hasattr(fetch, "_components"):  # a SparseTensor, IndexedSlices: several tensors under one name
            parts = [self._element(e, fetch) for e in fetch._components()]
            make = fetch._from_values
            return lambda values: make([p(values) for p in parts])
        return self._element(fetch, fetch)

    def _element(self, fetch: Any, whole: Any) -> Callable[[list[Any]], Any]:
        try:
            element = self._graph.as_graph_element(fetch, allow_tensor=True, allow_operation=True)
        except TypeError as error:
            raise TypeError(
                f"Fetch argument {whole!r} has invalid type {type(whole)!r}, must be a string or Tensor. ({error})"
            ) from None
        except ValueError as error:
            raise ValueError(f"Fetch argument {whole!r} cannot be interpreted as a Tensor. ({error})") from None
        except KeyError as error:
            raise ValueError(f"Fetch argument {whole!r} cannot be interpreted as a Tensor. ({error})") from None
        if not self._graph.is_fetchable(element):
            raise ValueError(f"Operation {element.name!r} has been marked as not fetchable.")
        if isinstance(element, Operation):
            if element not in self.targets:
                self.targets.append(element)
            return lambda values: None
        if element not in self._at:
            self._at[element] = len(self.tensors)
            self.tensors.append(element)
        index = self._at[element]
        return lambda values: values[index]


def _mapping(kind: type, original: Any, values: dict[Any, Any]) -> Any:
    if isinstance(original, collections.defaultdict):
        return collections.defaultdict(original.default_factory, values)
    return kind(values)


def expand_feed(key: Any, value: Any) -> list[tuple[Any, Any]]:
    """One entry of a feed_dict as (tensor, value) pairs: a SparseTensor takes three."""
    for kind, _, feed, _ in _expansions:
        if isinstance(key, kind) and feed is not None:
            return list(feed(key, value))
    if isinstance(key, tuple):  # a nested key: its leaves take those of the value, an array being one
        keys, values = nest.flatten(key), nest.flatten(value)
        if len(keys) != len(values):
            nest.assert_same_structure(key, value, check_types=False)
        return list(zip(keys, values, strict=True))
    if hasattr(key, "_components"):
        parts = key._components()
        value = value._components() if hasattr(value, "_components") else value
        if len(value) > len(parts):
            raise ValueError(f"The feed of {key} has {len(parts)} parts, {len(value)} were given")
        return list(zip(parts, value, strict=False))  # a shape that is known need not be fed
    return [(key, value)]


def expand_partial_feed(key: Any) -> list[Any]:
    for kind, _, _, feed in _expansions:
        if isinstance(key, kind) and feed is not None:
            return list(feed(key))
    return key._components() if hasattr(key, "_components") else [key]
