"""Python functions of elements as function graphs."""

import re
import warnings
from collections.abc import Callable
from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.funcgraph import FuncGraph, building
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data import nest, structure
from thalweg._src.lib.data.specs import SparseTensorSpec


class ElementFunction:
    """`func` as a function graph: `graph`, `captured` (what it uses of the graph around) and `spec` of what it returns.

    A tuple is passed as several arguments. Raises TypeError where `func` returns what no element can be.
    """

    def __init__(self, func: Callable[..., Any], what: str, spec: Any, *, unpack: bool = True, result: Any = None):
        name = "_".join([what.replace(".", "_").replace("()", ""), _name_of(func)])
        self.graph = FuncGraph(f"__inference_{re.sub(r'[^A-Za-z0-9_<>]', '_', name)}", get_default_graph())
        self.graph._names_in_use = {}  # names of its own: outside, nothing is made
        flat = structure.flat_specs(spec)
        arguments = [self.graph.argument(s.dtype, s.shape._dims, f"args_{i}") for i, s in enumerate(flat)]
        outer = self.graph.outer
        resources = {k: len(outer.get_collection_ref(k)) for k in ("resources", "table_initializer")}
        with building(self.graph):
            element = structure.from_tensors(spec, arguments)
            given = element if unpack and type(element) is tuple else (element,)
            returned = func(*given)
            if isinstance(returned, list):
                returned = tuple(returned)
            try:
                self.spec = structure.spec_of(returned)
            except (TypeError, ValueError):
                raise TypeError(f"Unsupported return value from function passed to {what}: {returned}.") from None
            self.returned = returned
            self.graph.outputs = [to_tensor(t) for t in structure.to_tensors(self.spec, _values(self.spec, returned))]
        self.graph.outputs = [self.graph._admit(t) if t.op.graph is not self.graph else t for t in self.graph.outputs]
        if any(len(outer.get_collection_ref(k)) > n for k, n in resources.items()):
            warnings.warn(
                f"Creating resources inside a function passed to {what} is not supported. Create each resource outside the function, "
                "and capture it inside the function to use it.",
                stacklevel=4,
            )

        if outer.seed and self.graph.seed == outer.seed and self.graph._scratch.get("seed used"):
            warnings.warn(
                f"Seed {outer.seed} from outer graph might be getting used by function {name}, if the random op has not been provided "
                "any seed. Explicitly set the seed in the function if this is not the intended behavior.",
                stacklevel=4,
            )

    @property
    def captured(self) -> list[Tensor]:
        return self.graph.outer_values()


def _name_of(func: Any) -> str:
    func = getattr(func, "func", func)
    return getattr(func, "__name__", type(func).__name__)


def _values(spec: Any, returned: Any) -> Any:
    """What a function returned, with tensors of the types of `spec` for Python values."""

    def value(s: Any, x: Any) -> Any:
        return to_tensor(x, s.dtype) if isinstance(s, TensorSpec) and not isinstance(x, Tensor) else x

    flat = [value(s, x) for s, x in zip(nest.flatten(spec), nest.flatten(returned), strict=True)]
    return nest.pack_sequence_as(spec, flat)


def state_function(
    make: Callable[[Any], ElementFunction], state: Any, split: Callable[[Any], Any]
) -> tuple[ElementFunction, Any]:
    """The function of a loop over elements, and the spec of its state: sizes that the function changes become unknown.

    `make(spec)` builds it for a state of `spec`, `split(spec)` is the state's part of what it returns. Raises TypeError where the
    state changes its structure or types.
    """
    while True:
        function = make(state)
        new = split(function.spec)
        _check_state(state, new)
        weaker = []
        if len(nest.flatten(state)) != len(nest.flatten(new)):
            return function, state  # a run says so
        for a, b in zip(nest.flatten(state), nest.flatten(new), strict=True):
            if isinstance(a, TensorSpec):
                weaker.append(TensorSpec(a.shape.most_specific_compatible_shape(b.shape), a.dtype))
            elif isinstance(a, SparseTensorSpec):
                weaker.append(SparseTensorSpec(a.shape.most_specific_compatible_shape(b.shape), a.dtype))
            else:
                weaker.append(a)
        found = nest.pack_sequence_as(state, weaker)
        settled = all(_dims(a) == _dims(b) for a, b in zip(nest.flatten(state), weaker, strict=True))
        if settled:
            return function, state
        state = found


def _dims(spec: Any) -> Any:
    shape = getattr(spec, "shape", None)
    return None if shape is None else shape._dims


def _check_state(state: Any, new: Any) -> None:
    want, got = structure.classes_of(state), structure.classes_of(new)
    for a, b in zip(nest.flatten(got), nest.flatten(want), strict=False):
        if a is not b:
            raise TypeError(
                f"The element classes for the new state must match the initial state. Expected {want}; got {got}."
            )
    want, got = structure.types_of(state), structure.types_of(new)
    if any(a != b for a, b in zip(nest.flatten(want), nest.flatten(got), strict=False)):
        raise TypeError(
            f"The element types for the new state must match the initial state. Expected {want}; got {got}."
        )
