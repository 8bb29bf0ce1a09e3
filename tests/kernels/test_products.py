"""The kernel for products of matrices agrees with sums in float64, whatever the sizes, and is called where products are large."""

import jax
import numpy as np
import pytest

import thalweg as tf
from tests.kernels.lowering import lowered, other_levels, run_with
from thalweg._src.kernels import library, products
from thalweg._src.ops.numeric.matmul import mat_mul_op

pytestmark = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)

SIZES = [
    (1, 1, 1),
    (14, 5, 32),
    (37, 83, 55),
    (29, 1024, 33),
    (250, 1100, 70),
    (1, 600, 1),
    (300, 16, 16),
    (64, 2048, 48),
]


def multiplied(a, b, turn_a, turn_b):
    assert library.available()
    rows, columns = a.shape[1 if turn_a else 0], b.shape[0 if turn_b else 1]
    call = lambda a, b: products.called("thalweg_multiply", (rows, columns), a, b, turn_a=turn_a, turn_b=turn_b)
    return np.asarray(jax.jit(call)(a, b))


def check(rows, depth, columns, turn_a, turn_b):
    rng = np.random.default_rng(rows * depth + columns)
    a, b = (rng.standard_normal(s).astype(np.float32) for s in ((rows, depth), (depth, columns)))
    a_given, b_given = (np.ascontiguousarray(x.T if turned else x) for x, turned in ((a, turn_a), (b, turn_b)))
    want = a.astype(np.float64) @ b
    np.testing.assert_allclose(
        multiplied(a_given, b_given, turn_a, turn_b), want, atol=2e-6 * np.abs(a).max() * depth**0.5 * 4
    )


@pytest.mark.parametrize("turn_b", [False, True])
@pytest.mark.parametrize("turn_a", [False, True])
@pytest.mark.parametrize(("rows", "depth", "columns"), SIZES)
def test_values_are_those_of_the_sums(rows, depth, columns, turn_a, turn_b):
    check(rows, depth, columns, turn_a, turn_b)


@other_levels
def test_other_instructions_give_the_same_values(level):
    code = """
for turn_a in (False, True):
    for turn_b in (False, True):
        for sizes in t.SIZES[:5]:
            t.check(*sizes, turn_a, turn_b)
"""
    run_with(level, "test_products", code)


def test_what_is_not_finite_reaches_its_own_row_and_column():
    a, b = np.ones((40, 600), np.float32), np.ones((600, 40), np.float32)
    a[3, 570], b[1, 7] = np.inf, np.nan
    made = multiplied(a, b, False, False)
    assert np.isinf(np.delete(made[3], 7)).all()
    assert np.isnan(made[:, 7]).all()
    assert (np.delete(np.delete(made, 3, 0), 7, 1) == 600).all()


def test_the_kernel_is_called_for_large_products_alone():
    def ask(rows, depth, columns, dtype=np.float32):
        given = [jax.ShapeDtypeStruct(s, dtype) for s in ((rows, depth), (depth, columns))]
        return jax.jit(lambda a, b: lowered(mat_mul_op, a, b)).lower(*given).as_text()

    assert "thalweg_multiply" in ask(2048, 2048, 1024)
    assert "thalweg_multiply" not in ask(1024, 1024, 1024)
    assert "thalweg_multiply" not in ask(128, 8192, 8192)
    assert "thalweg_multiply" not in ask(2048, 2048, 2048, np.int32)


def test_gradients_are_those_of_the_plain_product(monkeypatch):
    monkeypatch.setattr(products, "LEAST", 0)
    monkeypatch.setattr(products, "LEAST_ROWS", 0)
    monkeypatch.setattr(products, "LEAST_OTHERS", 0)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((40, 30)).astype(np.float32), rng.standard_normal((20, 30)).astype(np.float32)

    def gradients(config=None):
        with tf.Graph().as_default(), tf.Session(config=config) as sess:
            x, y = tf.placeholder(tf.float32, a.shape), tf.placeholder(tf.float32, b.shape)
            z = tf.matmul(x, y, transpose_b=True)
            first = tf.gradients(tf.reduce_sum(z * z), [x, y])
            second = tf.gradients(tf.reduce_sum(first[0] * first[0]), [x, y])
            return sess.run([*first, *second], {x: a, y: b})

    plain = tf.ConfigProto()
    plain.graph_options.rewrite_options.remapping = 2  # OFF
    for made, want in zip(gradients(), gradients(plain), strict=True):
        np.testing.assert_allclose(made, want, rtol=1e-4, atol=1e-3 * np.abs(want).max())
