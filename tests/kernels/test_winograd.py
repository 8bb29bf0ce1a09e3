"""3x3 and 5x5 convolutions by tiles, which multiply less: values, what is not finite, and TensorFlow's switch."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.kernels.lowering import by_taps, lowered, near, normal
from thalweg._src.core import apply
from thalweg._src.kernels import library
from thalweg._src.ops.nets.convolution import (
    conv2d_backprop_filter_op,
    conv2d_backprop_input_op,
    conv2d_op,
    layout,
)

pytestmark = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)
ONES = [1, 1, 1, 1]


def convolved(x, w, padding="SAME", kernels=True):
    with apply.kernels(kernels):
        return np.asarray(jax.jit(lambda x, w: lowered(conv2d_op, x, w, strides=ONES, padding=padding))(x, w))


@pytest.mark.parametrize(
    ("shape", "taps", "out", "padding"),
    [
        ((2, 13, 16, 64), 3, 64, "SAME"),
        ((1, 12, 17, 33), 3, 70, "VALID"),
        ((3, 9, 8, 32), 3, 40, [0, 2, 1, 0]),
        ((2, 14, 13, 32), 5, 64, "SAME"),
        ((1, 16, 17, 33), 5, 70, "VALID"),
        ((3, 9, 8, 48), 5, 33, [0, 3, 4, 1]),
    ],
)
def test_values_are_those_of_the_sum_over_taps(shape, taps, out, padding):
    explicit = [] if isinstance(padding, str) else [0, 0, *padding, 0, 0]
    padding = padding if isinstance(padding, str) else "EXPLICIT"
    x, w = normal(1, *shape), normal(2, taps, taps, shape[3], out)
    found = layout(x.shape, w.shape, ONES, padding, ONES, "NHWC", explicit)
    g = normal(3, *found.shape)
    y, dx, dw = by_taps(x, w, g, found)
    how = {"strides": ONES, "padding": padding, "explicit_paddings": explicit}
    near(lowered(conv2d_op, jnp.asarray(x), w, **how), y)
    near(lowered(conv2d_backprop_input_op, np.array(x.shape), w, jnp.asarray(g), **how), dx)
    near(lowered(conv2d_backprop_filter_op, jnp.asarray(x), np.array(w.shape), jnp.asarray(g), **how), dw)


def test_rounding_is_that_of_sums_over_taps_or_little_more():
    for taps, most in ((3, 1.0), (5, 4.0)):
        x, w = np.abs(normal(1, 1, 24, 24, 64)), normal(2, taps, taps, 64, 32)
        exact = by_taps(
            x, w, np.zeros((1, 24, 24, 32), np.float32), layout(x.shape, w.shape, ONES, "SAME", ONES, "NHWC", [])
        )[0]
        ours, plain = (np.sqrt(np.mean((convolved(x, w, kernels=k) - exact) ** 2)) for k in (True, False))
        assert 0 < ours < most * plain


def test_sums_of_whole_numbers_are_exact():
    random = np.random.RandomState(1)
    x, w = (random.randint(-9, 10, shape).astype(np.float32) for shape in ((1, 12, 12, 32), (3, 3, 32, 32)))
    np.testing.assert_array_equal(convolved(x, w), convolved(x, w, kernels=False))


@pytest.mark.parametrize("strange", [np.inf, -np.inf, np.nan, 3e38])
def test_what_is_not_finite_reaches_its_own_windows_only(strange):
    x, w = np.abs(normal(1, 1, 12, 14, 32)), np.abs(normal(2, 3, 3, 32, 32)) + 1
    x[0, 5, 6, 7] = strange
    ours, plain = convolved(x, w), convolved(x, w, kernels=False)
    np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(plain))
    np.testing.assert_allclose(ours, plain, rtol=1e-5)
    assert not np.isfinite(ours).all()
    assert np.isfinite(ours[0, :4]).all()


@pytest.mark.parametrize("strange", [np.inf, np.nan])
def test_what_is_not_finite_reaches_its_own_channels_of_a_filter_only(strange):
    x, g = np.abs(normal(1, 1, 12, 14, 32)), np.abs(normal(2, 1, 12, 14, 32))
    x[0, 0, 0, 7] = strange  # which the first tap meets outside of the gradient
    call = lambda x, g: lowered(conv2d_backprop_filter_op, x, np.array([3, 3, 32, 32]), g, strides=ONES, padding="SAME")
    with apply.kernels(True):
        ours = np.asarray(jax.jit(call)(x, g))
    with apply.kernels(False):
        plain = np.asarray(jax.jit(call)(x, g))
    np.testing.assert_allclose(ours, plain, rtol=1e-5)
    assert np.isfinite(ours[2, 2]).all()
    assert np.isfinite(ours).mean() > 0.9


def test_tensorflows_switch_turns_it_off():
    """A few tiles are not worth it, so that a cut-out of a large result is that of a small one where all is summed over taps."""
    program = """if True:
        import numpy as np
        from tests.kernels.test_winograd import convolved, normal
        x, w = normal(1, 1, 16, 16, 64), normal(2, 3, 3, 64, 64)
        print(np.array_equal(convolved(x[:, :6, :6], w, "VALID"), convolved(x, w, "VALID")[:, :4, :4]))
    """
    for said, same in (("0", "True"), ("1", "False")):
        env = os.environ | {"TF_ENABLE_WINOGRAD_NONFUSED": said, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=120)
        assert done.stdout.strip() == same, done.stderr
