"""tf.contrib.staging.StagingArea and MapStagingArea as objects of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.ops.basic import identity, no_op
from thalweg._src.ops.queueing.queue_api import tensors_in
from thalweg._src.ops.queueing.staging import MAP, ORDERED_MAP, STAGE


class BaseStagingArea:
    """What both areas share: the dtypes, shapes and names of the components, and where they are kept."""

    def __init__(
        self,
        dtypes: Sequence[Any],
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        capacity: int = 0,
        memory_limit: int = 0,
    ):
        if shared_name is not None and not isinstance(shared_name, str):
            raise ValueError("shared_name must be a string")
        self._name = get_default_graph().unique_name(type(self).__name__) if shared_name is None else shared_name
        self._dtypes = dtypes
        for what, given in (("shapes", shapes), ("names", names)):
            if given is not None and len(given) != len(dtypes):
                raise ValueError(f"StagingArea {what} must be the same length as dtypes")
        self._shapes = [TensorShape(s) for s in (shapes if shapes is not None else [None] * len(dtypes))]
        self._names = names
        self._capacity, self._memory_limit = capacity, memory_limit
        with name_scope(f"{self._name}_root"):
            self._place = no_op()

    @property
    def name(self) -> str:
        """The name under which the area is kept."""
        return self._name

    @property
    def dtypes(self) -> Sequence[Any]:
        """The dtype of each component."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shape of each component."""
        return self._shapes

    @property
    def names(self) -> Any:
        """The name of each component, or None."""
        return self._names

    @property
    def capacity(self) -> int:
        """How many elements fit; 0 is without bound."""
        return self._capacity

    @property
    def memory_limit(self) -> int:
        """How many bytes fit; 0 is without bound."""
        return self._memory_limit

    def _facts(self, name: str) -> dict[str, Any]:
        return {
            "shared_name": self._name,
            "name": name,
            "capacity": self._capacity,
            "memory_limit": self._memory_limit,
        }

    def _checked(self, vals: Any, indices: Any) -> tuple[list[Tensor], Any]:
        """The components that are to be put, as tensors, and their places."""
        if isinstance(vals, Mapping):
            if not self._names:
                raise ValueError("Staging areas must have names to enqueue a dictionary")
            if not set(vals).issubset(self._names):
                raise ValueError(
                    "Keys in dictionary to put do not match names of staging area. "
                    f"Dictionary: ({sorted(vals)}), Queue: ({sorted(self._names)})"
                )
            vals, indices = zip(*[(vals[k], i) for i, k in enumerate(self._names) if k in vals], strict=True)
        else:
            if self._names:
                raise ValueError("You must enqueue a dictionary in a staging area with names")
            if indices is None:
                raise ValueError("Indices must be supplied when inserting a list of tensors")
            if not isinstance(vals, list | tuple):
                vals, indices = [vals], [0]
            if len(indices) != len(vals):
                raise ValueError(f"Number of indices '{len(indices)}' doesn't match number of values '{len(vals)}'")
        if len(vals) > len(self._dtypes):
            raise ValueError(f"Unexpected number of inputs '{len(vals)}' vs '{len(self._dtypes)}'")
        tensors = []
        for value, i in zip(vals, indices, strict=True):
            dtype = self._dtypes[i]
            if value.dtype != dtype:
                raise ValueError(f"Datatypes do not match. '{value.dtype}' != '{dtype}'")
            value.shape.assert_is_compatible_with(self._shapes[i])
            tensors.append(to_tensor(value, dtype=dtype, name=f"component_{i}"))
        return tensors, indices

    def _here(self, tensors: Any) -> list[Tensor]:
        """`tensors` on the device of the current scope, where that is not the area's."""
        tensors = list(tensors) if isinstance(tensors, list | tuple) else [tensors]
        return tensors if no_op().device == self._place.device else [identity(t) for t in tensors]

    def _given(self, tensors: Any, indices: Sequence[int]) -> Any:
        tensors = self._here(tensors)
        for t, i in zip(tensors, indices, strict=False):
            t.set_shape(self._shapes[i])
        return {self._names[i]: t for t, i in zip(tensors, indices, strict=True)} if self._names else tensors


