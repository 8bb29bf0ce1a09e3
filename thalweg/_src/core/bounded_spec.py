"""A TensorSpec with bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.shapes import TensorShape, broadcast_static_shape
from thalweg._src.core.type_spec import TensorSpec


class BoundedTensorSpec(TensorSpec):
    """The dtype and shape of a tensor, and the least and largest number of each element.

    ValueError for bounds that are None or do not broadcast to the shape.
    """

    __slots__ = ("_maximum", "_minimum")

    def __init__(self, shape: Any, dtype: Any, minimum: Any, maximum: Any, name: str | None = None):
        super().__init__(shape, dtype, name)
        if minimum is None or maximum is None:
            raise ValueError(f"minimum and maximum must be provided; but saw '{minimum}' and '{maximum}'")
        self._minimum, self._maximum = self._bound("minimum", minimum), self._bound("maximum", maximum)

    def _bound(self, which: str, value: Any) -> np.ndarray:
        try:
            broadcast_static_shape(TensorShape(np.shape(value)), self.shape)
        except ValueError as error:
            raise ValueError(f"{which} is not compatible with shape. Message: {error!r}.") from error
        bound = np.array(value, dtype=self.dtype.as_numpy_dtype)
        bound.setflags(write=False)
        return bound

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> BoundedTensorSpec:
        """A spec as `spec`; the bounds of its dtype where it has none."""
        kind = dtypes.as_dtype(spec.dtype)
        low, high = getattr(spec, "minimum", kind.min), getattr(spec, "maximum", kind.max)
        return cls(spec.shape, kind, low, high, name or spec.name)

    @property
    def minimum(self) -> np.ndarray:
        return self._minimum

    @property
    def maximum(self) -> np.ndarray:
        return self._maximum

    def _serialize(self) -> Any:
        return self._shape, self._dtype, self._minimum, self._maximum, self._name

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: Any) -> bool:
        bounds = isinstance(other, BoundedTensorSpec) and super().__eq__(other)
        return bounds and np.allclose(self.minimum, other.minimum) and np.allclose(self.maximum, other.maximum)

    def __reduce__(self) -> Any:
        return BoundedTensorSpec, self._serialize()

    def __repr__(self) -> str:
        return (
            f"BoundedTensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name!r}, "
            f"minimum={self.minimum!r}, maximum={self.maximum!r})"
        )
