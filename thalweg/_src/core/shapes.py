"""Static shapes. Inside, a shape is a tuple of sizes and Nones, or None where not even the rank is known ("dims").

`TensorShape` is the face of that for the user; `merge`, `broadcast` and the like are what shape rules use.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from thalweg._src.core.dimension import Dimension

Dims = tuple[int | None, ...] | None


class TensorShape:
    """The static shape of a tensor: fully known, partly known (`[None, 3]`), or of unknown rank (`TensorShape(None)`).

    >>> tf.TensorShape([None, 3]).as_list()
    [None, 3]
    """

    __slots__ = ("_dims",)
    _v2_behavior = False  # whether sizes are plain integers, as in 2.x; read by programs of 1.13 to 1.15

    def __init__(self, dims: Any):
        self._dims: Dims = as_dims(dims)

    @classmethod
    def _of(cls, dims: Dims) -> TensorShape:
        self = object.__new__(cls)
        self._dims = dims
        return self

    @property
    def rank(self) -> int | None:
        """The number of dimensions, or None."""
        return None if self._dims is None else len(self._dims)

    @property
    def ndims(self) -> int | None:
        """The number of dimensions, or None."""
        return self.rank

    @property
    def dims(self) -> list[Dimension] | None:
        """A list of `Dimension`s, or None where the rank is unknown."""
        return None if self._dims is None else [Dimension(d) for d in self._dims]

    def as_list(self) -> list[int | None]:
        """Sizes and Nones. Raises ValueError where the rank is unknown."""
        if self._dims is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self._dims)

    def as_proto(self) -> Any:
        """The shape as a TensorShapeProto."""
        from thalweg._src.formats import protos

        if self._dims is None:
            return protos.TensorShapeProto(unknown_rank=True)
        dim = [protos.TensorShapeProto.Dim(size=-1 if d is None else d) for d in self._dims]
        return protos.TensorShapeProto(dim=dim)

    def is_fully_defined(self) -> bool:
        return self._dims is not None and None not in self._dims

    def assert_is_fully_defined(self) -> None:
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def num_elements(self) -> int | None:
        """The product of the sizes, or None where one is unknown."""
        return size_of(self._dims)

    def is_compatible_with(self, other: Any) -> bool:
        return compatible(self._dims, as_shape(other)._dims)

    def assert_is_compatible_with(self, other: Any) -> None:
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {as_shape(other)} are incompatible")

    def merge_with(self, other: Any) -> TensorShape:
        """The shape that knows what both know. Raises ValueError where they contradict each other."""
        other = as_shape(other)
        merged = merge(self._dims, other._dims)
        if merged is False:
            raise ValueError(f"Shapes {self} and {other} are not compatible")
        return TensorShape._of(merged)

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """The most specific shape that both are compatible with."""
        a, b = self._dims, as_shape(other)._dims
        if a is None or b is None or len(a) != len(b):
            return TensorShape._of(None)
        return TensorShape._of(tuple(x if x == y else None for x, y in zip(a, b, strict=True)))

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return as_shape(other).concatenate(self)

    def concatenate(self, other: Any) -> TensorShape:
        a, b = self._dims, as_shape(other)._dims
        return TensorShape._of(None if a is None or b is None else a + b)

    def with_rank(self, rank: int) -> TensorShape:
        if self._dims is not None and len(self._dims) != rank:
            raise ValueError(f"Shape {self} must have rank {rank}")
        return self if self._dims is not None else TensorShape._of((None,) * rank)

    def with_rank_at_least(self, rank: int) -> TensorShape:
        if self._dims is not None and len(self._dims) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        if self._dims is not None and len(self._dims) > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def assert_has_rank(self, rank: int) -> None:
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def assert_same_rank(self, other: Any) -> None:
        other = as_shape(other)
        if self.rank is not None and other.rank is not None and self.rank != other.rank:
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def __len__(self) -> int:
        if self._dims is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self._dims)

    def __iter__(self):
        if self._dims is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter([Dimension(d) for d in self._dims])

    def __getitem__(self, key: Any) -> Any:
        if self._dims is not None:
            return TensorShape._of(self._dims[key]) if isinstance(key, slice) else Dimension(self._dims[key])
        if not isinstance(key, slice):
            return Dimension(None)
        start, stop = key.start or 0, key.stop
        if key.step is not None:
            raise ValueError("Steps are not yet handled")
        if stop is None or start < 0 or stop < 0:
            return TensorShape._of(None)
        return TensorShape._of((None,) * max(0, stop - start))

    def __bool__(self) -> bool:
        return self._dims is not None

    __nonzero__ = __bool__

    def __eq__(self, other: Any) -> bool:
        """Whether both are known to be the same: a size that is unknown equals no other one."""
        try:
            other = as_shape(other)
        except TypeError:
            return NotImplemented
        if self is other or self._dims is None or other._dims is None:
            return self._dims is other._dims
        return self._dims == other._dims and None not in self._dims

    def __ne__(self, other: Any) -> bool:
        try:
            other = as_shape(other)
        except TypeError:
            return NotImplemented
        if self._dims is None or other._dims is None:
            raise ValueError("The inequality of unknown TensorShapes is undefined.")
        return not self == other

    def __hash__(self) -> int:
        return hash(self._dims)

    def __str__(self) -> str:
        if self._dims is None:
            return "<unknown>"
        if len(self._dims) == 1:
            return f"({Dimension(self._dims[0])},)"
        return "(" + ", ".join("?" if d is None else str(d) for d in self._dims) + ")"

    def __repr__(self) -> str:
        return f"TensorShape({self.dims!r})"

    def __reduce__(self):
        return TensorShape, (None if self._dims is None else list(self._dims),)


def as_shape(shape: Any) -> TensorShape:
    """`shape` as a TensorShape."""
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)


def as_dims(shape: Any) -> Dims:
    """`shape` (a list, a TensorShape, a proto, an int, None) as a tuple of sizes and Nones, or None."""
    if shape is None:
        return None
    if isinstance(shape, TensorShape):
        return shape._dims
    if isinstance(shape, tuple | list):
        return tuple(d if type(d) is int and d >= 0 else Dimension(d)._value for d in shape)
    if hasattr(shape, "unknown_rank"):  # a TensorShapeProto
        return None if shape.unknown_rank else tuple(None if d.size == -1 else d.size for d in shape.dim)
    if isinstance(shape, str):
        raise TypeError(f"A string has ambiguous TensorShape, please wrap in a list or convert to an int: {shape!r}")
    try:
        return tuple(Dimension(d)._value for d in shape)
    except TypeError:
        return (Dimension(shape)._value,)


def size_of(dims: Dims) -> int | None:
    """The number of elements, or None where that is unknown."""
    if dims is None:
        return None
    n = 1
    for d in dims:
        if d is None:
            return None
        n *= d
    return n


def compatible(a: Dims, b: Dims) -> bool:
    """Whether one tensor could have both shapes."""
    if a is None or b is None:
        return True
    if len(a) != len(b):
        return False
    for x, y in zip(a, b, strict=True):  # noqa: SIM110 (every feed and most nodes come by here; a generator costs more)
        if x != y and x is not None and y is not None:
            return False
    return True


def merge(a: Dims, b: Dims) -> Any:
    """What both shapes know together; False where they contradict each other."""
    if a is None:
        return b
    if b is None:
        return a
    if not compatible(a, b):
        return False
    return tuple(y if x is None else x for x, y in zip(a, b, strict=True))


def broadcast(a: Dims, b: Dims) -> Any:
    """NumPy's broadcast of two partly known shapes; False where they do not fit."""
    if a is None or b is None:
        return None
    if a == b and None not in a:
        return a
    n = max(len(a), len(b))
    out = []
    for x, y in zip((1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b, strict=True):
        if x == y:
            out.append(x)
        elif x == 1:
            out.append(y)
        elif y == 1:
            out.append(x)
        elif x is None:  # y > 1: x is 1 or y
            out.append(y)
        elif y is None:
            out.append(x)
        else:
            return False
    return tuple(out)


def merge_all(shapes: Iterable[Dims]) -> Any:
    """What all shapes know together; False where two contradict each other."""
    known: Any = None
    for s in shapes:
        known = merge(known, s)
        if known is False:
            return False
    return known


def text(dims: Dims) -> str:
    """A shape as messages show it: [2,?,3]."""
    return "<unknown>" if dims is None else "[" + ",".join("?" if d is None else str(d) for d in dims) + "]"


def product(sizes: Sequence[int | None]) -> int | None:
    return size_of(tuple(sizes))


def of_rank(dims: Dims, rank: int) -> tuple[int | None, ...]:
    """`dims`, which must have `rank` sizes; all unknown where nothing is known. Raises ValueError."""
    if dims is None:
        return (None,) * rank
    if len(dims) != rank:
        raise ValueError(f"Shape must be rank {rank} but is rank {len(dims)}")
    return dims


def of_rank_at_least(dims: Dims, rank: int) -> Dims:
    """`dims`, which must have `rank` sizes or more, if any are known. Raises ValueError."""
    if dims is not None and len(dims) < rank:
        raise ValueError(f"Shape must be at least rank {rank} but is rank {len(dims)}")
    return dims


def of_rank_at_most(dims: Dims, rank: int) -> Dims:
    """`dims`, which must have `rank` sizes or fewer, if any are known. Raises ValueError."""
    if dims is not None and len(dims) > rank:
        raise ValueError(f"Shape must be at most rank {rank} but is rank {len(dims)}")
    return dims


def merged(a: Dims, b: Dims) -> Dims:
    """What both shapes know together. Raises ValueError where they contradict each other, saying where."""
    both = merge(a, b)
    if both is not False:
        return both
    assert a is not None
    assert b is not None
    if len(a) != len(b):
        raise ValueError(f"Shapes must be equal rank, but are {len(a)} and {len(b)}")
    i = next(i for i, (x, y) in enumerate(zip(a, b, strict=True)) if None not in (x, y) and x != y)
    raise ValueError(
        f"Dimension {i} in both shapes must be equal, but are {a[i]} and {b[i]}. Shapes are {text(a)} and {text(b)}."
    )


def one_size(a: int | None, b: int | None) -> int | None:
    """The size that `a` and `b` both are. Raises ValueError where they differ."""
    if a is not None and b is not None and a != b:
        raise ValueError(f"Dimensions must be equal, but are {a} and {b}")
    return b if a is None else a


def axis_in(axis: int, rank: int) -> int:
    """`axis` counted from the front. Raises ValueError where there is no such axis."""
    if not -rank <= axis < rank:
        raise ValueError(f"Shape must be at least rank {axis + 1 if axis >= 0 else -axis} but is rank {rank}")
    return axis + rank if axis < 0 else axis


def unknown_shape(ndims: int | None = None, *, rank: int | None = None) -> TensorShape:
    """A shape of which nothing, or only the rank, is known."""
    n = ndims if rank is None else rank
    return TensorShape._of(None if n is None else (None,) * n)


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """The shape of the broadcast of two shapes. Raises ValueError where they do not fit."""
    dims = broadcast(as_shape(shape_x)._dims, as_shape(shape_y)._dims)
    if dims is False:
        raise ValueError(f"Incompatible shapes for broadcasting: {as_shape(shape_x)} and {as_shape(shape_y)}")
    return TensorShape._of(dims)
