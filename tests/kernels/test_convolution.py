"""Convolutions by kernels of machine code: values, derivatives, what stays with the plain lowerings, and how the library is found."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import thalweg as tf
from tests.kernels.lowering import by_taps, lowered, near, normal, other_levels, run_with
from thalweg._src.core import apply
from thalweg._src.kernels import convolution, library
from thalweg._src.ops.nets.convolution import conv2d_backprop_filter_op, conv2d_backprop_input_op, conv2d_op, layout

needs_library = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)
NAMES = ("input", "image", "filter")


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(convolution, "LEAST", 0)


@needs_library
@example((2, 7, 5, 9), (1, 1, 40), (1, 1), (1, 1), "SAME", "NHWC")  # rows that follow each other
@example((1, 5, 5, 40), (3, 3, 70), (1, 1), (1, 1), "SAME", "NHWC")  # one task alone with its filters
@settings(max_examples=30, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(3, 20), st.integers(3, 20), st.integers(1, 20)),
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3, 16, 17, 33, 64, 70])),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
    st.one_of(st.sampled_from(["SAME", "VALID"]), st.lists(st.integers(0, 3), min_size=4, max_size=4)),
    st.sampled_from(["NHWC", "NCHW"]),
)
def test_values_are_those_of_the_sum_over_taps(image, filters, strides, dilations, padding, form):
    rows, columns, out = filters
    last = form == "NHWC"
    order = (lambda a, b: [1, a, b, 1]) if last else (lambda a, b: [1, 1, a, b])
    how = {"strides": order(*strides), "dilations": order(*dilations), "padding": padding, "explicit_paddings": []}
    if not isinstance(padding, str):
        explicit = [0, 0, *padding, 0, 0] if last else [0, 0, 0, 0, *padding]
        how |= {"padding": "EXPLICIT", "explicit_paddings": explicit}
    x, w = normal(1, *image), normal(2, rows, columns, image[3], out)
    given_shape = image if last else (image[0], image[3], *image[1:3])
    try:
        own = layout(
            given_shape, w.shape, how["strides"], how["padding"], how["dilations"], form, how["explicit_paddings"]
        )
    except ValueError:  # no window fits
        return
    if 0 in own.shape:
        return
    found = own if last else own._replace(shape=(own.shape[0], *own.shape[2:], own.shape[1]))
    g = normal(3, *found.shape)
    turned = (lambda a: jnp.asarray(a)) if last else (lambda a: jnp.transpose(a, (0, 3, 1, 2)))
    back = (lambda a: a) if last else (lambda a: jnp.transpose(a, (0, 2, 3, 1)))
    how["data_format"] = form
    y, dx, dw = by_taps(x, w, g, found)
    near(back(lowered(conv2d_op, turned(x), w, **how)), y)
    near(back(lowered(conv2d_backprop_input_op, np.array(given_shape), w, turned(g), **how)), dx)
    near(lowered(conv2d_backprop_filter_op, turned(x), np.array(w.shape), turned(g), **how), dw)


SAME = {"strides": [1, 1, 1, 1], "padding": "SAME"}


def text(fn, *args):
    return jax.jit(fn).lower(*args).as_text()


@needs_library
def test_what_the_kernels_are_for_calls_them_and_the_rest_does_not(monkeypatch):
    call = lambda x, w: lowered(conv2d_op, x, w, **SAME)
    image = lambda dtype=np.float32, channels=8: jax.ShapeDtypeStruct((2, 16, 16, channels), dtype)
    filters = lambda n=3, dtype=np.float32, depth=8: jax.ShapeDtypeStruct((n, n, depth, 16), dtype)
    with jax.enable_x64(True):
        assert "thalweg_convolution" in text(call, image(), filters())
        assert "thalweg_convolution" in text(call, image(), filters(1))
        assert "thalweg" not in text(call, image(np.float64), filters(3, np.float64))
        assert "thalweg" not in text(call, image(np.float16), filters(3, np.float16))
        assert "thalweg" not in text(call, image(channels=16), filters())  # groups
    with apply.kernels(False):
        assert "thalweg" not in text(lambda x, w: call(x, w), image(), filters())
    monkeypatch.setattr(convolution, "LEAST", 1 << 30)
    assert "thalweg" not in text(lambda x, w: call(x, w), image(), filters())


@needs_library
def test_gradients_that_xla_computes_as_quickly_stay_with_it():
    by_image = lambda x, w, g: lowered(conv2d_backprop_input_op, np.array(x), w, g, **SAME)
    by_filter = lambda x, w, g: lowered(conv2d_backprop_filter_op, x, np.array(w), g, **SAME)
    g = jax.ShapeDtypeStruct((1, 8, 8, 32), np.float32)
    for channels, kernel in ((3, False), (5, True)):
        w = jax.ShapeDtypeStruct((3, 3, channels, 32), np.float32)
        assert ("thalweg" in text(lambda w, g: by_image((1, 8, 8, w.shape[2]), w, g), w, g)) == kernel
    for depth, kernel in ((1 << 12, False), (64, True)):
        x = jax.ShapeDtypeStruct((1, 8, 8, depth), np.float32)
        assert ("thalweg" in text(lambda x, g: by_filter(x, (3, 3, x.shape[3], 32), g), x, g)) == kernel


@needs_library
@pytest.mark.parametrize("whole", [(3, 8), (9, 8), (9, 3)])
def test_filters_that_cover_an_axis_whole(whole):
    x, w = normal(1, 2, 9, 8, 3), normal(2, *whole, 3, 6)
    how = {"strides": [1, 2, 2, 1], "padding": "VALID"}
    found = layout(x.shape, w.shape, how["strides"], "VALID", [1] * 4, "NHWC")
    g = normal(3, *found.shape)
    y, dx, dw = by_taps(x, w, g, found)
    near(lowered(conv2d_op, jnp.asarray(x), w, **how), y)
    near(lowered(conv2d_backprop_input_op, np.array(x.shape), w, jnp.asarray(g), **how), dx)
    near(lowered(conv2d_backprop_filter_op, jnp.asarray(x), np.array(w.shape), jnp.asarray(g), **how), dw)


@needs_library
def test_derivatives_of_any_order_and_maps_over_kernels():
    x, w, t = normal(1, 2, 9, 9, 3), normal(2, 3, 3, 3, 5), normal(3, 2, 9, 9, 3)

    def energy(allowed):
        def of(x, w):
            with apply.kernels(allowed):
                return jnp.sum(lowered(conv2d_op, x, w, **SAME) ** 3)

        return of

    def second(f):
        return jax.jit(jax.grad(lambda x, w: jnp.vdot(jax.grad(f, 0)(x, w), t), (0, 1)))

    for a, b in zip(second(energy(True))(x, w), second(energy(False))(x, w), strict=True):
        near(a, np.asarray(b))
    near(
        jax.jvp(lambda x: energy(True)(x, w), (x,), (t,))[1],
        np.asarray(jax.jvp(lambda x: energy(False)(x, w), (x,), (t,))[1]),
    )
    stacked = np.stack([x, t])
    one = lambda x: lowered(conv2d_op, x, w, **SAME)
    near(jax.vmap(one)(stacked), np.stack([one(jnp.asarray(x)), one(jnp.asarray(t))]))


def gradients(config=None):
    """A loss and its gradients, and the second derivative by a scale, of two convolutions under a session of `config`."""
    x = tf.constant(normal(1, 2, 12, 12, 4))
    first, second = tf.constant(normal(2, 3, 3, 4, 8)), tf.constant(normal(3, 5, 5, 8, 6))
    scale = tf.constant(1.5)
    y = tf.nn.relu(tf.nn.conv2d(x * scale, first, strides=[1, 2, 2, 1], padding="SAME"))
    loss = tf.reduce_mean(tf.nn.conv2d(y, second, strides=[1, 1, 1, 1], padding="SAME") ** 2)
    (by_scale,) = tf.gradients(loss, scale)
    with tf.Session(config=config) as sess:
        return sess.run([loss, *tf.gradients(loss, [x, first, second]), tf.gradients(by_scale, scale)[0]])


@needs_library
def test_a_session_with_kernels_agrees_with_one_without():
    plain = tf.ConfigProto()
    plain.graph_options.rewrite_options.remapping = 2  # OFF
    for a, b in zip(gradients(), gradients(plain), strict=True):
        near(a, b)


@pytest.fixture
def unknown():
    """The library as a fresh process would look for it."""
    found = library.library, library._opened, library._loaded
    for one in found:
        one.cache_clear()
    yield
    for one in found:
        one.cache_clear()


@pytest.mark.parametrize(
    ("variables", "reason", "warned"),
    [
        ({"THALWEG_KERNELS": "off"}, "THALWEG_KERNELS=off", 0),
        ({"THALWEG_KERNELS": "fast"}, "none of off, avx512, avx2, portable", 1),
        ({"PATH": "/nowhere"}, "no C++ compiler was found", 1),
        ({"CXX": "false"}, "false failed: no message", 1),
        ({"CXX": "/no/such/compiler"}, "FileNotFoundError", 1),
    ],
)
def test_without_a_library_the_plain_lowerings_stay_and_a_warning_says_so_once(
    variables, reason, warned, unknown, monkeypatch, tmp_path, caplog
):
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("THALWEG_KERNELS", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    call = lambda x, w: lowered(conv2d_op, x, w, **SAME)
    with caplog.at_level("WARNING", "thalweg"):
        for _ in range(2):
            assert "thalweg" not in text(lambda x, w: call(x, w), normal(1, 1, 8, 8, 4), normal(2, 3, 3, 4, 4))
    assert reason in library.library().reason
    assert len([r for r in caplog.records if reason in r.getMessage()]) == warned


@needs_library
@other_levels
def test_other_instructions_give_the_same_values(level):
    code = """
