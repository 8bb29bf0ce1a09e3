"""Every LinearOperator against the dense matrix that it stands for, in NumPy."""

import numpy as np
import pytest
import scipy.linalg

import thalweg as tf

L = tf.linalg
r = np.random.RandomState(3)
A = r.randn(3, 3) + 3 * np.eye(3)
B = r.randn(2, 3, 3) + 3 * np.eye(3)
SPD = A @ A.T + np.eye(3)
D = np.array([1.5, -2.0, 0.5])
U, V, K = r.randn(3, 2), r.randn(3, 2), np.array([0.7, 1.2])
V3 = r.randn(3)
ROW, COL = np.array([4.0, 1.0, 0.5]), np.array([4.0, -1.0, 2.0])
SPECTRUM = np.array([3.0, 1.0 + 1j, 1.0 - 1j])


def full(m, **hints):
    return L.LinearOperatorFullMatrix(m, **hints)


def circulant(spectrum):
    n = spectrum.size
    f = np.fft.fftn(np.eye(n).reshape((n, *spectrum.shape)), axes=range(1, spectrum.ndim + 1)).reshape(n, n).T
    return np.linalg.inv(f) @ np.diag(spectrum.ravel()) @ f


S2, S3 = r.rand(2, 2) + 1, r.rand(2, 1, 2) + 1
OPERATORS = {
    "full": lambda: (full(A), A),
    "full of a batch": lambda: (full(B), B),
    "full definite": lambda: (full(SPD, is_self_adjoint=True, is_positive_definite=True), SPD),
    "diag": lambda: (L.LinearOperatorDiag(D), np.diag(D)),
    "diag of a batch": lambda: (L.LinearOperatorDiag(np.stack([D, D + 5])), np.stack([np.diag(D), np.diag(D + 5)])),
    "lower": lambda: (L.LinearOperatorLowerTriangular(A), np.tril(A)),
    "identity": lambda: (L.LinearOperatorIdentity(3, dtype=tf.float64), np.eye(3)),
    "identities": lambda: (L.LinearOperatorIdentity(3, [2], tf.float64), np.stack([np.eye(3)] * 2)),
    "scaled identity": lambda: (L.LinearOperatorScaledIdentity(3, np.float64(2.5)), 2.5 * np.eye(3)),
    "scaled identities": lambda: (
        L.LinearOperatorScaledIdentity(3, np.array([2.5, -1.0])),
        np.stack([2.5 * np.eye(3), -np.eye(3)]),
    ),
    "reflection": lambda: (L.LinearOperatorHouseholder(V3), np.eye(3) - 2 * np.outer(V3, V3) / (V3 @ V3)),
    "adjoint": lambda: (full(A).adjoint(), A.T),
    "inverse": lambda: (full(A).inverse(), np.linalg.inv(A)),
    "composition": lambda: (L.LinearOperatorComposition([full(A), L.LinearOperatorDiag(D)]), A @ np.diag(D)),
    "product": lambda: (full(A).matmul(full(B), adjoint=True), A.T @ B),
    "blocks": lambda: (L.LinearOperatorBlockDiag([full(A), full(SPD)]), scipy.linalg.block_diag(A, SPD)),
    "kronecker": lambda: (
        L.LinearOperatorKronecker([full(A), L.LinearOperatorDiag(D[:2])]),
        np.kron(A, np.diag(D[:2])),
    ),
    "low rank": lambda: (L.LinearOperatorLowRankUpdate(full(A), U, K, V), A + U @ np.diag(K) @ V.T),
    "low rank definite": lambda: (
        L.LinearOperatorLowRankUpdate(
            full(SPD, is_self_adjoint=True, is_positive_definite=True), U, K, is_diag_update_positive=True
        ),
        SPD + U @ np.diag(K) @ U.T,
    ),
    "circulant": lambda: (L.LinearOperatorCirculant(SPECTRUM, tf.complex128), circulant(SPECTRUM)),
    "circulant, real": lambda: (L.LinearOperatorCirculant(SPECTRUM, tf.float64), circulant(SPECTRUM).real),
    "circulant of two axes": lambda: (L.LinearOperatorCirculant2D(S2, tf.complex128), circulant(S2)),
    "circulant of three axes": lambda: (L.LinearOperatorCirculant3D(S3, tf.complex128), circulant(S3)),
    "toeplitz": lambda: (L.LinearOperatorToeplitz(COL, ROW), scipy.linalg.toeplitz(COL, ROW)),
}


