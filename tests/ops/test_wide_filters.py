"""Filters that cover an axis whole, as in networks on rows of word vectors: values and gradients, whatever XLA makes of them."""

import numpy as np
import pytest

import thalweg as tf


def sums(x, w, step):
    """The VALID convolution of [n, h, w, c] by its definition, in double precision."""
    kh, kw = w.shape[:2]
    rows, columns = (x.shape[1] - kh) // step + 1, (x.shape[2] - kw) // step + 1
    out = np.zeros((x.shape[0], rows, columns, w.shape[3]))
    for i in range(rows):
        for j in range(columns):
            part = x[:, i * step : i * step + kh, j * step : j * step + kw, :]
            out[:, i, j] = np.einsum("nhwc,hwco->no", part, w)
    return out


@pytest.mark.parametrize("kernel", [(2, 5), (4, 5), (1, 5), (4, 1), (4, 4)])
@pytest.mark.parametrize("step", [1, 2])
def test_values_and_gradients(kernel, step):
    rng = np.random.RandomState(sum(kernel))
    x, w = rng.randn(3, 4, 5, 2), rng.randn(*kernel, 2, 6)
    expected = sums(x, w, step)
    g = rng.randn(*expected.shape)
    image, filters = tf.constant(x), tf.constant(w)
    out = tf.nn.conv2d(image, filters, [1, step, step, 1], "VALID")
    found, dx, dw = tf.Session().run([out, *tf.gradients(out, [image, filters], g)])
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    # The convolution is linear in each of its arguments: <g, conv(v, w)> = <dx, v>.
    v, u = rng.randn(*x.shape), rng.randn(*w.shape)
    np.testing.assert_allclose((dx * v).sum(), (g * sums(v, w, step)).sum(), rtol=1e-10)
    np.testing.assert_allclose((dw * u).sum(), (g * sums(x, u, step)).sum(), rtol=1e-10)


def test_a_volume_covered_whole():
    rng = np.random.RandomState(7)
    x, w = rng.randn(2, 3, 4, 5, 2), rng.randn(2, 4, 5, 2, 3)
    image = tf.constant(x)
    out = tf.nn.conv3d(image, tf.constant(w), [1, 1, 1, 1, 1], "VALID")
    found, dx = tf.Session().run([out, tf.gradients(out, image)[0]])
    expected = np.stack([np.einsum("ndhwc,dhwco->no", x[:, i : i + 2], w) for i in range(2)], 1)
    np.testing.assert_allclose(found, expected[:, :, None, None, :], rtol=1e-10)
    whole = w.sum(-1)
    np.testing.assert_allclose(dx[:, 1], np.broadcast_to(whole[0] + whole[1], dx[:, 1].shape), rtol=1e-10)


def test_the_gradient_of_the_image_runs_over_the_rows_alone():
    """XLA's loop over a filter as wide as the image took hundreds of times as long as the product that it is."""
    image, filters = tf.placeholder(tf.float32, [8, 20, 64, 1]), tf.placeholder(tf.float32, [5, 64, 1, 10])
    out = tf.nn.conv2d(image, filters, [1, 1, 1, 1], "VALID")
    gradient = tf.gradients(out, image)[0]
    feeds = {image: np.ones([8, 20, 64, 1]), filters: np.ones([5, 64, 1, 10])}
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.remapping = 2  # OFF: no kernels but XLA's
    with tf.Session(config=config) as session:
        found = session.run(gradient, feeds)
        (program,) = session.hlo(gradient, feeds)
    (convolution,) = [line for line in program.splitlines() if "stablehlo.convolution" in line]
    assert "tensor<5x1x64x10xf32>" in convolution
    np.testing.assert_allclose(found[:, 10], np.full([8, 64, 1], 50.0))
