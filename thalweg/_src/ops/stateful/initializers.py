"""Initializers: objects that make the first value of a variable from its shape."""

import math
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.dtypes import DType, float32
from thalweg._src.core.graph import Tensor
from thalweg._src.ops.arguments import formerly
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.chance import random
from thalweg._src.ops.late import array

# The deviation of a standard normal distribution cut off at two deviations.
_TRUNCATED_DEVIATION = 0.87962566103423978


def _float(dtype: Any) -> Any:
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_floating:
        raise ValueError(f"Expected floating point type, got {dtype}.")
    return dtype


class Initializer:
    """What all initializers share: `initializer(shape, dtype, partition_info)` makes the value."""

    seed: int | None = None

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, as plain Python values."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The initializer that `get_config` describes."""
        return cls(**config)

    def _normal(self, shape: Any, mean: Any, deviation: Any, dtype: Any) -> Tensor:
        return random.random_normal(shape, mean, deviation, dtype, seed=self.seed)

    def _truncated(self, shape: Any, mean: Any, deviation: Any, dtype: Any) -> Tensor:
        return random.truncated_normal(shape, mean, deviation, dtype, seed=self.seed)

    def _uniform(self, shape: Any, low: Any, high: Any, dtype: Any) -> Tensor:
        return random.random_uniform(shape, low, high, dtype, seed=self.seed)


def _full(shape: Any, partition_info: Any) -> Any:
    """The shape of the whole variable, of which `shape` may be a part."""
    return shape if partition_info is None else partition_info.full_shape


class _OfShape:
    """In TensorFlow 0.x some initializers were functions of a shape: called with one, they still are."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        first = args[0] if args else kwargs.get("shape")
        if isinstance(first, list | tuple | shapes.TensorShape | Tensor):
            names = ("shape", "dtype", "partition_info")
            return object.__new__(cls)._after_init(**dict(zip(names, args, strict=False)), **kwargs)
        return object.__new__(cls)

    def _after_init(self, shape: Any, dtype: Any = float32, partition_info: Any = None) -> Any:
        self.__init__(dtype=dtype)  # type: ignore[misc]
        return self(shape)  # type: ignore[operator]


class Zeros(_OfShape, Initializer):
    """Zeros."""

    def __init__(self, dtype: Any = float32):
        self.dtype = dtypes.as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return constants.zeros(shape, self.dtype if dtype is None else dtype)

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


class Ones(_OfShape, Initializer):
    """Ones."""

    def __init__(self, dtype: Any = float32):
        self.dtype = dtypes.as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return constants.ones(shape, self.dtype if dtype is None else dtype)

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


class Constant(Initializer):
    """`value`: a number for every element, or as many as the shape has, or fewer (the last one then fills the rest).

    Raises TypeError for values of other kinds, and with `verify_shape` where the value has another shape.
    """

    def __init__(self, value: Any = 0, dtype: Any = float32, verify_shape: bool = False):
        if not (np.isscalar(value) or isinstance(value, list | tuple | np.ndarray)):
            raise TypeError(
                f"Invalid type for initial value: {type(value)} "
                "(expected Python scalar, list or tuple of values, or numpy.ndarray)."
            )
        self.value, self.dtype, self._verify_shape = value, dtypes.as_dtype(dtype), verify_shape

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None, verify_shape: Any = None) -> Any:
        return constants.constant(
            self.value,
            dtype=self.dtype if dtype is None else dtype,
            shape=shape,
            verify_shape=self._verify_shape if verify_shape is None else verify_shape,
        )

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value, "dtype": self.dtype.name}


class RandomUniform(Initializer):
    """Numbers in [minval, maxval); integers as well as floats."""

    def __init__(self, minval: Any = 0, maxval: Any = None, seed: int | None = None, dtype: Any = float32):
        self.minval, self.maxval, self.seed, self.dtype = minval, maxval, seed, dtypes.as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        dtype = self.dtype if dtype is None else dtype
        return self._uniform(shape, self.minval, self.maxval, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed, "dtype": self.dtype.name}


class _Normal(Initializer):
    def __init__(self, mean: Any = 0.0, stddev: Any = 1.0, seed: int | None = None, dtype: Any = float32):
        self.mean, self.stddev, self.seed, self.dtype = mean, stddev, seed, _float(dtype)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed, "dtype": self.dtype.name}


class RandomNormal(_Normal):
    """Numbers of a normal distribution."""

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return self._normal(shape, self.mean, self.stddev, self.dtype if dtype is None else dtype)


class TruncatedNormal(_Normal):
    """Numbers of a normal distribution, those beyond two deviations drawn again."""

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return self._truncated(shape, self.mean, self.stddev, self.dtype if dtype is None else dtype)


class UniformUnitScaling(Initializer):
    """Uniform numbers that keep the scale of what a linear layer passes on: sqrt(3 / inputs) factor is the limit."""

    def __init__(self, factor: float = 1.0, seed: int | None = None, dtype: Any = float32):
        self.factor, self.seed, self.dtype = factor, seed, _float(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        inputs = 1.0
        for n in _full(shape, partition_info)[:-1]:
            inputs *= float(int(n))
        limit = math.sqrt(3 / max(inputs, 1.0)) * self.factor
        return random.random_uniform(shape, -limit, limit, self.dtype if dtype is None else dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "seed": self.seed, "dtype": self.dtype.name}


class VarianceScaling(Initializer):
    """Random numbers of the variance scale / n, where n is the number of inputs, of outputs, or their mean.

    Raises ValueError for a scale that is not positive and for unknown modes and distributions.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        dtype: Any = float32,
    ):
        if scale <= 0.0:
            raise ValueError("`scale` must be positive float.")
        if mode not in {"fan_in", "fan_out", "fan_avg"}:
            raise ValueError("Invalid `mode` argument:", mode)
        distribution = distribution.lower()
        if distribution not in {"normal", "uniform", "truncated_normal", "untruncated_normal"}:
            raise ValueError("Invalid `distribution` argument:", distribution)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.seed, self.dtype = seed, _float(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        dtype = self.dtype if dtype is None else dtype
        fan_in, fan_out = fans(_full(shape, partition_info))
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        scale = self.scale / max(1.0, count)
        if self.distribution in ("normal", "truncated_normal"):
            deviation = math.sqrt(scale) / _TRUNCATED_DEVIATION
            return self._truncated(shape, 0.0, deviation, dtype)
        if self.distribution == "untruncated_normal":
            return self._normal(shape, 0.0, math.sqrt(scale), dtype)
        limit = math.sqrt(3.0 * scale)
        return self._uniform(shape, -limit, limit, dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }


def fans(shape: Any) -> tuple[int, int]:
    """How many inputs and outputs the units of a layer have whose weights have this shape: [spatial..., in, out]."""
    sizes = [int(n) for n in shape]
    if len(sizes) < 2:
        n = sizes[0] if sizes else 1
        return n, n
    field = math.prod(sizes[:-2])
    return sizes[-2] * field, sizes[-1] * field


class GlorotUniform(VarianceScaling):
    """Uniform numbers of the variance 2 / (inputs + outputs): Glorot and Bengio, 2010."""

    def __init__(self, seed: int | None = None, dtype: Any = float32):
        super().__init__(scale=1.0, mode="fan_avg", distribution="uniform", seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "dtype": self.dtype.name}


class GlorotNormal(VarianceScaling):
    """Normal numbers of the variance 2 / (inputs + outputs): Glorot and Bengio, 2010."""

    def __init__(self, seed: int | None = None, dtype: Any = float32):
        super().__init__(scale=1.0, mode="fan_avg", distribution="truncated_normal", seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "dtype": self.dtype.name}


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """Normal numbers of the variance 1 / inputs: LeCun et al., 1998."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="truncated_normal", seed=seed)


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform numbers of the variance 1 / inputs: LeCun et al., 1998."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="uniform", seed=seed)


def he_normal(seed: int | None = None) -> VarianceScaling:
    """Normal numbers of the variance 2 / inputs: He et al., 2015."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="truncated_normal", seed=seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform numbers of the variance 2 / inputs: He et al., 2015."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="uniform", seed=seed)


