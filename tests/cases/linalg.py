"""Records of tf.linalg: decompositions, systems, norms, functions of matrices, tridiagonal matrices."""

import numpy as np

from cases.base import COMPLEX, WIDE, Fails, Input, OpCase, given, normal

BOTH = WIDE + COMPLEX


def definite(*shape):
    """Symmetric positive definite matrices, well conditioned."""

    def make(r):
        a = r.randn(*shape)
        return np.matmul(a, np.swapaxes(a, -1, -2)) + shape[-1] * np.eye(shape[-1])

    return Input(make)


def regular(*shape):
    """Matrices that are far from singular."""
    return Input(lambda r: r.randn(*shape) + 3 * np.eye(shape[-2], shape[-1]))


def lower(*shape):
    return Input(lambda r: np.tril(r.randn(*shape)) + 3 * np.eye(shape[-1]))


def symmetric(*shape):
    """Symmetric matrices with eigenvalues apart from each other."""

    def make(r):
        a = r.randn(*shape)
        return a + np.swapaxes(a, -1, -2) + np.diag(np.arange(shape[-1]) * 4.0)

    return Input(make)


SINGULAR = given([[1.0, 2.0], [2.0, 4.0]])
NONE = normal(0, 0)

# Vectors have either sign: what is compared does not depend on it.
qr = lambda tf, x, **flags: [tf.abs(part) for part in tf.qr(x, **flags)]
svd = lambda tf, x, **flags: [tf.abs(part) for part in tf.svd(x, **flags)]

