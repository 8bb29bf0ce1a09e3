"""Optional values: the next element of an iterator, or none."""

from typing import Any

import numpy as np

from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import variant
from thalweg._src.core.opdef import Mixed, op
from thalweg._src.ops.data.pipeline import SHAPES, TYPES, array, invalid
from thalweg._src.ops.data.pipeline import variant as variant_of


class Optional:
    """An element, or None."""

    def __init__(self, element: tuple | None):
        self.element = element


def _of(handle: Any) -> Optional:
    value = handle.item() if isinstance(handle, np.ndarray) and handle.ndim == 0 else handle
    if not isinstance(value, Optional):
        raise invalid("Input is not an Optional.")
    return value


@op("OptionalFromValue", host=True, foldable=False)
def optional_from_value(components: Mixed("Toutput_types", 1), *, Toutput_types: TYPES) -> variant:
    """A value as an optional one."""
    return variant_of(Optional(tuple(components)))


@op("OptionalNone", host=True, foldable=False)
def optional_none() -> variant:
    """No value."""
    return variant_of(Optional(None))


@op("OptionalHasValue", host=True, foldable=False)
def optional_has_value(optional: variant) -> bool_:
    """Whether there is a value."""
    return np.bool_(_of(optional).element is not None)


@op("OptionalGetValue", host=True, foldable=False)
def optional_get_value(optional: variant, *, output_types: TYPES, output_shapes: SHAPES) -> Mixed("output_types", 1):
    """The value. Raises InvalidArgumentError in the run where there is none."""
    element = _of(optional).element
    if element is None:
        raise invalid("The given optional does not have a value.")
    return [array(x) for x in element]


for _o in (optional_from_value, optional_none, optional_has_value):
    _o.shape_rule(lambda node: [()])
    _o.not_differentiable()
optional_get_value.shape_rule(lambda node: list(node.attrs["output_shapes"]))
optional_get_value.not_differentiable()