def orthogonal_columns(normal: Tensor) -> Tensor:
    """A matrix of orthonormal columns, uniformly distributed: the Q of a matrix of normal numbers, its signs made unique."""
    from thalweg._src.ops.late import math as ops
    from thalweg._src.ops.linear import linalg

    q, r = linalg.qr(normal, full_matrices=False)
    q *= ops.sign(array.diag_part(r))
    return q


class Orthogonal(Initializer):
    """A matrix with orthonormal rows or columns, whichever are fewer; leading dimensions count as one.

    Raises ValueError for shapes of rank below two.
    """

    @formerly("self gain dtype seed", when=lambda args, kwargs: len(args) > 2 and isinstance(args[2], DType))  # 0.12
    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = float32):
        self.gain, self.seed, self.dtype = gain, seed, _float(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        if len(shape) < 2:
            raise ValueError("The tensor to initialize must be at least two-dimensional")
        rows, columns = math.prod(int(n) for n in shape[:-1]), int(shape[-1])
        wide = rows < columns
        size = (columns, rows) if wide else (rows, columns)
        q = orthogonal_columns(self._normal(size, 0.0, 1.0, dtype or self.dtype))
        if wide:
            q = array.matrix_transpose(q)
        return self.gain * array.reshape(q, shape)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed, "dtype": self.dtype.name}


class Identity(Initializer):
    """`gain` times the identity matrix. Raises ValueError for other shapes than matrices."""

    def __init__(self, gain: float = 1.0, dtype: Any = float32):
        self.gain, self.dtype = gain, _float(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        from thalweg._src.ops.linear import linalg

        full = _full(shape, partition_info)
        if len(full) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices.")
        value = linalg.eye(*[int(n) for n in full], dtype=self.dtype if dtype is None else dtype)
        if partition_info is not None:
            value = array.slice(value, partition_info.var_offset, shape)
        return self.gain * value

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "dtype": self.dtype.name}


zeros_initializer = Zeros
ones_initializer = Ones
constant_initializer = Constant
random_uniform_initializer = RandomUniform
random_normal_initializer = RandomNormal
truncated_normal_initializer = TruncatedNormal
uniform_unit_scaling_initializer = UniformUnitScaling
variance_scaling_initializer = VarianceScaling
glorot_uniform_initializer = GlorotUniform
glorot_normal_initializer = GlorotNormal
orthogonal_initializer = Orthogonal
identity_initializer = Identity