CASES = [
    OpCase("Cholesky", [definite(3, 3)], lambda tf, x: tf.cholesky(x), "", WIDE, smooth=False),  # reads one half
    OpCase("Cholesky", [definite(2, 3, 3)], lambda tf, x: tf.linalg.cholesky(x), "batch", smooth=False, misuse=False),
    OpCase("Cholesky", [NONE], lambda tf, x: tf.cholesky(x), "empty", misuse=False),
    Fails("Cholesky", [given([[1.0, 2.0], [2.0, 1.0]])], lambda tf, x: tf.cholesky(x), "indefinite"),
    Fails("Cholesky", [normal(2, 3)], lambda tf, x: tf.cholesky(x), "not square"),
    OpCase("Qr", [regular(4, 3)], lambda tf, x: qr(tf, x), "", WIDE, tol=20),
    OpCase("Qr", [regular(2, 3, 3)], lambda tf, x: qr(tf, x), "batch", ("float64",), tol=20, misuse=False),
    OpCase("Qr", [regular(3, 4)], lambda tf, x: qr(tf, x), "wide", BOTH, grad=False, tol=20, misuse=False),
    OpCase("Qr", [regular(4, 3)], lambda tf, x: qr(tf, x, full_matrices=True), "full", grad=False, tol=20,
           misuse=False),
    OpCase("Svd", [regular(4, 3)], lambda tf, x: svd(tf, x), "", WIDE, tol=50, smooth=False),
    OpCase("Svd", [regular(3, 4)], lambda tf, x: svd(tf, x), "wide", WIDE, tol=50, smooth=False, misuse=False),
    OpCase("Svd", [regular(2, 3, 3)], lambda tf, x: svd(tf, x, full_matrices=True), "full", tol=50, smooth=False,
           misuse=False),
    OpCase("Svd", [regular(3, 4)], lambda tf, x: tf.svd(x, compute_uv=False), "values", BOTH, tol=20, misuse=False),
    OpCase("SelfAdjointEigV2", [symmetric(3, 3)], lambda tf, x: [tf.abs(part) for part in tf.self_adjoint_eig(x)], "",
           WIDE, tol=20, smooth=False),  # reads one half
    OpCase("SelfAdjointEigV2", [symmetric(2, 3, 3)], lambda tf, x: tf.self_adjoint_eigvals(x), "values", WIDE, tol=20,
           smooth=False, misuse=False),
    OpCase("Lu", [regular(4, 4)], lambda tf, x: tf.linalg.lu(x), "", BOTH, grad=False, tol=5),
    OpCase("Lu", [regular(2, 3, 3)], lambda tf, x: tf.linalg.lu(x, tf.int64), "batch", grad=False, tol=5,
           misuse=False),
    Fails("Lu", [SINGULAR], lambda tf, x: tf.linalg.lu(x), "singular"),
    OpCase("MatrixInverse", [regular(3, 3)], lambda tf, x: tf.matrix_inverse(x), "", BOTH, tol=5),
    OpCase("MatrixInverse", [regular(2, 3, 3)], lambda tf, x: tf.linalg.inv(x, adjoint=True), "adjoint", BOTH, tol=5,
           grad=False, misuse=False),  # 1.15's gradient is that of the inverse itself
    OpCase("MatrixInverse", [NONE], lambda tf, x: tf.matrix_inverse(x), "empty", misuse=False),
    Fails("MatrixInverse", [SINGULAR], lambda tf, x: tf.matrix_inverse(x), "singular"),
    OpCase("MatrixDeterminant", [regular(3, 3)], lambda tf, x: tf.matrix_determinant(x), "", BOTH, tol=5),
    OpCase("MatrixDeterminant", [regular(2, 3, 3)], lambda tf, x: tf.linalg.det(x), "batch", tol=5, misuse=False),
    OpCase("MatrixDeterminant", [SINGULAR], lambda tf, x: tf.matrix_determinant(x), "singular", grad=False,
           misuse=False),
    OpCase("MatrixDeterminant", [NONE], lambda tf, x: tf.matrix_determinant(x), "empty", grad=False, misuse=False),
    OpCase("LogMatrixDeterminant", [regular(2, 3, 3)], lambda tf, x: tf.linalg.slogdet(x), "", WIDE, tol=5,
           smooth=False),
    OpCase("Cholesky", [definite(3, 3)], lambda tf, x: tf.linalg.logdet(x), "logdet", WIDE, tol=5, smooth=False),
    OpCase("MatrixSolve", [regular(3, 3), normal(3, 2)], lambda tf, a, b: tf.matrix_solve(a, b), "", BOTH, tol=5),
    OpCase("MatrixSolve", [regular(2, 3, 3), normal(2, 3, 2)], lambda tf, a, b: tf.linalg.solve(a, b, adjoint=True),
           "adjoint", BOTH, tol=5, misuse=False),
    Fails("MatrixSolve", [SINGULAR, normal(2, 1)], lambda tf, a, b: tf.matrix_solve(a, b), "singular"),
    Fails("MatrixSolve", [regular(3, 3), normal(2, 1)], lambda tf, a, b: tf.matrix_solve(a, b), "misfit"),
    OpCase("MatrixTriangularSolve", [lower(3, 3), normal(3, 2)], lambda tf, a, b: tf.matrix_triangular_solve(a, b), "",
           BOTH, tol=5),
    OpCase("MatrixTriangularSolve", [lower(2, 3, 3), normal(2, 3, 2)],
           lambda tf, a, b: tf.linalg.triangular_solve(a, b, adjoint=True), "adjoint", BOTH, tol=5, misuse=False),
    OpCase("MatrixTriangularSolve", [regular(3, 3), normal(3, 2)],
           lambda tf, a, b: tf.matrix_triangular_solve(a, b, lower=False), "upper", tol=5, misuse=False),
    OpCase("MatrixTriangularSolve", [definite(3, 3), normal(3, 2)], lambda tf, a, b: tf.cholesky_solve(a, b),
           "cholesky_solve", WIDE, tol=5, misuse=False),
    OpCase("MatrixSolveLs", [regular(4, 3), normal(4, 2)], lambda tf, a, b: tf.matrix_solve_ls(a, b, fast=False),
           "", WIDE, grad=False, tol=20),
    OpCase("MatrixSolveLs", [given([[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]]), normal(3, 1)],
           lambda tf, a, b: tf.matrix_solve_ls(a, b, fast=False), "rank deficient", ("float64",), grad=False,
           misuse=False),
    OpCase("Cholesky", [regular(4, 3), normal(4, 2)], lambda tf, a, b: tf.matrix_solve_ls(a, b, 0.1), "lstsq tall",
           WIDE, tol=20, misuse=False),
    OpCase("Cholesky", [regular(3, 4), normal(3, 2)], lambda tf, a, b: tf.linalg.lstsq(a, b), "lstsq wide", WIDE,
           tol=50, misuse=False),
    OpCase("MatrixSquareRoot", [definite(3, 3)], lambda tf, x: tf.linalg.sqrtm(x), "", WIDE, tol=20),
    OpCase("MatrixLogarithm", [regular(3, 3)], lambda tf, x: tf.linalg.logm(x), "", COMPLEX, grad=False, tol=20),
    # 1.15 nests the polynomials in other ways, and counts squarings in a while loop of its own.
    OpCase("MatrixSolve", [normal(3, 3)], lambda tf, x: tf.linalg.expm(x), "expm", BOTH, graph=False, grad=False,
           tol=20, misuse=False),
    OpCase("MatrixSolve", [normal(2, 3, 3, scale=4.0)], lambda tf, x: tf.linalg.expm(x), "expm large", ("float64",),
           graph=False, grad=False, tol=20, misuse=False),
    OpCase("TridiagonalSolve", [Input(lambda r: r.randn(3, 4) + [[0], [5], [0]]), normal(4, 2)],
           lambda tf, d, b: tf.linalg.tridiagonal_solve(d, b), "", BOTH, tol=5, grad=False, misuse=False),
    OpCase("TridiagonalSolve", [Input(lambda r: r.randn(3, 4) + [[0], [5], [0]]), normal(4, 2)],
           lambda tf, d, b: tf.linalg.tridiagonal_solve(d, b), "gradient", WIDE, tol=5, graph=False, misuse=False),
    OpCase("TridiagonalMatMul", [normal(3, 4), normal(4, 2)], lambda tf, d, b: tf.linalg.tridiagonal_matmul(d, b), "",
           BOTH, misuse=False),
]  # fmt: skip

