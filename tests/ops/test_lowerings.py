"""Lowerings for one platform, held against the plain ones."""

import jax
import numpy as np
import pytest

import thalweg as tf
from thalweg._src.ops.numeric.matmul import mat_mul_op


@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("rows", [0, 1, 7, 100])
@pytest.mark.parametrize(("m", "n"), [(1, 1), (33, 10), (10, 33), (0, 5), (200, 65), (70, 80)])
def test_matmul(m, rows, n, turned):
    random = np.random.RandomState(0)
    a, b = (random.standard_normal(s).astype(np.float32) for s in ((m, rows), (rows, n)))
    transpose_a, transpose_b = turned
    a, b = a.T.copy() if transpose_a else a, b.T.copy() if transpose_b else b

    def product(lowering):
        f = jax.jit(lambda a, b: lowering(a, b, transpose_a=transpose_a, transpose_b=transpose_b))
        return np.asarray(f(a, b))

    plain, cpu = product(mat_mul_op.fn), product(mat_mul_op.platforms["cpu"])
    assert cpu.shape == plain.shape == (m, n)
    assert cpu.dtype == plain.dtype
    np.testing.assert_allclose(cpu, plain, rtol=1e-5, atol=1e-5)


def test_matmul_keeps_the_type_of_small_floats():
    a = np.ones((300, 4), np.float16)
    out = jax.jit(lambda a: mat_mul_op.platforms["cpu"](a, a, transpose_a=True))(a)
    assert out.dtype == np.float16
    np.testing.assert_array_equal(np.asarray(out), np.full((4, 4), 300, np.float16))


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ((2, 3), (2, 3), r"Matrix size-incompatible: In\[0\]: \[2,3\], In\[1\]: \[2,3\]"),
        ((2, 2, 3), (2, 2, 3), r"In\[0\] mismatch In\[1\] shape: 3 vs. 2: \[2,2,3\] \[2,2,3\]"),
        ((3, 2, 3), (2, 3, 3), r"must have compatible batch dimensions: \[3,2,3\] vs. \[2,3,3\]"),
    ],
)
def test_products_of_matrices_that_do_not_fit_say_so_as_tensorflow_does(a, b, message):
    x, y = tf.placeholder(tf.float32, [None] * len(a)), tf.placeholder(tf.float32, [None] * len(b))
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(tf.matmul(x, y), {x: np.ones(a), y: np.ones(b)})
