"""Random tensors by rejection (gamma, Poisson, normal between bounds), and stateless ones, whose seeds are inputs."""

import functools

import numpy as np

from thalweg._src.core import dtypes, infer, philox
from thalweg._src.core.apply import check
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import FLOATS, REALS, float16, float32, float64, int32, int64
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.seeds import get_seed
from thalweg._src.core.shapes import as_shape
from thalweg._src.ops.arrays.constants import zeros_like
from thalweg._src.ops.chance import distributions, rejection, rounding
from thalweg._src.ops.chance.random import apart, need_scalar, shape_tensor, sizes_of
from thalweg._src.ops.late import array, math

ShapeS = type_attr("S", (int32, int64))
G = type_attr("T", (float16, float32, float64))
G2 = type_attr("T", (float32, float64))
P = type_attr("dtype", (float16, float32, float64))
R = type_attr("R", (float16, float32, float64, int32, int64), float64)
P2 = type_attr("dtype", (float16, float32, float64, int32, int64), int64)
SHAPE = type_attr("T", (int32, int64))
FLOAT = type_attr("dtype", FLOATS)


def _appended(op):
    outer = sizes_of(op)
    inner = op.inputs[1].dims
    return [None if outer is None or inner is None else outer + inner]


def _of_vector(draw, rng, shape, parameters):
    """`draw(samples, parameters)` of the flattened `parameters`, in the shape [*shape, *parameters.shape]."""
    samples = distributions.size_of(shape)
    full = (*(int(n) for n in shape), *parameters.shape)
    if not samples * parameters.size:
        return jnp.zeros(full, jnp.float64)
    rng.reserve(samples * parameters.size)
    return draw(samples, jnp.asarray(parameters).reshape(-1)).reshape(full)


@op("RandomGamma")
def _random_gamma(shape: Static(ShapeS), alpha: G, *, seed: int = 0, seed2: int = 0, rng) -> G:
    """[*shape, *alpha.shape] numbers of the gamma distribution of scale one."""
    return _of_vector(lambda n, a: rejection.gamma(rng, n, a), rng, shape, alpha).astype(alpha.dtype)


@op("RandomGammaGrad")
def random_gamma_grad(alpha: G2, sample: G2) -> G2:
    """How a gamma variable moves with its `alpha`, its place in the distribution kept."""
    return _gamma_grad()(*jnp.broadcast_arrays(alpha, sample))


@functools.cache
def _gamma_grad():
    return jax.jit(lax.random_gamma_grad)  # which traces its loops whenever it is called


@op("RandomPoissonV2")
def _random_poisson(shape: Static(ShapeS), rate: R, *, seed: int = 0, seed2: int = 0, dtype: P2 = int64, rng) -> P2:
    """[*shape, *rate.shape] numbers of the Poisson distribution."""
    return _of_vector(lambda n, r: rejection.poisson(rng, n, r, float(dtype.max)), rng, shape, rate)


@op("RandomPoisson")
def random_poisson_v1(shape: Static(ShapeS), rate: P, *, seed: int = 0, seed2: int = 0, rng) -> P:
    """As RandomPoissonV2; the form of old graphs."""
    most = float(np.finfo(np.dtype(rate.dtype)).max)
    return _of_vector(lambda n, r: rejection.poisson(rng, n, r, most), rng, shape, rate).astype(rate.dtype)


