"""Elements as lists of tensors and back, by the specs of their components."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core import nest as core_nest
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.core.sparse_tensor import SparseTensor, SparseTensorValue
from thalweg._src.core.type_spec import FROM_VALUE, TensorSpec, TypeSpec
from thalweg._src.lib.data import nest
from thalweg._src.lib.data.dataset_spec import DatasetSpec, NestedVariant
from thalweg._src.lib.data.specs import SparseTensorSpec


def spec_of(element: Any) -> Any:
    """The structure of specs of an element. Raises TypeError where a component is nothing that a tensor can hold."""
    if isinstance(element, Tensor):
        return TensorSpec(element.shape, element.dtype.base_dtype)
    found = _special(element)
    if found is not None:
        return found
    if nest.is_sequence(element):
        return nest.rebuilt(element, [spec_of(x) for x in nest.parts(element)])
    try:
        t = to_tensor(element)
    except (TypeError, ValueError):
        raise TypeError(f"Could not build a TypeSpec for {element!r} with type {type(element).__name__}") from None
    return TensorSpec(t.shape, t.dtype.base_dtype)


def _special(value: Any) -> Any:
    """The spec of a value that is more than a tensor, or None."""
    for kind, convert in FROM_VALUE:
        if type(value) is kind:
            return convert(value)
    spec = getattr(value, "_type_spec", None)
    return spec if isinstance(spec, TypeSpec) else None


def normalized(element: Any) -> Any:
    """The element with tensors for values."""

    def component(i: int, x: Any) -> Any:
        if isinstance(x, SparseTensorValue):
            return SparseTensor.from_value(x)
        if isinstance(x, Tensor) or _special(x) is not None:
            return x
        if isinstance(x, list) and x and all(isinstance(_special(d), DatasetSpec) for d in core_nest.flatten(x)):
            return NestedVariant.of(x)
        return to_tensor(x, None, f"component_{i}")

    with name_scope("normalize_element"):
        return nest.pack_sequence_as(element, [component(i, x) for i, x in enumerate(nest.flatten(element))])


def flat_specs(spec: Any) -> list[Any]:
    """The specs of the tensors that stand for an element."""
    return [t for s in nest.flatten(spec) for t in ([s] if isinstance(s, TensorSpec) else s._flat_tensor_specs)]


def flat_types(spec: Any) -> list[Any]:
    return [s.dtype for s in flat_specs(spec)]


def flat_shapes(spec: Any) -> list[Any]:
    return [s.shape for s in flat_specs(spec)]


def attrs(spec: Any) -> dict[str, Any]:
    """The attrs of an op whose elements are of `spec`."""
    return {"output_types": flat_types(spec), "output_shapes": flat_shapes(spec)}


def to_tensors(spec: Any, element: Any) -> list[Tensor]:
    """The tensors that stand for an element. Raises ValueError or TypeError where it is not of the structure of `spec`."""
    nest.assert_same_structure(spec, element)
    out: list[Tensor] = []
    for s, x in zip(nest.flatten(spec), nest.flatten(element), strict=True):
        if not isinstance(s, TensorSpec):
            out += s._to_tensor_list(x)
        else:
            out.append(x if isinstance(x, Tensor) else to_tensor(x, s.dtype))
    return out


def to_batched_tensors(spec: Any, element: Any) -> list[Tensor]:
    """The tensors whose slices along the first axis stand for the rows of an element."""
    nest.assert_same_structure(spec, element)
    out: list[Tensor] = []
    for s, x in zip(nest.flatten(spec), nest.flatten(element), strict=True):
        if not isinstance(s, TensorSpec):
            out += s._to_batched_tensor_list(x)
            continue
        if s.shape.ndims == 0:
            raise ValueError("Unbatching a tensor is only supported for rank >= 1")
        out.append(x)
    return out


def from_tensors(spec: Any, tensors: Any) -> Any:
    """The element that the tensors stand for. Raises ValueError where their number is another."""
    tensors = list(tensors)
    flat = nest.flatten(spec)
    need = sum(1 if isinstance(s, TensorSpec) else len(s._flat_tensor_specs) for s in flat)
    if need != len(tensors):
        raise ValueError(f"Expected {need} tensors but got {len(tensors)}.")
    out, at = [], 0
    for s in flat:
        if isinstance(s, TensorSpec):
            tensors[at].set_shape(s.shape)
            out.append(tensors[at])
            at += 1
        else:
            n = len(s._flat_tensor_specs)
            out.append(s._from_tensor_list(tensors[at : at + n]))
            at += n
    return nest.pack_sequence_as(spec, out)


def batched(spec: Any, size: int | None) -> Any:
    """The spec of batches of elements."""

    def batch(s: Any) -> Any:
        if isinstance(s, TensorSpec):
            return TensorSpec(TensorShape([size]).concatenate(s.shape), s.dtype)
        return s._batch(size)

    return nest.map_structure(batch, spec)


def unbatched(spec: Any) -> Any:
    """The spec of the rows of elements."""

    def unbatch(s: Any) -> Any:
        if not isinstance(s, TensorSpec):
            return s._unbatch()
        if s.shape.ndims == 0:
            raise ValueError("Unbatching a tensor is only supported for rank >= 1")
        return TensorSpec(TensorShape(None) if s.shape.ndims is None else s.shape[1:], s.dtype)

    return nest.map_structure(unbatch, spec)


# -- the three structures of DatasetV1: types, shapes and classes


def types_of(spec: Any) -> Any:
    return nest.map_structure(lambda s: s.dtype if isinstance(s, TensorSpec) else s._to_legacy_output_types(), spec)


def shapes_of(spec: Any) -> Any:
    return nest.map_structure(lambda s: s.shape if isinstance(s, TensorSpec) else s._to_legacy_output_shapes(), spec)


def classes_of(spec: Any) -> Any:
    return nest.map_structure(lambda s: Tensor if isinstance(s, TensorSpec) else s._to_legacy_output_classes(), spec)


def from_legacy(output_types: Any, output_shapes: Any, output_classes: Any) -> Any:
    """The structure of specs. Raises TypeError for a class that no component has."""
    out = []
    for t, s, c in zip(
        nest.flatten(output_types), nest.flatten(output_shapes), nest.flatten(output_classes), strict=True
    ):
        if isinstance(c, TypeSpec):
            out.append(c)
        elif isinstance(c, type) and issubclass(c, SparseTensor):
            out.append(SparseTensorSpec(s, t))
        elif isinstance(c, type) and issubclass(c, Tensor):
            out.append(TensorSpec(s, t))
        else:
            raise TypeError(f"Could not build a structure for output class {c!r}")
    return nest.pack_sequence_as(output_classes, out)


def declared(output_types: Any, output_shapes: Any = None, output_classes: Any = None) -> Any:
    """The structure of specs from what a user declares: types, and shapes and classes where they are known."""
    output_types = nest.map_structure(dtypes.as_dtype, output_types)
    if output_shapes is None:
        output_shapes = nest.map_structure(lambda _: TensorShape(None), output_types)
    else:
        output_shapes = nest.map_structure_up_to(output_types, as_shape, output_shapes)
    if output_classes is None:
        output_classes = nest.map_structure(lambda _: Tensor, output_types)
    nest.assert_same_structure(output_types, output_shapes)
    return from_legacy(output_types, output_shapes, output_classes)


def same(a: Any, b: Any) -> bool:
    """Whether elements of either structure could be of the other."""
    try:
        nest.assert_same_structure(a, b)
    except (TypeError, ValueError):
        return False
    pairs = zip(nest.flatten(a), nest.flatten(b), strict=True)
    return all(type(x) is type(y) and x.is_compatible_with(y) and y.is_compatible_with(x) for x, y in pairs)


class Structured:
    """What says of which components an element is made: `element_spec`, and the same in the older three words."""

    _element_spec: Any

    @property
    def element_spec(self) -> Any:
        """The structure of an element, each component as a TypeSpec."""
        return self._element_spec

    @property
    def output_types(self) -> Any:
        """The dtypes of the components of an element."""
        return types_of(self.element_spec)

    @property
    def output_shapes(self) -> Any:
        """The static shapes of the components of an element."""
        return shapes_of(self.element_spec)

    @property
    def output_classes(self) -> Any:
        """The Python types of the components of an element."""
        return classes_of(self.element_spec)
