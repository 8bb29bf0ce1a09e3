"""tensorflow.python.framework.common_shapes: what shapes broadcast to."""

from typing import Any

from thalweg._src.core.shapes import TensorShape, as_dims, broadcast


def broadcast_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """What two shapes broadcast to, as far as they are known. ValueError where they don't."""
    x, y = as_dims(shape_x), as_dims(shape_y)
    both = broadcast(x, y)
    if both is False:
        raise ValueError(f"Incompatible shapes for broadcasting: {TensorShape(x)} and {TensorShape(y)}")
    return TensorShape(both)


def is_broadcast_compatible(shape_x: Any, shape_y: Any) -> bool:
    """Whether two shapes, as far as they are known, broadcast."""
    return broadcast(as_dims(shape_x), as_dims(shape_y)) is not False