t.convolution.LEAST = 0
t.test_values_are_those_of_the_sum_over_taps.hypothesis.inner_test(
    (2, 19, 13, 5), (3, 2, 21), (2, 1), (1, 2), "SAME", "NHWC")
t.test_values_are_those_of_the_sum_over_taps.hypothesis.inner_test(
    (1, 7, 16, 3), (2, 5, 70), (1, 3), (1, 1), [2, 1, 0, 3], "NHWC")
"""
    run_with(level, "test_convolution", code)


# -- a bias and a relu inside of the kernel

FUSED = "rectify = true"


@needs_library
@pytest.mark.parametrize("form", ["add", "vector first", "bias_add"])
def test_a_bias_and_a_relu_go_into_the_kernel_that_nobody_else_takes_from(form):
    x, w, b = normal(1, 2, 9, 9, 3), tf.constant(normal(2, 3, 3, 3, 20)), tf.constant(normal(3, 20))
    conv = tf.nn.conv2d(tf.constant(x), w, strides=[1, 1, 1, 1], padding="SAME")
    biased = {"add": lambda: conv + b, "vector first": lambda: b + conv, "bias_add": lambda: tf.nn.bias_add(conv, b)}[
        form
    ]()
    out = tf.nn.relu(biased)
    grads = tf.gradients(tf.reduce_sum(out**2), [w, b])
    with tf.Session() as sess:
        assert FUSED in "".join(sess.hlo([out, *grads]))
        assert FUSED not in "".join(sess.hlo([out, biased]))
        one, *by = sess.run([out, *grads])
        first, second, third = sess.run([conv, biased, out])
    near(one, np.maximum(first + normal(3, 20), 0))
    near(second, first + normal(3, 20))
    near(third, one)
    g = 2 * one * (one > 0)
    near(by[1], g.sum((0, 1, 2)))
    near(
        by[0],
        by_taps(x, normal(2, 3, 3, 3, 20), g, layout(x.shape, (3, 3, 3, 20), [1] * 4, "SAME", [1] * 4, "NHWC"))[2],
    )


@needs_library
def test_what_is_no_bias_is_added_outside():
    x, w = normal(1, 1, 6, 6, 3), normal(2, 3, 3, 3, 6)
    conv = lambda: tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME")
    rows = normal(3, 6, 1)
    with tf.Session() as sess:
        plainly = sess.run(conv())
        near(sess.run(tf.nn.relu(conv() + rows)), np.maximum(plainly + rows, 0))
        near(sess.run(conv() + conv()), 2 * plainly)
        near(sess.run(tf.nn.relu(conv())), np.maximum(plainly, 0))
        twice = tf.nn.relu(tf.nn.bias_add(tf.nn.bias_add(conv(), np.arange(6.0, dtype="f")), np.ones(6, "f")))
        near(sess.run(twice), np.maximum(plainly + np.arange(6) + 1, 0))
