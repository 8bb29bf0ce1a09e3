"""Pools by kernels of machine code: values, where gradients go, derivatives, and what stays with the plain lowerings."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import thalweg as tf
from tests.kernels.lowering import lowered, normal
from thalweg._src.core import apply
from thalweg._src.kernels import library, pooling
from thalweg._src.ops.nets.pool_windows import Pool
from thalweg._src.ops.nets.pooling import avg_pool_op, max_pool_grad, max_pool_grad_v2, max_pool_op, max_pool_v2_op

pytestmark = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(pooling, "LEAST", 0)


def picture(seed, *shape):
    """Few different numbers, so that maxima are often equal; some are minus infinity or none at all."""
    random = np.random.RandomState(seed)
    x = np.round(2 * random.standard_normal(shape)).astype(np.float32)
    x[random.rand(*shape) < 0.05] = -np.inf
    x[random.rand(*shape) < 0.02] = np.nan
    return x


def one_by_one(x, g, pool):
    """(largest, mean, gradient of the largest), window by window."""
    (top, _), (left, _) = pool.pads[1:3]
    largest, mean, back = np.zeros(pool.counts), np.zeros(pool.counts), np.zeros(x.shape)
    for r, c in itertools.product(*map(range, pool.counts[1:3])):
        rows, columns = r * pool.strides[1] - top, c * pool.strides[2] - left
        window = np.s_[:, max(rows, 0) : rows + pool.sizes[1], max(columns, 0) : columns + pool.sizes[2]]
        part = x[window].astype(np.float64)
        with np.errstate(invalid="ignore"):
            largest[:, r, c], mean[:, r, c] = part.max((1, 2)), part.mean((1, 2))
        best = np.full_like(part[:, 0, 0], np.nan)
        place = np.full(best.shape, -1)
        for i, v in enumerate(np.moveaxis(part.reshape(len(x), -1, x.shape[3]), 1, 0)):
            better = (v > best) | (i == 0)
            best, place = np.where(better, v, best), np.where(better, i, place)
        marks = np.arange(part.shape[1] * part.shape[2])[:, None] == place[:, None]
        back[window] += marks.reshape(part.shape) * g[:, r, c][:, None, None]
    return largest, mean, back


@pytest.mark.parametrize("channels", [16, 21, 70])
@pytest.mark.parametrize(
    ("shape", "size", "stride", "padding"),
    [((2, 7, 9), 3, 1, "SAME"), ((1, 8, 7), 3, 2, "SAME"), ((3, 9, 6), 2, 2, "VALID"), ((1, 5, 9), 5, 3, "SAME")],
)
def test_values_are_those_of_the_windows(channels, shape, size, stride, padding):
    x, sizes, strides = picture(1, *shape, channels), [1, size, size, 1], [1, stride, stride, 1]
    pool = Pool.over(x.shape, sizes, strides, padding)
    g = np.random.RandomState(2).standard_normal(pool.counts).astype(np.float32)
    largest, mean, back = one_by_one(x, g, pool)
    how = {"ksize": sizes, "strides": strides, "padding": padding}
    image, given = jnp.asarray(x), jnp.asarray(g)
    np.testing.assert_array_equal(lowered(max_pool_op, image, **how), largest)
    np.testing.assert_array_equal(lowered(max_pool_v2_op, image, sizes, strides, padding=padding), largest)
    np.testing.assert_allclose(lowered(avg_pool_op, image, **how), mean, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(lowered(max_pool_grad, image, given, given, **how), back, rtol=1e-5, atol=1e-5)
    found = lowered(max_pool_grad_v2, image, given, given, sizes, strides, padding=padding)
    np.testing.assert_allclose(found, back, rtol=1e-5, atol=1e-5)


def test_derivatives_are_those_of_the_plain_lowerings():
    x = np.random.RandomState(3).permutation(2 * 6 * 5 * 16).reshape(2, 6, 5, 16).astype(np.float32)
    how = {"ksize": [1, 3, 3, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}

    def energy(allowed, op):
        def of(x):
            with apply.kernels(allowed):
                return jnp.sum(lowered(op, x, **how) ** 2)

        return of

    for op in (max_pool_op, avg_pool_op):
        with_kernels, without = (jax.jit(jax.grad(energy(allowed, op)))(x) for allowed in (True, False))
        np.testing.assert_allclose(with_kernels, without, rtol=1e-5)


def test_what_the_kernels_are_for_calls_them_and_the_rest_does_not():
    how = {"ksize": [1, 3, 3, 1], "strides": [1, 1, 1, 1], "padding": "SAME"}

    def text(channels=32, dtype=np.float32, **more):
        call = lambda x: lowered(max_pool_op, x, **(how | more))
        return jax.jit(call).lower(jax.ShapeDtypeStruct((2, 8, 8, channels), dtype)).as_text()

    assert "thalweg_pool" in text()
    assert "thalweg" not in text(channels=3)
    assert "thalweg" not in text(dtype=np.float16)
    assert "thalweg" not in text(data_format="NCHW", ksize=[1, 1, 3, 3])
    assert "thalweg" not in text(ksize=[1, 1, 1, 2], strides=[1, 1, 1, 2])
    assert "thalweg" not in text(ksize=[1, 8, 8, 1], padding="VALID")
    with apply.kernels(False):
        assert "thalweg" not in text()


def trained(kernels, channels=20, **how):
    """(the gradients of a convolution, its bias and what it takes, rectified and pooled; the program)."""
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.remapping = 0 if kernels else 2
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [2, 9, 7, channels])
        w = tf.get_variable(
            "w", initializer=np.random.RandomState(2).standard_normal([3, 3, channels, channels]).astype(np.float32)
        )
        b = tf.get_variable("b", initializer=np.full(channels, 0.25, np.float32))
        y = tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME")
        y = tf.nn.relu(tf.nn.bias_add(y, b) if how["bias_add"] else y + b)
        pooled = tf.nn.max_pool(y, [1, 3, 3, 1], [1, how["stride"], how["stride"], 1], padding="SAME")
        grads = tf.gradients(tf.reduce_sum(tf.square(pooled)), [x, w, b])
        with tf.Session(config=config) as sess:
            sess.run(tf.global_variables_initializer())
            feed = {x: np.random.RandomState(1).standard_normal([2, 9, 7, channels]).astype(np.float32)}
            return sess.run(grads, feed), "".join(sess.hlo(grads, feed))


@pytest.mark.parametrize(("bias_add", "stride"), [(True, 2), (False, 2), (True, 1)])
def test_the_gradient_of_a_relu_goes_into_that_of_a_pool(bias_add, stride):
    (ours, text), (plain, _) = (trained(k, bias_add=bias_add, stride=stride) for k in (True, False))
    assert "rectify = true" in text
    for a, b in zip(ours, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("channels", [16, 21])
def test_where_a_largest_number_is_not_positive_its_gradient_ends(channels):
    x, pool = picture(5, 2, 7, 9, channels), Pool.over((2, 7, 9, channels), [1, 3, 3, 1], [1, 2, 2, 1], "SAME")
    g = normal(3, *pool.counts)
    call = lambda x, g: pooling.Unpooled(x, g, None, pool, rectified=True).made()
    back = np.where(x > 0, one_by_one(x, g, pool)[2], 0)
    np.testing.assert_allclose(jax.jit(call)(x, g), back, rtol=1e-6, atol=1e-6)
    with apply.kernels(False):
        derivative = jax.jvp(lambda g: call(x, g), (g,), (g,))[1]
    np.testing.assert_allclose(derivative, back, rtol=1e-6, atol=1e-6)
