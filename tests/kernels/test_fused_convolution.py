"""What follows a frozen network's convolution is done by its kernel: normalisation, bias, shortcut, relu. Filters are packed once."""

import numpy as np
import pytest

import thalweg as tf
from tests.kernels.lowering import other_levels, run_with
from thalweg._src.core import recipes
from thalweg._src.kernels import convolution, library

pytestmark = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)
CALL = "custom_call @thalweg_convolution"


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(convolution, "LEAST", 0)


def normal(seed, *shape):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def normalized(y, n):
    vectors = [normal(k, n) for k in (5, 6, 7)]
    return tf.nn.fused_batch_norm(y, *vectors[:2], mean=vectors[2], variance=normal(8, n) ** 2, is_training=False)[0]


AFTER = {
    "normalized": lambda y, x, n: tf.nn.relu(normalized(y, n)),
    "shortcut": lambda y, x, n: tf.nn.relu(x + normalized(tf.nn.bias_add(y, normal(9, n)), n)),
    "scaled": lambda y, x, n: y * normal(5, n) + normal(6, n) + x,
    "twice": lambda y, x, n: normalized(y * normal(5, n), n) * normal(6, 1, 1, n),
    "bounded": lambda y, x, n: tf.nn.relu6(normalized(y, n) * np.full(n, 8, np.float32)),
    "bounded with a shortcut": lambda y, x, n: tf.nn.relu6(x + normalized(y, n) * np.full(n, 4, np.float32)),
    "picture": lambda y, x, n: tf.nn.relu(y + x) + x,
}


def network(after, n, kernels, fed=False):
    """(the values of two networks one after the other, how many convolutions the program calls)."""
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.remapping = 0 if kernels else 2
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [2, 9, 7, n])
        w = tf.placeholder(tf.float32, [3, 3, n, n]) if fed else tf.identity(tf.constant(normal(2, 3, 3, n, n) / n))
        y = tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME")
        y = AFTER[after](y, x, n)
        y = AFTER[after](tf.nn.conv2d(y, normal(3, 1, 1, n, n) / n, strides=[1, 1, 1, 1], padding="VALID"), x, n)
        feed = {x: normal(1, 2, 9, 7, n), **({w: normal(2, 3, 3, n, n) / n} if fed else {})}
        with tf.Session(config=config) as sess:
            return sess.run(y, feed), "".join(sess.hlo(y, feed))


@pytest.mark.parametrize("n", [20, 64])
@pytest.mark.parametrize("after", AFTER)
def test_values_are_those_of_the_single_operations(after, n):
    (ours, text), (plain, plain_text) = (network(after, n, k) for k in (True, False))
    assert CALL in text
    assert CALL not in plain_text
    assert ("most = 6.0" in text) == after.startswith("bounded")
    np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-4)


def test_constants_are_packed_and_what_is_fed_is_not():
    for fed, packed in ((False, "packed = true"), (True, "packed = false")):
        found, text = network("normalized", 40, True, fed)
        assert packed in text
        np.testing.assert_allclose(found, network("normalized", 40, False, fed)[0], rtol=1e-4, atol=1e-4)


def packed(w, side=32, batch=1, **how):
    """The constant `w` as the kernels read it, for a convolution over images of `side` x `side`."""
    _, pack = convolution.conv2d_op.packers["cpu"]
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [batch, side, side, w.shape[2]])
        y = tf.nn.conv2d(x, tf.constant(w, tf.float32), **{"strides": [1, 1, 1, 1], "padding": "SAME", **how})
        return pack(w, y.op)


def test_packed_filters_hold_blocks_of_two_vectors_with_zeros_behind():
    lanes = library.LEVELS[library.library().level].lanes
    w = normal(1, 3, 2, 5, 2 * lanes + 3)
    first, last = np.split(packed(w), [30 * 2 * lanes])
    np.testing.assert_array_equal(first.reshape(30, -1), w.reshape(30, -1)[:, : 2 * lanes])
    np.testing.assert_array_equal(last.reshape(30, lanes)[:, :3], w.reshape(30, -1)[:, 2 * lanes :])
    assert not last.reshape(30, lanes)[:, 3:].any()
    assert packed(w.astype(np.float64)) is None


@pytest.mark.parametrize("taps", [3, 5])
def test_filters_that_go_by_tiles_have_their_points_behind_them(taps):
    w = normal(1, taps, taps, 32, 40)
    panels = packed(w, strides=[1, 2, 2, 1])  # by taps
    both = packed(w)
    wide = -(-40 // library.lanes()) * library.lanes()
    assert panels.size == taps * taps * 32 * wide
    assert both.size == panels.size + (taps + 1) ** 2 * 32 * wide
    np.testing.assert_array_equal(both[: panels.size], panels)
    for more in ({"side": 7}, {"dilations": [1, 2, 2, 1]}, {"side": None}):
        assert packed(w, **more).size == panels.size
    assert packed(w, side=7, batch=2).size == both.size
    assert packed(normal(1, taps, taps, 32, 31)).size < both.size


@pytest.mark.parametrize("taps", [3, 5])
@pytest.mark.parametrize("strange", [False, True])
def test_points_that_are_ready_give_the_same_numbers(taps, strange):
    """Also where an image is infinite somewhere, which is left to the panels, and where what is fed has fewer tiles than expected."""
    w = normal(1, taps, taps, 96, 64)
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 16, 16, 96])
        found = tf.nn.relu(tf.nn.conv2d(x, tf.constant(w), [1, 1, 1, 1], "SAME"))
        plain = tf.nn.relu(tf.nn.conv2d(x, tf.placeholder_with_default(w, w.shape), [1, 1, 1, 1], "SAME"))
        for batch in (1, 3):
            images = normal(2, batch, 16, 16, 96)
            if strange:
                images[-1, 3, 4, 5] = np.inf
            with tf.Session() as sess:
                ours, text = sess.run(found, {x: images}), "".join(sess.hlo(found, {x: images}))
                want = sess.run(plain, {x: images})
            assert "packed = true" in text
            np.testing.assert_allclose(ours, want, rtol=1e-3, atol=1e-3)


@other_levels
def test_other_instructions_read_their_points(level):
    run_with(level, "test_fused_convolution", "t.test_points_that_are_ready_give_the_same_numbers(3, False)")


def test_outside_of_a_program_nothing_is_ready():
    assert recipes.ready(np.zeros(3)) is None