class StagingArea(BaseStagingArea):
    """A place where elements wait for a later step, in order. Putting waits for room, getting for an element.

    One step puts what the next one gets, so that the next input is there before it is needed.
    """

    def put(self, values: Any, name: str | None = None) -> Operation:
        """Put an element: a tensor, a list or, where components have names, a dict."""
        with name_scope(name, f"{self._name}_put", tensors_in(values)) as scope:
            if not isinstance(values, list | tuple | Mapping):
                values = [values]
            tensors, _ = self._checked(values, list(range(len(values))))
            with get_default_graph().colocate_with(self._place):
                return STAGE["put"](tensors, **self._facts(scope))

    def _taken(self, take: Callable[[], Any]) -> Any:
        with get_default_graph().colocate_with(self._place):
            taken = take()
        return self._given(taken, list(range(len(self._dtypes))))

    def get(self, name: str | None = None) -> Any:
        """Take the element that came first."""
        facts = self._facts(name or f"{self._name}_get")
        return self._taken(lambda: STAGE["get"](dtypes=self._dtypes, **facts))

    def peek(self, index: Any, name: str | None = None) -> Any:
        """The element at a place, left where it is."""
        facts = self._facts(name or f"{self._name}_peek")
        return self._taken(lambda: STAGE["peek"](index, dtypes=self._dtypes, **facts))

    def size(self, name: str | None = None) -> Tensor:
        """How many elements wait."""
        return STAGE["size"](dtypes=self._dtypes, **self._facts(name or f"{self._name}_size"))

    def clear(self, name: str | None = None) -> Operation:
        """Empty the area."""
        return STAGE["clear"](dtypes=self._dtypes, **self._facts(name or f"{self._name}_clear"))


class MapStagingArea(BaseStagingArea):
    """A place where elements wait by key, which may come and go component by component."""

    def __init__(
        self,
        dtypes: Sequence[Any],
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        ordered: bool = False,
        capacity: int = 0,
        memory_limit: int = 0,
    ):
        super().__init__(dtypes, shapes, names, shared_name, capacity, memory_limit)
        self._ops = ORDERED_MAP if ordered else MAP

    def put(self, key: Any, vals: Any, indices: Any = None, name: str | None = None) -> Operation:
        """Put components under a key: a dict by name, or a list with `indices`."""
        with name_scope(name, f"{self._name}_put", tensors_in(vals)) as scope:
            tensors, indices = self._checked(vals, indices)
            with get_default_graph().colocate_with(self._place):
                return self._ops["put"](key, indices, tensors, dtypes=self._dtypes, **self._facts(scope))

    def _places(self, indices: Any) -> tuple[list[int], list[Any]]:
        if indices is None:
            indices = list(range(len(self._dtypes)))
        if not isinstance(indices, list | tuple):
            raise TypeError(f"Invalid indices type '{type(indices)}'")
        if not indices:
            raise ValueError("Empty indices")
        if all(isinstance(i, str) for i in indices):
            if self._names is None:
                raise ValueError(
                    f"String indices provided '{indices}', but this Staging Area was not created with names."
                )
            for n in indices:
                if n not in self._names:
                    raise ValueError(f"Named index '{n}' not in Staging Area names '{self._names}'")
            indices = [self._names.index(n) for n in indices]
        elif not all(isinstance(i, int) for i in indices):
            raise TypeError(f"Mixed types in indices '{indices}'. May only be str or int")
        return list(indices), [self._dtypes[i] for i in indices]

    def _take(self, what: str, inputs: list[Any], indices: Any, name: str) -> tuple[Any, list[int]]:
        places, dtypes = self._places(indices)
        with get_default_graph().colocate_with(self._place):
            return self._ops[what](*inputs, places, dtypes=dtypes, **self._facts(name)), places

    def peek(self, key: Any, indices: Any = None, name: str | None = None) -> Any:
        """The components under a key, left where they are."""
        taken, places = self._take("peek", [key], indices, name or f"{self._name}_pop")
        return self._given(taken, places)

    def get(self, key: Any = None, indices: Any = None, name: str | None = None) -> tuple[Any, Any]:
        """(key, components): those under `key`, or of the least key in an ordered area, or of any."""
        if key is not None:
            taken, places = self._take("pop", [key], indices, name or f"{self._name}_get")
            return key, self._given(taken, places)
        (key, taken), places = self._take("popitem", [], indices, name or f"{self._name}_get_nokey")
        key = self._here(key)[0]
        return key, self._given(taken, places)

    def size(self, name: str | None = None) -> Tensor:
        """How many complete elements wait."""
        return self._ops["size"](dtypes=self._dtypes, **self._facts(name or f"{self._name}_size"))

    def incomplete_size(self, name: str | None = None) -> Tensor:
        """How many elements lack a component."""
        return self._ops["incomplete_size"](dtypes=self._dtypes, **self._facts(name or f"{self._name}_incomplete_size"))

    def clear(self, name: str | None = None) -> Operation:
        """Empty the area."""
        return self._ops["clear"](dtypes=self._dtypes, **self._facts(name or f"{self._name}_clear"))
