"""tensorflow.python.framework.tensor_shape: shapes by their rank."""

from typing import Any

from thalweg._src.core.dimension import Dimension, as_dimension
from thalweg._src.core.shapes import TensorShape, as_shape, unknown_shape


def scalar() -> TensorShape:
    """[]"""
    return TensorShape([])


def vector(length: Any) -> TensorShape:
    """[length]"""
    return TensorShape([length])


def matrix(rows: Any, cols: Any) -> TensorShape:
    """[rows, cols]"""
    return TensorShape([rows, cols])


def dimension_value(dimension: Any) -> Any:
    """The size of a Dimension; what is none, as it is."""
    return dimension.value if isinstance(dimension, Dimension) else dimension


def dimension_at_index(shape: TensorShape, index: int) -> Dimension:
    """The Dimension at `index`; an unknown one where the rank is unknown."""
    return Dimension(None) if shape.ndims is None else shape.dims[index]  # type: ignore[index]


__all__ = [
    *("Dimension", "TensorShape", "as_dimension", "as_shape", "dimension_at_index", "dimension_value", "matrix"),
    *("scalar", "unknown_shape", "vector"),
]