# Norms.
for label, ord, axis in (
    ("of all", "euclidean", None), ("2", 2, 1), ("1", 1, 0), ("3", 3, -1), ("inf", np.inf, 1),
    ("fro", "fro", (0, 1)), ("matrix 1", 1, (0, 1)), ("matrix inf", np.inf, [-2, -1]),
):  # fmt: skip
    CASES.append(OpCase(
        "Squeeze", [normal(3, 4)], lambda tf, x, ord=ord, axis=axis: tf.norm(x, ord, axis=axis), label, WIDE,
        misuse=False,
    ))  # fmt: skip
CASES += [
    # 1.15 finds the axes with loops, and knows less of the shape.
    OpCase("Svd", [regular(3, 3)], lambda tf, x: tf.norm(x, 2, axis=(-2, -1)), "norm 2 of matrices", graph=False,
           tol=5, misuse=False),
    OpCase("Sqrt", [normal(2, 3)], lambda tf, x: tf.norm(x, keepdims=True), "norm keepdims", misuse=False),
    Fails("Sqrt", [normal(2, 3)], lambda tf, x: tf.norm(x, ord="fro"), "norm fro of vectors"),
    Fails("Sqrt", [normal(2, 3)], lambda tf, x: tf.norm(x, ord=-1.0), "norm of negative order"),
    Fails("Sqrt", [normal(2, 3)], lambda tf, x: tf.norm(x, axis=[0, 0]), "norm along one axis twice"),
    OpCase("Svd", [regular(3, 4)], lambda tf, x: tf.linalg.pinv(x), "pinv", WIDE, tol=50, graph=False, misuse=False),
    OpCase("Svd", [SINGULAR], lambda tf, x: tf.linalg.matrix_rank(x), "matrix_rank", WIDE, grad=False, graph=False,
           misuse=False),
    OpCase("MatrixDiag", [normal(2)], lambda tf, x: (tf.eye(3), tf.eye(2, batch_shape=[2]), tf.eye(2, 3)), "eye",
           grad=False, misuse=False),
    OpCase("Transpose", [normal(2, 3)], lambda tf, x: tf.linalg.adjoint(x), "adjoint", ("float32",), misuse=False),
]  # fmt: skip
