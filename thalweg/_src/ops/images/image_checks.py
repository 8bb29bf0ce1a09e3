"""What the image functions ask of their arguments: while the graph is built where shapes are known, in the run otherwise."""

from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.ops.basic import with_dependencies
from thalweg._src.ops.late import array
from thalweg._src.ops.reports.checks import Assert, assert_equal, assert_greater_equal, assert_positive


def is_tensor(x: Any) -> bool:
    """Whether `x` has no value before the run."""
    return isinstance(x, Tensor) or hasattr(x, "initial_value")


def need(condition: Any, message: str) -> list[Any]:
    """An assertion for the run where `condition` is a tensor; raises ValueError where it is false at once."""
    if is_tensor(condition):
        return [Assert(condition, [message])]
    if not condition:
        raise ValueError(message)
    return []


def sizes(image: Tensor, rank: int) -> list[Any]:
    """The sizes of `image`: ints where they are known, scalar tensors where not."""
    dims = image.get_shape()
    if dims.is_fully_defined():
        return dims.as_list()
    known = dims.with_rank(rank).as_list()
    running = array.unstack(array.shape(image), rank)
    return [r if k is None else k for k, r in zip(known, running, strict=True)]


def _with(image: Tensor, checks: list[Any]) -> Tensor:
    return with_dependencies(checks, image)


def image_checks(image: Tensor) -> list[Any]:
    """Assertions that `image` has three dimensions or more, none of them empty. Raises ValueError at once where it can."""
    dims = image.get_shape()
    try:
        dims = dims.with_rank(3) if dims.ndims is None else dims.with_rank_at_least(3)
    except ValueError:
        raise ValueError("'image' must be at least three-dimensional.") from None
    if any(n == 0 for n in dims):
        raise ValueError(f"all dims of 'image.shape' must be > 0: {dims}")
    if dims.is_fully_defined():
        return []
    return [
        assert_positive(array.shape(image), ["all dims of 'image.shape' must be > 0."]),
        assert_greater_equal(array.rank(image), 3, message="'image' must be at least three-dimensional."),
    ]


def checked(image: Tensor) -> Tensor:
    """`image`, behind the assertions that its shape needs."""
    return _with(image, image_checks(image))


def checked_grey(image: Any) -> Any:
    """`image`, behind assertions that its last dimension is 1."""
    dims = image.get_shape()
    try:
        dims = dims.with_rank(2) if dims.ndims is None else dims.with_rank_at_least(2)
    except ValueError:
        raise ValueError("A grayscale image must be at least two-dimensional.") from None
    checks: list[Any] = []
    if dims.is_fully_defined():
        if dims[-1] != 1:
            raise ValueError("Last dimension of a grayscale image should be size 1.")
    else:
        one = "Last dimension of a grayscale image should be size 1."
        rank = "A grayscale image must be at least two-dimensional."
        checks = [
            assert_equal(array.shape(image)[-1], 1, message=one),
            assert_greater_equal(array.rank(image), 3, message=rank),
        ]
    return _with(image, checks)


def as_batch(image: Tensor) -> tuple[Tensor, bool]:
    """`image` with a batch dimension, and whether it had one. Raises ValueError for other than 3 or 4 dimensions."""
    ndims = image.get_shape().ndims
    if ndims == 4:
        return image, True
    if ndims not in (3, None):
        raise ValueError("'image' must have either 3 or 4 dimensions.")
    image = array.expand_dims(image, 0)
    if ndims is None:
        image.set_shape([None] * 4)
    return image, False