@op("ParameterizedTruncatedNormal")
def _parameterized_truncated_normal(
    shape: Static(SHAPE),
    means: FLOAT,
    stdevs: FLOAT,
    minvals: FLOAT,
    maxvals: FLOAT,
    *,
    seed: int = 0,
    seed2: int = 0,
    dtype: FLOAT,
    rng,
) -> FLOAT:
    """Normal numbers between bounds; the parameters are scalars, or have one entry for each row."""
    count = distributions.size_of(shape)
    rows = int(shape[0])
    rng.reserve(count)
    if not count:
        return jnp.zeros(shape, means.dtype)
    full = []
    for word, p in (("means", means), ("stddevs", stdevs), ("minvals", minvals), ("maxvals", maxvals)):
        if p.ndim > 1 or (p.ndim == 1 and p.shape[0] not in (1, rows)):
            raise ValueError(f"Input {word} should have length 1 or shape[0], got shape: {list(p.shape)}")
        full.append(jnp.broadcast_to(jnp.atleast_1d(p)[:, None], (rows, count // rows)).reshape(-1))
    mean, deviation, low, high = full
    ok = (deviation > 0) & (low < high) & (jnp.isfinite(low) | jnp.isfinite(high))
    check(ok, "Invalid parameters")
    drawn = rejection.bounded_normal(rng, mean, deviation, low, high, means.dtype)
    return drawn.reshape(shape)


for _drawn in (_random_gamma, _random_poisson, random_poisson_v1, _parameterized_truncated_normal):
    _drawn.on("cpu")(apart(_drawn))
for _drawn in (_random_gamma, _random_poisson, random_poisson_v1):
    _drawn.shape_rule(_appended)
_parameterized_truncated_normal.shape_rule(lambda op: [sizes_of(op)])
for _drawn in (_random_poisson, random_poisson_v1, _parameterized_truncated_normal):
    _drawn.not_differentiable()


@_random_gamma.grad
def _(op, g):
    shape, alpha = op.inputs
    with get_default_graph().control_dependencies([g]):
        rank = array.shape(shape)[0]
        ones = array.ones(array.expand_dims(rank, 0), dtype=int32)
        tall = array.reshape(alpha, array.concat([ones, array.shape(alpha)], axis=0))
        slope = random_gamma_grad(tall, op.outputs[0])
        return None, math.reduce_sum(g * slope, axis=math.range(rank))


# -- public functions


def _set_rest(result, shape, parameters):
    """In the body of a function, what is known of the shape."""
    if get_default_graph().building_function and not result.shape.is_fully_defined():
        known = as_shape(infer.partial_value(shape))
        result.set_shape(known.concatenate(to_tensor(parameters).shape))


def random_gamma(shape, alpha, beta=None, dtype=float32, seed=None, name=None):
    """[*shape, *alpha.shape] numbers of the gamma distribution of shape `alpha` and rate `beta` (one unless given)."""
    with name_scope(name, "random_gamma", [shape, alpha, beta]):
        dtype = dtypes.as_dtype(dtype)
        shape = to_tensor(shape, int32, "shape")
        alpha = to_tensor(alpha, dtype, "alpha")
        beta = to_tensor(1 if beta is None else beta, dtype, "beta")
        spread = alpha + zeros_like(beta)
        seed1, seed2 = get_seed(seed)
        tiny = np.finfo(alpha.dtype.as_numpy_dtype).tiny
        result = math.maximum(tiny, _random_gamma(shape, spread, seed=seed1, seed2=seed2) / beta)
        _set_rest(result, shape, spread)
        return result


def poisson_of_shape(shape, lam, dtype=float32, seed=None, name=None):
    """[*shape, *lam.shape] numbers of the Poisson distribution of the rate `lam`."""
    with name_scope(name, "random_poisson", [lam, shape]):
        shape = to_tensor(shape, int32, "shape")
        seed1, seed2 = get_seed(seed)
        result = _random_poisson(shape, lam, dtype=dtype, seed=seed1, seed2=seed2)
        _set_rest(result, shape, lam)
        return result


def random_poisson(lam, shape, dtype=float32, seed=None, name=None):
    """[*shape, *lam.shape] numbers of the Poisson distribution of the rate `lam`."""
    return poisson_of_shape(shape, lam, dtype, seed, name)


def parameterized_truncated_normal(
    shape, means=0.0, stddevs=1.0, minvals=-2.0, maxvals=2.0, dtype=float32, seed=None, name=None
):
    """Normal numbers between bounds; the parameters are scalars, or have one entry for each row."""
    with name_scope(name, "parameterized_truncated_normal", [shape, means, stddevs, minvals, maxvals]):
        dtype = dtypes.as_dtype(dtype)
        shape = shape_tensor(shape)
        values = [
            to_tensor(v, dtype, n)
            for v, n in ((means, "means"), (stddevs, "stddevs"), (minvals, "minvals"), (maxvals, "maxvals"))
        ]
        seed1, seed2 = get_seed(seed)
        return _parameterized_truncated_normal(shape, *values, seed=seed1, seed2=seed2)


# -- stateless: the seeds are inputs


L = type_attr("T", REALS)
SHAPE_D = type_attr("T", (int32, int64), int32)
FLOAT_D = type_attr("dtype", FLOATS, float32)
SEED = type_attr("Tseed", (int32, int64), int64)
INT = type_attr("dtype", (int32, int64))
INDEX = type_attr("output_dtype", (int32, int64), int64)
_KEY = (0x3EC8F720, 0x02461E29)


def _stream(seed, *, apart=False):
    """The stream of two seeds, which one turn of the generator has mixed."""
    if seed.shape != (2,):
        raise ValueError(f"seed must have shape [2], not {list(seed.shape)}")
    wide = jnp.asarray(seed).astype(jnp.int64).astype(jnp.uint64)
    low, high = wide.astype(jnp.uint32), (wide >> jnp.uint64(32)).astype(jnp.uint32)
    key = tuple(jnp.uint32(k) for k in _KEY)
    mixed = philox.rounds(key, (low[0], high[0], low[1], high[1]))
    zero = jnp.uint32(0)
    return philox.Stream(jnp.stack([mixed[0], mixed[1], zero, zero, mixed[2], mixed[3]]), apart=apart)


def _filled(draw, shape, seed, dtype, apart):
    count = distributions.size_of(shape)
    if not count:
        return jnp.zeros(shape, dtype)
    with jax.enable_x64(True):  # a stream is JAX's work, whoever calls this
        stream = _stream(seed, apart=apart)
        return rounding.drawn(draw(stream, count, dtype).reshape(shape), stream)


@op("StatelessRandomUniform")
def _stateless_uniform(shape: Static(SHAPE_D), seed: SEED, *, dtype: FLOAT_D = float32) -> FLOAT_D:
    """Numbers in [0, 1)."""
    return _filled(distributions.uniform, shape, seed, dtype._as_numpy, False)


@op("StatelessRandomNormal")
def _stateless_normal(shape: Static(SHAPE_D), seed: SEED, *, dtype: FLOAT_D = float32) -> FLOAT_D:
    """Standard normal numbers."""
    return _filled(distributions.normal, shape, seed, dtype._as_numpy, False)


@op("StatelessTruncatedNormal")
def _stateless_truncated(shape: Static(SHAPE_D), seed: SEED, *, dtype: FLOAT_D = float32) -> FLOAT_D:
    """Standard normal numbers, those beyond two deviations drawn again."""
    return _filled(rejection.truncated_normal, shape, seed, dtype._as_numpy, False)


for _opdef, _draw in (
    (_stateless_uniform, distributions.uniform),
    (_stateless_normal, distributions.normal),
    (_stateless_truncated, rejection.truncated_normal),
):
    _opdef.on("cpu")(lambda shape, seed, *, dtype, _draw=_draw: _filled(_draw, shape, seed, dtype._as_numpy, True))


@op("StatelessRandomUniformInt")
def _stateless_uniform_int(shape: Static(SHAPE), seed: SEED, minval: INT, maxval: INT) -> INT:
    """Integers in [minval, maxval)."""
    return _filled_int(shape, seed, minval, maxval, False)


def _filled_int(shape, seed, minval, maxval, apart):
    count = distributions.size_of(shape)
    if not count:
        return jnp.zeros(shape, minval.dtype)
    check(minval < maxval, lambda: f"Need minval < maxval, got {minval} >= {maxval}")
    with jax.enable_x64(True):
        low, high = jnp.asarray(minval), jnp.asarray(maxval)
        return distributions.uniform_int(_stream(seed, apart=apart), count, low, high).reshape(shape)


_stateless_uniform_int.on("cpu")(lambda *args: _filled_int(*args, True))


@op("StatelessMultinomial")
def stateless_multinomial_op(
    logits: L, num_samples: Static(int32), seed: SEED, *, output_dtype: INDEX = int64
) -> INDEX:
    """[rows, num_samples] classes drawn by their unnormalised log-probabilities."""
    with jax.enable_x64(True):
        return distributions.checked_multinomial(_stream(seed), logits, int(num_samples))


def _seeded(op, at=1):
    dims = op.inputs[at].dims
    if dims is not None and (len(dims) != 1 or dims[0] not in (None, 2)):
        raise ValueError(f"Shape must be [2] but is {list(dims)} for '{op.name}' (op: '{op.type}').")


@stateless_multinomial_op.shape_rule
def _(op):
    _seeded(op, 2)
    dims = op.inputs[0].dims
    if dims is not None and len(dims) != 2:
        raise ValueError(f"Shape must be rank 2 but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    need_scalar(op, 1)
    return [(None if dims is None else dims[0], infer.partial_scalar(op.inputs[1]))]


def _stateless_dims(op):
    _seeded(op)
    for i in range(2, len(op.inputs)):
        need_scalar(op, i)
    return [sizes_of(op)]


for _opdef in (_stateless_uniform, _stateless_normal, _stateless_truncated, _stateless_uniform_int):
    _opdef.shape_rule(_stateless_dims)
    _opdef.not_differentiable()
stateless_multinomial_op.not_differentiable()


def stateless_uniform(shape, seed, minval=0, maxval=None, dtype=float32, name=None):
    """As `random_uniform`, but a function of the two integers in `seed`: the same numbers every time."""
    dtype = dtypes.as_dtype(dtype)
    if dtype not in (*FLOATS, int32, int64):
        raise ValueError(f"Invalid dtype {dtype!r}")
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    with name_scope(name, "stateless_random_uniform", [shape, seed, minval, maxval]) as scope:
        shape = shape_tensor(shape)
        minval, maxval = to_tensor(minval, dtype, "min"), to_tensor(maxval, dtype, "max")
        if dtype.is_integer:
            return _stateless_uniform_int(shape, seed, minval, maxval, name=scope)
        drawn = _stateless_uniform(shape, seed, dtype=dtype)
        return math.add(drawn * (maxval - minval), minval, name=scope)


def _of_stateless_normal(draw, scope, shape, seed, mean, stddev, dtype):
    dtype = dtypes.as_dtype(dtype)
    shape = shape_tensor(shape)
    mean, stddev = to_tensor(mean, dtype, "mean"), to_tensor(stddev, dtype, "stddev")
    return math.add(draw(shape, seed, dtype=dtype) * stddev, mean, name=scope)


def stateless_normal(shape, seed, mean=0.0, stddev=1.0, dtype=float32, name=None):
    """As `random_normal`, but a function of the two integers in `seed`."""
    with name_scope(name, "stateless_random_normal", [shape, seed, mean, stddev]) as scope:
        return _of_stateless_normal(_stateless_normal, scope, shape, seed, mean, stddev, dtype)


def stateless_truncated_normal(shape, seed, mean=0.0, stddev=1.0, dtype=float32, name=None):
    """As `truncated_normal`, but a function of the two integers in `seed`."""
    with name_scope(name, "stateless_truncated_normal", [shape, seed, mean, stddev]) as scope:
        return _of_stateless_normal(_stateless_truncated, scope, shape, seed, mean, stddev, dtype)


def stateless_multinomial(logits, num_samples, seed, output_dtype=int64, name=None):
    """As `multinomial`, but a function of the two integers in `seed`."""
    with name_scope(name, "stateless_multinomial", [logits, seed]):
        return stateless_multinomial_op(to_tensor(logits, None, "logits"), num_samples, seed, output_dtype=output_dtype)


def stateless_categorical(logits, num_samples, seed, dtype=int64, name=None):
    """As `categorical`, but a function of the two integers in `seed`."""
    with name_scope(name, "stateless_categorical", [logits, seed]):
        return stateless_multinomial_op(to_tensor(logits, None, "logits"), num_samples, seed, output_dtype=dtype)
