"""Products of matrices by the kernel: values, derivatives, and what stays with XLA."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg._src.core import apply
from thalweg._src.kernels import library, products
from thalweg._src.ops.numeric.matmul import mat_mul_op

needs_library = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(products, "LEAST", 0)
    monkeypatch.setattr(products, "THIN", 1)


def product(a, b, transpose_b=False, transpose_a=False):
    flags = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    return apply.call(mat_mul_op, flags, [a, b], platform="cpu")


def normal(seed, *shape):
    return jnp.asarray(np.random.RandomState(seed).standard_normal(shape).astype(np.float32))


def calls_kernel(*args, **flags):
    return "thalweg_product" in str(jax.make_jaxpr(lambda a, b: product(a, b, **flags))(*args))


@needs_library
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (3, 5, 7), (14, 16, 32), (15, 17, 33), (29, 400, 50), (350, 20, 530), (2, 900, 1)]
)
def test_values(sizes, turned):
    rows, depth, columns = sizes
    a, b = normal(1, rows, depth), normal(2, *((columns, depth) if turned else (depth, columns)))
    assert calls_kernel(a, b, transpose_b=turned)
    got = jax.jit(lambda a, b: product(a, b, turned))(a, b)
    exact = np.asarray(a, np.float64) @ np.asarray(b.T if turned else b, np.float64)
    np.testing.assert_allclose(got, exact, rtol=1e-4, atol=1e-5 * np.sqrt(depth))


@needs_library
def test_derivatives():
    a, b, g = normal(1, 20, 30), normal(2, 40, 30), normal(3, 20, 40)
    _, pull = jax.vjp(lambda a, b: product(a, b, True), a, b)
    by_a, by_b = pull(g)
    np.testing.assert_allclose(by_a, g @ b, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(by_b, g.T @ a, rtol=1e-4, atol=1e-4)


@needs_library
def test_what_is_not_a_number_spreads_as_in_a_product():
    a, b = normal(1, 20, 30).at[3, 4].set(np.nan), normal(2, 30, 40)
    got = np.isnan(product(a, b))
    assert got[3].all()
    assert got.sum() == 40


@pytest.mark.parametrize("flags", [{"transpose_a": True}, {"transpose_a": True, "transpose_b": True}])
def test_a_transposed_left_matrix_stays_with_xla(flags):
    a, b = normal(1, 30, 20), normal(2, *((40, 30) if "transpose_b" in flags else (30, 40)))
    assert not calls_kernel(a, b, **flags)
    np.testing.assert_allclose(
        product(a, b, **flags), a.T @ (b.T if "transpose_b" in flags else b), rtol=1e-4, atol=1e-4
    )


def test_other_types_and_small_matrices_stay_with_xla(monkeypatch):
    a, b = normal(1, 20, 30), normal(2, 30, 40)
    assert not calls_kernel(a.astype(jnp.bfloat16), b.astype(jnp.bfloat16))
    with apply.kernels(False):
        assert not calls_kernel(a, b)
    monkeypatch.undo()
    assert not calls_kernel(a, b)


def test_sizes_that_do_not_meet_are_refused():
    with pytest.raises(ValueError, match="Matrix size-incompatible"):
        product(normal(1, 20, 30), normal(2, 31, 40))
