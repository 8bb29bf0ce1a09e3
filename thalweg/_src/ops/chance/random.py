"""Random tensors: with the same seeds, the numbers of TensorFlow's CPU kernels, in the first run and all later ones."""

import numpy as np

from thalweg._src.core import dtypes, infer
from thalweg._src.core.apply import check
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dimension import Dimension
from thalweg._src.core.dtypes import FLOATS, REALS, float32, int32, int64
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.seeds import get_seed
from thalweg._src.ops.chance import distributions, rejection, rounding
from thalweg._src.ops.late import array, math

T = type_attr("T")
N = type_attr("T", REALS)
ShapeT = type_attr("T", (int32, int64))
FLOAT = type_attr("dtype", FLOATS)
INT = type_attr("Tout", (int32, int64))
INDEX = type_attr("output_dtype", (int32, int64), int64)


def sizes_of(op):
    dims = op.inputs[0].dims
    if dims is not None and len(dims) != 1:
        raise ValueError(f"Shape must be rank 1 but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    return infer.partial_value(op.inputs[0])


def need_scalar(op, at):
    dims = op.inputs[at].dims
    if dims is not None and dims != ():
        raise ValueError(f"Shape must be rank 0 but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")


@op("RandomUniform", numpy_only=True)
def _random_uniform(shape: Static(ShapeT), *, seed: int = 0, seed2: int = 0, dtype: FLOAT, rng) -> FLOAT:
    """Numbers in [0, 1)."""
    count = distributions.size_of(shape)
    rng.reserve(count)
    return rounding.drawn(distributions.uniform(rng, count, dtype._as_numpy).reshape(shape), rng)


@op("RandomStandardNormal", numpy_only=True)
def _random_normal(shape: Static(ShapeT), *, seed: int = 0, seed2: int = 0, dtype: FLOAT, rng) -> FLOAT:
    """Numbers of the normal distribution of mean zero and deviation one."""
    count = distributions.size_of(shape)
    rng.reserve(count)
    return rounding.drawn(distributions.normal(rng, count, dtype._as_numpy).reshape(shape), rng)


@op("TruncatedNormal", numpy_only=True)
def _truncated_normal(shape: Static(ShapeT), *, seed: int = 0, seed2: int = 0, dtype: FLOAT, rng) -> FLOAT:
    """Standard normal numbers, those beyond two deviations drawn again."""
    count = distributions.size_of(shape)
    rng.reserve(count)
    return rounding.drawn(rejection.truncated_normal(rng, count, dtype._as_numpy).reshape(shape), rng)


@op("RandomUniformInt", numpy_only=True)
def _random_uniform_int(shape: Static(ShapeT), minval: INT, maxval: INT, *, seed: int = 0, seed2: int = 0, rng) -> INT:
    """Integers in [minval, maxval)."""
    count = distributions.size_of(shape)
    if not count:
        return np.zeros(shape, minval.dtype)
    check(minval < maxval, lambda: f"Need minval < maxval, got {minval} >= {maxval}")
    rng.reserve(count)
    return distributions.uniform_int(rng, count, minval, maxval).reshape(shape)


for _fill in (_random_uniform, _random_normal, _truncated_normal, _random_uniform_int):
    _fill.not_differentiable()
    _fill.shape_rule(lambda op: [sizes_of(op)])


@_random_uniform_int.shape_rule
def _(op):
    need_scalar(op, 1)
    need_scalar(op, 2)
    return [sizes_of(op)]


@op("RandomShuffle", host=True)
def _random_shuffle(value: T, *, seed: int = 0, seed2: int = 0, rng) -> T:
    """The rows of `value` in random order."""
    if value.size <= 1 or value.shape[0] <= 1:
        return value
    count = value.shape[0]
    rng.reserve(-(-(count - 1) // 4), 1)
    rng.state = np.asarray(rng.state)
    words = rng.words(count - 1).astype(np.int64)
    order = list(range(count))
    # Fisher and Yates: row i changes places with one of those from i on.
    for i, j in enumerate((np.arange(count - 1) + words % np.arange(count, 1, -1)).tolist()):
        order[i], order[j] = order[j], order[i]
    return value[np.array(order)]


_random_shuffle.shape_rule(lambda op: [op.inputs[0].dims])
_random_shuffle.not_differentiable()


@op("Multinomial")
def _multinomial(
    logits: N, num_samples: Static(int32), *, seed: int = 0, seed2: int = 0, output_dtype: INDEX = int64, rng
) -> INDEX:
    """[rows, num_samples] classes drawn by their unnormalised log-probabilities [rows, classes]."""
    return distributions.checked_multinomial(rng, logits, int(num_samples))


@_multinomial.shape_rule
def _(op):
    dims = op.inputs[0].dims
    if dims is not None and len(dims) != 2:
        raise ValueError(f"Shape must be rank 2 but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    need_scalar(op, 1)
    return [(None if dims is None else dims[0], infer.partial_scalar(op.inputs[1]))]


_multinomial.not_differentiable()


def apart(opdef):
    def lowering(*args, rng, **kwargs):
        rng.apart = True
        return opdef.fn(*args, rng=rng, **kwargs)

    return lowering


for _drawn in (_random_uniform, _random_normal, _truncated_normal, _random_uniform_int, _multinomial):
    _drawn.on("cpu")(apart(_drawn))


# -- public functions


def shape_tensor(shape):
    """`shape` as a tensor; an empty list is a vector of integers."""
    dtype = None
    if isinstance(shape, tuple | list):
        if not shape:
            dtype = int32
        shape = [d.value if isinstance(d, Dimension) else d for d in shape]
    return to_tensor(shape, dtype, "shape")


def _of_normal(draw, scope, shape, mean, stddev, dtype, seed):
    dtype = dtypes.as_dtype(dtype)
    shape = shape_tensor(shape)
    mean, stddev = to_tensor(mean, dtype, "mean"), to_tensor(stddev, dtype, "stddev")
    seed1, seed2 = get_seed(seed)
    drawn = draw(shape, dtype=dtype, seed=seed1, seed2=seed2)
    return math.add(drawn * stddev, mean, name=scope)


def random_normal(shape, mean=0.0, stddev=1.0, dtype=float32, seed=None, name=None):
    """Numbers of a normal distribution. With a seed (the graph's or `seed`) they are TensorFlow's own."""
    with name_scope(name, "random_normal", [shape, mean, stddev]) as scope:
        return _of_normal(_random_normal, scope, shape, mean, stddev, dtype, seed)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=float32, seed=None, name=None):
    """Numbers of a normal distribution, those beyond two deviations drawn again."""
    with name_scope(name, "truncated_normal", [shape, mean, stddev]) as scope:
        return _of_normal(_truncated_normal, scope, shape, mean, stddev, dtype, seed)


def random_uniform(shape, minval=0, maxval=None, dtype=float32, seed=None, name=None):
    """Numbers in [minval, maxval), [0, 1) unless given; integers need `maxval`.

    Raises ValueError for integers without it, and for types that are neither floats nor int32 or int64.
    """
    dtype = dtypes.as_dtype(dtype)
    if dtype not in (*FLOATS, int32, int64):
        raise ValueError(f"Invalid dtype {dtype!r}")
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    with name_scope(name, "random_uniform", [shape, minval, maxval]) as scope:
        shape = shape_tensor(shape)
        minval, maxval = to_tensor(minval, dtype, "min"), to_tensor(maxval, dtype, "max")
        seed1, seed2 = get_seed(seed)
        if dtype.is_integer:
            return _random_uniform_int(shape, minval, maxval, seed=seed1, seed2=seed2, name=scope)
        drawn = _random_uniform(shape, dtype=dtype, seed=seed1, seed2=seed2)
        return math.add(drawn * (maxval - minval), minval, name=scope)


def random_shuffle(value, seed=None, name=None):
    """The rows of `value` (its entries along the first dimension) in random order."""
    seed1, seed2 = get_seed(seed)
    return _random_shuffle(value, seed=seed1, seed2=seed2, name=name)


def random_crop(value, size, seed=None, name=None):
    """A part of `value` of the shape `size`, from a random place. Raises InvalidArgumentError where it does not fit."""
    from thalweg._src.ops.basic import with_dependencies
    from thalweg._src.ops.reports.checks import Assert

    with name_scope(name, "random_crop", [value, size]) as scope:
        value, size = to_tensor(value, None, "value"), to_tensor(size, int32, "size")
        shape = array.shape(value)
        fits = Assert(math.reduce_all(shape >= size), ["Need value.shape >= size, got ", shape, size], summarize=1000)
        shape = with_dependencies([fits], shape)
        limit = shape - size + 1
        offset = random_uniform(array.shape(shape), dtype=size.dtype, maxval=size.dtype.max, seed=seed) % limit
        return array.slice(value, offset, size, name=scope)


def _categorical(logits, num_samples, dtype, seed):
    logits = to_tensor(logits, None, "logits")
    seed1, seed2 = get_seed(seed)
    return _multinomial(logits, num_samples, seed=seed1, seed2=seed2, output_dtype=dtype)


def multinomial(logits, num_samples, seed=None, name=None, output_dtype=None):
    """[rows, num_samples] classes drawn by their unnormalised log-probabilities: logits [rows, classes]."""
    with name_scope(name, "multinomial", [logits]):
        return _categorical(logits, num_samples, output_dtype, seed)


def categorical(logits, num_samples, dtype=None, seed=None, name=None):
    """[rows, num_samples] classes drawn by their unnormalised log-probabilities: logits [rows, classes]."""
    with name_scope(name, "categorical", [logits]):
        return _categorical(logits, num_samples, dtype, seed)


# -- dropout


def _noise_shape(x, noise_shape):
    if noise_shape is None:
        return array.shape(x)
    from thalweg._src.core.shapes import TensorShape, as_dims

    try:
        dims = as_dims(noise_shape)
    except (TypeError, ValueError):
        return noise_shape
    if x.dims is not None and len(x.dims) == len(dims):
        return TensorShape([own if n is None else n for own, n in zip(x.dims, dims, strict=True)])
    return noise_shape


def dropout(x, keep_prob=None, noise_shape=None, seed=None, name=None, rate=None):
    """`x` with a part of its elements zero and the others scaled up, so that the expected sum stays.

    `keep_prob` is the chance to stay, `rate` the chance to go; one of the two. `noise_shape` has ones along the
    dimensions whose elements stay or go together. Raises ValueError outside of the range, and for integers.
    """
    if keep_prob is not None:
        try:
            keep = 1.0 - keep_prob
        except TypeError:
            raise ValueError(f"keep_prob must be a floating point number or Tensor (got {keep_prob!r})") from None
        if rate is not None:
            raise ValueError("Cannot specify both 'keep_prob' and 'rate'")
        rate = keep
    if rate is None:
        raise ValueError("You must provide a rate to dropout.")
    with name_scope(name, "dropout", [x]):
        x = to_tensor(x, None, "x")
        if not x.dtype.is_floating:
            raise ValueError(
                f"x has to be a floating point tensor since it's going to be scaled. Got a {x.dtype} tensor instead."
            )
        if isinstance(rate, int | float | np.number):
            if not 0 <= rate < 1:
                raise ValueError(f"rate must be a scalar tensor or a float in the range [0, 1), got {rate:g}")
            if rate == 0:
                return x
        rate = to_tensor(rate, x.dtype.base_dtype, "rate")
        rate.shape.assert_has_rank(0)
        if infer.constant_value(rate) == 0:
            return x
        noise = random_uniform(_noise_shape(x, noise_shape), seed=seed, dtype=x.dtype.base_dtype)
        scale = 1 / (1 - rate)
        kept = noise >= rate
        out = x * scale * math.cast(kept, x.dtype)
        out.set_shape(x.shape)
        return out