@pytest.mark.parametrize("kind", OPERATORS)
def test_against_dense(kind):
    operator, dense = OPERATORS[kind]()
    n = dense.shape[-1]
    x = np.random.RandomState(1).randn(n, 2).astype(dense.dtype)
    turned = np.conj(np.swapaxes(dense, -1, -2))
    sign, size = np.linalg.slogdet(dense)
    expected = {
        "dense": (operator.to_dense(), dense),
        "matmul": (operator.matmul(x), dense @ x),
        "matmul adjoint": (operator.matmul(x, adjoint=True), turned @ x),
        "matmul of adjoint": (operator.matmul(x.conj().T, adjoint_arg=True), dense @ x),
        "matvec": (operator.matvec(x[:, 0]), dense @ x[:, 0]),
        "solve": (operator.solve(x), np.linalg.solve(dense, np.broadcast_to(x, (*dense.shape[:-2], n, 2)))),
        "solve adjoint": (
            operator.solve(x, adjoint=True),
            np.linalg.solve(turned, np.broadcast_to(x, (*dense.shape[:-2], n, 2))),
        ),
        "solvevec": (operator.solvevec(x[:, 1]), np.linalg.inv(dense) @ x[:, 1]),
        "determinant": (operator.determinant(), np.linalg.det(dense)),
        "log determinant": (operator.log_abs_determinant(), size),
        "diagonal": (operator.diag_part(), np.diagonal(dense, axis1=-2, axis2=-1)),
        "trace": (operator.trace(), np.trace(dense, axis1=-2, axis2=-1)),
        "sum": (operator.add_to_tensor(dense), dense + dense),
        "adjoint": (operator.H.to_dense(), turned),
        "inverse": (operator.inverse().to_dense(), np.linalg.inv(dense)),
        "shape": (operator.shape_tensor(), dense.shape),
        "rows": (operator.range_dimension_tensor(), n),
    }
    assert operator.shape.as_list() == list(dense.shape)
    assert operator.dtype.as_numpy_dtype == dense.dtype
    with tf.Session() as session:
        got = session.run({k: t for k, (t, _) in expected.items()})
    for k, (_, value) in expected.items():
        np.testing.assert_allclose(got[k], value, rtol=1e-9, atol=1e-9, err_msg=k)


def test_zeros():
    operator = L.LinearOperatorZeros(2, 3, dtype=tf.float64, is_square=False)
    with tf.Session() as session:
        np.testing.assert_array_equal(session.run(operator.matmul(np.ones((3, 1)))), np.zeros((2, 1)))
        np.testing.assert_array_equal(session.run(operator.to_dense()), np.zeros((2, 3)))


def test_cholesky():
    operator = full(SPD, is_self_adjoint=True, is_positive_definite=True)
    with tf.Session() as session:
        np.testing.assert_allclose(session.run(operator.cholesky().to_dense()), np.linalg.cholesky(SPD))
    with pytest.raises(ValueError, match="Cholesky"):
        full(A).cholesky()


def test_shapes_that_only_the_run_knows():
    x = tf.placeholder(tf.float64)
    d = tf.placeholder(tf.float64, [None])
    operator = L.LinearOperatorLowRankUpdate(L.LinearOperatorDiag(d), x)
    with tf.Session() as session:
        feed = {x: U, d: D}
        np.testing.assert_allclose(session.run(operator.matmul(SPD), feed), (np.diag(D) + U @ U.T) @ SPD)
        np.testing.assert_array_equal(session.run(operator.shape_tensor(), feed), [3, 3])


def test_assertions():
    with tf.Session() as session:
        session.run(full(SPD, is_self_adjoint=True).assert_positive_definite())
        session.run([full(SPD).assert_self_adjoint(), full(A).assert_non_singular()])
        for assertion in (
            lambda: full(-SPD, is_self_adjoint=True).assert_positive_definite(),
            lambda: full(A).assert_self_adjoint(),
            lambda: full(np.ones((2, 2))).assert_non_singular(),
            lambda: L.LinearOperatorDiag([1.0, 0.0]).assert_non_singular(),
            lambda: L.LinearOperatorDiag([1.0, -1.0]).assert_positive_definite(),
        ):
            with pytest.raises(tf.errors.InvalidArgumentError):  # at once, where the values are known
                session.run(assertion())


@pytest.mark.parametrize(
    "make",
    [
        lambda: full(A, is_positive_definite=True, is_non_singular=False),
        lambda: full(A, is_self_adjoint=True, is_square=False),
        lambda: L.LinearOperatorDiag(D, is_square=False),
        lambda: L.LinearOperatorDiag(D, is_self_adjoint=False),
        lambda: L.LinearOperatorIdentity(3, is_positive_definite=False),
        lambda: L.LinearOperatorIdentity(-3),
        lambda: L.LinearOperatorZeros(2, is_non_singular=True),
        lambda: L.LinearOperatorComposition([]),
        lambda: full(A).matmul(full(np.ones((2, 2)))),
        lambda: L.LinearOperatorFullMatrix([1.0, 2.0]),
    ],
)
def test_contradictions(make):
    with pytest.raises(ValueError):
        make()


def test_types():
    with pytest.raises(TypeError):
        full(A).matmul(np.ones((3, 1), np.float32))
    with pytest.raises(TypeError):
        L.LinearOperatorComposition([full(A), full(A.astype(np.float32))])
    with pytest.raises(NotImplementedError):
        L.LinearOperatorFullMatrix(A, is_non_singular=False).solve(np.ones((3, 1)))
