"""Virtual batch normalization: each example is normalized by itself and a fixed batch (arXiv 1606.03498)."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.core.infer import constant_value
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.nets.normalization import batch_normalization
from thalweg._src.ops.stateful.initializers import ones_initializer, zeros_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable, variable_scope


def _size(tensor: Tensor, axis: int) -> Any:
    """The length along `axis`, a number where it is known."""
    size = array.shape(tensor)[axis]
    known = constant_value(size)
    return size if known is None else known


def _statistics(x: Tensor, axes: list[int]) -> tuple[Tensor, Tensor]:
    """The mean and the mean square along `axes`, computed in float32 of half precision."""
    y = math.cast(x, dtypes.float32) if x.dtype == dtypes.float16 else x
    shift = basic.stop_gradient(math.reduce_mean(y, axes, keepdims=True))
    mean = math.reduce_mean(y - shift, axes, keepdims=True) + shift
    squares = math.reduce_mean(math.square(y), axes, keepdims=True)
    mean, squares = array.squeeze(mean, axes), array.squeeze(squares, axes)
    return math.cast(mean, x.dtype), math.cast(squares, x.dtype)


def _axis_of(batch: Tensor, axis: int) -> int:
    """`axis` counted from the front. ValueError for an unknown rank or an axis out of range."""
    rank = batch.shape.ndims
    if rank is None:
        raise ValueError("`reference_batch` has unknown dimensions.")
    counted = axis + rank if axis < 0 else axis
    if not 0 <= counted < rank:
        raise ValueError(f"Value of `axis` argument {counted} is out of range for input with rank {rank}")
    return counted


class VBN:
    """Normalizes batches like `reference_batch`; beta and gamma are shared by all calls.

    Raises ValueError for a batch of unknown rank and where `axis` is `batch_axis`.
    """

    def __init__(
        self,
        reference_batch: Tensor,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = zeros_initializer(),
        gamma_initializer: Any = ones_initializer(),
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        trainable: bool = True,
        name: str | None = None,
        batch_axis: int = 0,
    ) -> None:
        axis = _axis_of(reference_batch, axis)
        self._batch_axis = _axis_of(reference_batch, batch_axis)
        if axis == self._batch_axis:
            raise ValueError("`axis` and `batch_axis` cannot be the same.")
        self._reference, self._epsilon = reference_batch, epsilon
        self._beta: Any = 0
        self._gamma: Any = 1
        rank = reference_batch.shape.ndims
        with variable_scope(name, "VBN", values=[reference_batch]) as self._scope:
            size = reference_batch.shape[axis]
            self._row = [size if a == axis else 1 for a in range(rank)]
            self._example_axes = [a for a in range(rank) if a not in (axis, self._batch_axis)]
            self._mean, self._squares = _statistics(reference_batch, [a for a in range(rank) if a != axis])
            count = math.cast(_size(reference_batch, self._batch_axis), dtypes.float32)
            self._own = 1.0 / (count + 1.0)
            self._others = 1.0 - self._own
            if center:
                self._beta = get_variable(
                    "beta", (size,), None, beta_initializer, beta_regularizer, trainable=trainable
                )
            if scale:
                self._gamma = get_variable(
                    "gamma", (size,), None, gamma_initializer, gamma_regularizer, trainable=trainable
                )

    def _normalized(self, x: Tensor, mean: Tensor, squares: Tensor, shape: list[Any]) -> Tensor:
        variance = squares - math.square(mean)
        rows = [
            value if isinstance(value, int) else array.reshape(value, to)
            for value, to in ((mean, shape), (variance, shape), (self._beta, self._row), (self._gamma, self._row))
        ]
        return batch_normalization(x, *rows, self._epsilon)

    def reference_batch_normalization(self) -> Tensor:
        """The reference batch, normalized by itself."""
        with name_scope(self._scope.name):
            return self._normalized(self._reference, self._mean, self._squares, self._row)

    def __call__(self, inputs: Tensor) -> Tensor:
        """`inputs`, each example normalized with the reference batch. ValueError for examples of another shape."""
        own, others = inputs.shape.as_list(), self._reference.shape.as_list()
        del own[self._batch_axis], others[self._batch_axis]
        TensorShape(own).assert_is_compatible_with(TensorShape(others))
        with name_scope(self._scope.name, None, [inputs, self._reference]):
            mean, squares = _statistics(inputs, self._example_axes)
            mean = self._own * mean + self._others * self._mean
            squares = self._own * squares + self._others * self._squares
            shape = list(self._row)
            shape[self._batch_axis] = _size(inputs, self._batch_axis)
            return self._normalized(inputs, mean, squares, shape)
