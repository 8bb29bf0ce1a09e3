"""Records of tf.math: element-wise, comparison, logical, casts, matrix products, scans and segments."""

import numpy as np

from cases.base import (
    COMPLEX,
    FLOATS,
    INTS,
    NUMBERS,
    WIDE,
    Fails,
    OpCase,
    bools,
    given,
    ints,
    normal,
    spread,
    uniform,
)

REAL = FLOATS + INTS[:4]
HARD = (0.0, -0.0, 1.0, -1.0, 1e-30, -1e30, np.inf, -np.inf, np.nan)
hard = given(HARD)


def unary(op, call, types=FLOATS, x=None, hard_values=hard, **more):
    """A record over ordinary values and one over zeros, huge values, infinities and NaN."""
    cases = [OpCase(op, [x or normal(3, 4)], lambda tf, x: call(tf)(x), types=types, **more)]
    if hard_values:
        more.pop("smooth", None)
        hardest = [hard_values]
        cases.append(OpCase(op, hardest, lambda tf, x: call(tf)(x), "hard", WIDE, smooth=False, misuse=False, **more))
    return cases


def binary(op, call, types=NUMBERS, x=None, y=None, **more):
    """Equal shapes, broadcasting both ways, a Python number on either side, zero-size and scalar operands."""
    x, y = x or normal(3, 4), y or normal(3, 4)
    column, row = normal(3, 1), normal(1, 4)
    if "positive" in more:
        more.pop("positive")
        x, y, column, row = (uniform(*s, low=0.5, high=3.0) for s in ((3, 4), (3, 4), (3, 1), (1, 4)))
    return [
        OpCase(op, [x, y], lambda tf, x, y: call(tf)(x, y), types=types, **more),
        OpCase(op, [column, row], lambda tf, x, y: call(tf)(x, y), "outer", misuse=False, **more),
        OpCase(op, [given(2.0), row], lambda tf, x, y: call(tf)(x, y), "scalar left", misuse=False, **more),
        OpCase(op, [x], lambda tf, x: call(tf)(x, 2.0), "number right", misuse=False, **more),
        OpCase(op, [normal(0, 4), row], lambda tf, x, y: call(tf)(x, y), "empty", misuse=False, **more),
        Fails(op, [normal(3), normal(4)], lambda tf, x, y: call(tf)(x, y), "incompatible shapes"),
        Fails(op, [normal(3), ints(0, 9, 3)], lambda tf, x, y: call(tf)(x, y), "mixed dtypes"),
    ]


CASES = []

# Element-wise functions of one number.
CASES += unary("Abs", lambda tf: tf.abs, REAL)
CASES += [OpCase("ComplexAbs", [normal(3, 4)], lambda tf, x: tf.abs(x), types=COMPLEX)]
CASES += unary("Neg", lambda tf: tf.negative, FLOATS + ("int32", "int64") + COMPLEX)
CASES += unary("Sign", lambda tf: tf.sign, FLOATS + ("int32", "int64") + COMPLEX, smooth=False)
CASES += unary("Square", lambda tf: tf.square, FLOATS + ("int32", "int64") + COMPLEX)
FINITE = given([0.0, 1.0, -1.0, 1e-30, -1e30, np.nan])  # there, the root of inf is NaN in float32 alone
CASES += unary("Sqrt", lambda tf: tf.sqrt, FLOATS + COMPLEX, uniform(3, 4, low=0.1, high=4.0), FINITE)
CASES += unary("Rsqrt", lambda tf: tf.rsqrt, FLOATS + COMPLEX, uniform(3, 4, low=0.1, high=4.0), FINITE)
CASES += unary("Exp", lambda tf: tf.exp, FLOATS + COMPLEX)
CASES += unary("Expm1", lambda tf: tf.math.expm1, FLOATS + COMPLEX)
CASES += unary("Log", lambda tf: tf.log, FLOATS + COMPLEX, uniform(3, 4, low=0.1, high=4.0))
CASES += unary("Log1p", lambda tf: tf.log1p, FLOATS + COMPLEX, uniform(3, 4, low=-0.5, high=4.0))
CASES += unary("Sin", lambda tf: tf.sin, FLOATS + COMPLEX)
CASES += unary("Cos", lambda tf: tf.cos, FLOATS + COMPLEX)
CASES += unary("Tan", lambda tf: tf.tan, WIDE)
CASES += unary("Asin", lambda tf: tf.asin, WIDE, uniform(3, 4, low=-0.9, high=0.9))
CASES += unary("Acos", lambda tf: tf.acos, WIDE, uniform(3, 4, low=-0.9, high=0.9))
CASES += unary("Atan", lambda tf: tf.atan, WIDE)
CASES += unary("Sinh", lambda tf: tf.sinh, FLOATS + COMPLEX)
CASES += unary("Cosh", lambda tf: tf.cosh, FLOATS + COMPLEX)
CASES += unary("Tanh", lambda tf: tf.tanh, FLOATS + COMPLEX)
CASES += unary("Asinh", lambda tf: tf.asinh, WIDE, hard_values=False)
CASES += unary("Acosh", lambda tf: tf.acosh, WIDE, uniform(3, 4, low=1.1, high=4.0), hard_values=False)
CASES += unary("Atanh", lambda tf: tf.atanh, WIDE, uniform(3, 4, low=-0.9, high=0.9), hard_values=False)
CASES += unary("Sigmoid", lambda tf: tf.sigmoid, FLOATS + COMPLEX)
CASES += unary("Reciprocal", lambda tf: tf.reciprocal, FLOATS + COMPLEX, uniform(3, 4, low=0.5, high=4.0))
CASES += unary("Floor", lambda tf: tf.floor, FLOATS, normal(3, 4, scale=3.0), smooth=False)
CASES += unary("Ceil", lambda tf: tf.ceil, FLOATS, normal(3, 4, scale=3.0), smooth=False)
CASES += unary("Rint", lambda tf: tf.rint, FLOATS, normal(3, 4, scale=3.0), smooth=False)
CASES += unary("Round", lambda tf: tf.round, FLOATS + ("int32",), normal(3, 4, scale=3.0), smooth=False)
CASES += [
    OpCase("Round", [given([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])], lambda tf, x: tf.round(x), "halves", WIDE, smooth=False)
]
CASES += unary("Erf", lambda tf: tf.erf, FLOATS)
CASES += unary("Erfc", lambda tf: tf.erfc, FLOATS)
CASES += unary("Lgamma", lambda tf: tf.lgamma, FLOATS, uniform(3, 4, low=0.2, high=5.0), tol=3)
CASES += unary("Digamma", lambda tf: tf.digamma, FLOATS, uniform(3, 4, low=0.3, high=5.0), tol=5, hard_values=False)
CASES += unary("IsFinite", lambda tf: tf.is_finite, FLOATS, hard, hard_values=False)
CASES += unary("IsInf", lambda tf: tf.is_inf, FLOATS[:3], hard, hard_values=False)  # there, NaN in bfloat16 is infinite
CASES += unary("IsNan", lambda tf: tf.is_nan, FLOATS, hard, hard_values=False)
CASES += [OpCase("Relu", [spread(3, 4)], lambda tf, x: tf.nn.relu(x), "math face", smooth=False)]

# Arithmetic of two.
CASES += binary("Add", lambda tf: tf.add, NUMBERS)
CASES += binary("Sub", lambda tf: tf.subtract, NUMBERS)
CASES += binary("Mul", lambda tf: tf.multiply, NUMBERS)
CASES += binary("RealDiv", lambda tf: tf.divide, FLOATS + COMPLEX, positive=True)
CASES += binary("Maximum", lambda tf: tf.maximum, FLOATS + ("int32", "int64"), smooth=False)
CASES += binary("Minimum", lambda tf: tf.minimum, FLOATS + ("int32", "int64"), smooth=False)
CASES += binary("Pow", lambda tf: tf.pow, FLOATS + COMPLEX, positive=True, tol=4)
CASES += binary("SquaredDifference", lambda tf: tf.squared_difference, FLOATS + ("int32", "int64"))
CASES += binary("FloorDiv", lambda tf: tf.floordiv, FLOATS, positive=True, smooth=False)
CASES += binary("FloorMod", lambda tf: tf.floormod, WIDE + ("int32", "int64"), positive=True, smooth=False)
CASES += binary("Atan2", lambda tf: tf.atan2, WIDE, grad=False)  # 1.15's gradient does not broadcast
CASES += [OpCase("Atan2", [normal(3, 4), normal(3, 4)], lambda tf, x, y: tf.atan2(x, y), "gradient", WIDE)]
CASES += [
    OpCase(
        "Pow", [given([0, 1, 2, 3, -2], "int32"), given([3, 4, 5, 0, 3], "int32")], lambda tf, x, y: x**y, "integers"
    ),
    OpCase("Pow", [normal(3)], lambda tf, x: (x**2, x**3, 2.0**x), "operators"),
    OpCase("Maximum", [given([1.0, 2, 3]), given([1.0, 3, 2])], lambda tf, x, y: tf.maximum(x, y), "ties",
           smooth=False),
    OpCase("Minimum", [given([1.0, 2, 3]), given([1.0, 3, 2])], lambda tf, x, y: tf.minimum(x, y), "ties",
           smooth=False),
    OpCase("Maximum", [given([1.0, np.nan, 3]), given([np.nan, 3.0, 2])], lambda tf, x, y: tf.maximum(x, y), "nan",
           smooth=False, grad=False, value=False),
    OpCase("FloorDiv", [given([7, -7, 7, -7, 0], "int32"), given([2, 2, -2, -2, 3], "int32")],
           lambda tf, x, y: (x // y, tf.floordiv(x, y)), "integers"),
    OpCase("FloorMod", [given([7, -7, 7, -7, 0]), given([2, 2, -2, -2, 3])], lambda tf, x, y: (x % y, tf.mod(x, y)),
           "signs", ("float32", "float64", "int32", "int64"), smooth=False),
    OpCase("TruncateDiv", [given([7, -7, 7, -7, 0], "int32"), given([2, 2, -2, -2, 3], "int32")],
           lambda tf, x, y: tf.truncatediv(x, y)),
    OpCase("TruncateMod", [given([7, -7, 7, -7, 0]), given([2, 2, -2, -2, 3])], lambda tf, x, y: tf.truncatemod(x, y),
           "", ("float32", "float64", "int32", "int64"), grad=False),
    OpCase("RealDiv", [given([7, -7, 0], "int32"), given([2, 2, 3], "int32")],
           lambda tf, x, y: (x / y, tf.truediv(x, y), tf.div(x, y)), "of integers"),
    OpCase("RealDiv", [normal(3), given([0.0, 1.0, -0.0])], lambda tf, x, y: x / y, "by zero", smooth=False),
    Fails("FloorDiv", [given([1], "int32"), given([0], "int32")], lambda tf, x, y: x // y, "integer by zero"),
    Fails("FloorMod", [given([1], "int32"), given([0], "int32")], lambda tf, x, y: x % y, "integer by zero"),
    Fails("Pow", [given([2], "int32"), given([-1], "int32")], lambda tf, x, y: x**y, "negative integer power"),
    OpCase("DivNoNan", [given([7.0, -7, 0]), given([2.0, 0, 0])], lambda tf, x, y: tf.div_no_nan(x, y), "", WIDE,
           smooth=False),
    OpCase("Xdivy", [given([7.0, -7, 0]), given([2.0, 3, 0])], lambda tf, x, y: tf.math.xdivy(x, y), "", WIDE,
           smooth=False),
    OpCase("Xlogy", [given([7.0, -7, 0]), given([2.0, 3, 0])], lambda tf, x, y: tf.math.xlogy(x, y), "", WIDE,
           smooth=False),
    OpCase("AddV2", [normal(2, 3), normal(3)], lambda tf, x, y: (x + y, x + 1.0, 1.0 + x), "operator", NUMBERS),
    OpCase("Sub", [normal(2, 3), normal(3)], lambda tf, x, y: (x - y, x - 1.0, 1.0 - x, -x), "operators", ("float32",)),
    OpCase("Mul", [normal(2, 3), normal(3)], lambda tf, x, y: (x * y, x * 2.0, 2.0 * x), "operators", ("float32",)),
    OpCase("RealDiv", [normal(2, 3), normal(3)], lambda tf, x, y: (x / y, x / 2.0, 2.0 / y), "operators", ("float32",)),
    OpCase("AddV2", [normal(2, 3)], lambda tf, x: (x + np.float32(1.5), x + np.ones((2, 1), np.float32)),
           "numpy right"),
    OpCase("AddV2", [normal(2, 3)], lambda tf, x: np.float32(1.5) + x, "numpy left"),
    OpCase("Abs", [normal(2, 3)], lambda tf, x: abs(x), "operator"),
    OpCase("Add", [given(["ab", "c"], "string"), given(["d", "ef"], "string")], lambda tf, x, y: x + y, "strings"),
    OpCase("AddN", [normal(2, 3), normal(2, 3), normal(2, 3)], lambda tf, *xs: tf.add_n(xs), "",
           FLOATS + ("int32", "int64") + COMPLEX),
    OpCase("AddN", [normal(2, 3)], lambda tf, x: tf.add_n([x, x * 2.0, x]), "repeated", misuse=False),
    OpCase("Identity", [normal(2, 3)], lambda tf, x: tf.add_n([x], name="sum"), "add_n of one", misuse=False),
    OpCase("AccumulateNV2", [normal(2, 3), normal(2, 3)], lambda tf, *xs: tf.accumulate_n(xs)),
    Fails("AddN", [normal(2, 3), normal(3, 2)], lambda tf, *xs: tf.add_n(xs), "different shapes"),
    Fails("AddN", [normal(2)], lambda tf, x: tf.add_n([]), "nothing"),
]  # fmt: skip

# Comparison and logic.
for op, word, types in (
    ("Less", "less", REAL),
    ("LessEqual", "less_equal", REAL),
    ("Greater", "greater", REAL),
    ("GreaterEqual", "greater_equal", REAL),
    ("Equal", "equal", (*NUMBERS, "bool", "string")),
    ("NotEqual", "not_equal", (*NUMBERS, "bool", "string")),
):
    f = lambda tf, x, y, word=word: getattr(tf, word)(x, y)
    CASES += [
        OpCase(op, [given([1.0, 2, 3, -1]), given([1.0, 3, 2, -1])], f, "", types),
        OpCase(op, [given(HARD), given([[0.0], [np.nan]])], f, "hard", misuse=False),
        OpCase(op, [normal(3, 1), normal(1, 4)], f, "outer", misuse=False),
        Fails(op, [normal(3), normal(4)], f, "incompatible shapes"),
    ]
CASES += [
    OpCase("Less", [normal(2, 3), normal(3)], lambda tf, x, y: (x < y, x <= y, x > y, x >= y, x < 0.5), "operators"),
    OpCase("LogicalAnd", [bools(2, 3), bools(3)], lambda tf, x, y: (tf.logical_and(x, y), x & y)),
    OpCase("LogicalOr", [bools(2, 3), bools(3)], lambda tf, x, y: (tf.logical_or(x, y), x | y)),
    OpCase("LogicalNot", [bools(2, 3)], lambda tf, x: (tf.logical_not(x), ~x)),
    OpCase("LogicalAnd", [bools(2, 3), bools(3)], lambda tf, x, y: (tf.logical_xor(x, y), x ^ y), "xor"),
]  # fmt: skip

# Casts: every pair of the common types.
KINDS = ("float32", "float64", "float16", "bfloat16", "int32", "int64", "uint8", "int8", "int16", "bool", "complex64")
CASES += [
    OpCase("Cast", [uniform(2, 3, low=0.6, high=9.0)],
           lambda tf, x: [tf.cast(x, t) for t in KINDS if tf.as_dtype(t) != x.dtype], "all pairs", KINDS, grad=False,
           misuse=False),
    OpCase("Cast", [normal(2, 3)], lambda tf, x: tf.cast(x, tf.float64)),
    OpCase("Cast", [given([-3.7, -0.5, 0.0, 0.5, 2.5, 300.2])],
           lambda tf, x: (tf.cast(x, tf.int32), tf.cast(x, tf.bool)),
           "truncates", WIDE),
    OpCase("Placeholder", [normal(2, 3)], lambda tf, x: tf.cast(x, tf.float32), "cast to the same"),
    OpCase("Cast", [normal(2, 3)], lambda tf, x: (tf.to_double(x), tf.to_int32(x), tf.to_int64(x), tf.to_bfloat16(x)),
           "to_double and others", grad=[]),
    OpCase("Cast", [normal(2, 3)], lambda tf, x: tf.saturate_cast(x * 200.0, tf.uint8), "saturate", graph=True),
    OpCase("Bitcast", [given([1.0, -2.0])], lambda tf, x: tf.bitcast(x, tf.int32), misuse=False),
    OpCase("Bitcast", [given([[1.0], [-2.0]], "float64")], lambda tf, x: tf.bitcast(x, tf.uint8), "to smaller",
           misuse=False),
    OpCase("Complex", [normal(2, 3), normal(2, 3)], lambda tf, x, y: tf.complex(x, y), "", WIDE,
           smooth=False),  # the difference quotient sums real results only
    OpCase("Real", [normal(2, 3)], lambda tf, x: (tf.real(x), tf.imag(x), tf.conj(x)), "", COMPLEX),
    OpCase("Imag", [normal(2, 3)], lambda tf, x: tf.imag(x), "", COMPLEX),
    OpCase("Conj", [normal(2, 3)], lambda tf, x: tf.conj(x), "", COMPLEX),
    OpCase("Angle", [normal(2, 3)], lambda tf, x: tf.angle(x), "", COMPLEX),
]  # fmt: skip

# Reductions.
for op, word, types in (
    ("Sum", "reduce_sum", NUMBERS),
    ("Mean", "reduce_mean", FLOATS + ("int32", "int64") + COMPLEX),
    ("Prod", "reduce_prod", FLOATS + ("int32", "int64") + COMPLEX),
    ("Max", "reduce_max", REAL),
    ("Min", "reduce_min", REAL),
):
    CASES += [
        OpCase(op, [spread(2, 3, 4)], lambda tf, x, r=word: getattr(tf, r)(x), "", types),
        OpCase(op, [spread(2, 3, 4)], lambda tf, x, r=word: getattr(tf, r)(x, 1), "axis"),
        OpCase(op, [spread(2, 3, 4)], lambda tf, x, r=word: getattr(tf, r)(x, axis=[0, -1]), "axes"),
        OpCase(op, [spread(2, 3, 4)], lambda tf, x, r=word: getattr(tf, r)(x, axis=[-2], keepdims=True), "keepdims"),
        OpCase(op, [spread(2, 3, 4)], lambda tf, x, r=word: getattr(tf, r)(x, reduction_indices=[1], keep_dims=True),
               "old names"),
        OpCase(op, [spread(2, 3)], lambda tf, x, r=word: getattr(tf, r)(x, []), "no axes"),
        OpCase(op, [spread(2, 3), ints(1, 2, 1)], lambda tf, x, a, r=word: getattr(tf, r)(x, a), "axes fed"),
        OpCase(op, [normal(0, 3)], lambda tf, x, r=word: getattr(tf, r)(x, 0), "empty", smooth=False),
        OpCase(op, [given(2.5)], lambda tf, x, r=word: getattr(tf, r)(x), "scalar"),
        OpCase(op, [given([[1.0, 3, 3], [3, 2, 3]])], lambda tf, x, r=word: getattr(tf, r)(x, 1), "ties", smooth=False),
        OpCase(op, [given([[1.0, np.inf, 3], [-np.inf, 2, 3], [0, 1e30, -0.0]])],
               lambda tf, x, r=word: getattr(tf, r)(x, 1), "hard", smooth=False, grad=False),
        Fails(op, [normal(2, 3)], lambda tf, x, r=word: getattr(tf, r)(x, 2), "axis out of range"),
        Fails(op, [normal(2, 3)], lambda tf, x, r=word: getattr(tf, r)(x, -3), "axis too negative"),
    ]  # fmt: skip
CASES += [
    OpCase("Prod", [given([[0.0, 2, 3], [0, 0, 4], [1, 2, 3]])], lambda tf, x: tf.reduce_prod(x, 1), "zeros",
           smooth=False),
    OpCase("All", [bools(2, 3)], lambda tf, x: (tf.reduce_all(x), tf.reduce_all(x, 1), tf.reduce_all(x, [0], True))),
    OpCase("Any", [bools(2, 3)], lambda tf, x: (tf.reduce_any(x), tf.reduce_any(x, 1), tf.reduce_any(x, [0], True))),
    OpCase("Sum", [normal(2, 3)], lambda tf, x: tf.reduce_logsumexp(x, 1), "logsumexp", WIDE),
    OpCase("Sum", [given([[1000.0, 1000.0], [-np.inf, -np.inf]])], lambda tf, x: tf.reduce_logsumexp(x, 1),
           "logsumexp hard", WIDE, smooth=False, grad=False),
    OpCase("Mean", [normal(3, 4)], lambda tf, x: (tf.math.reduce_variance(x, 0), tf.math.reduce_std(x)), "variance",
           WIDE),
    OpCase("EuclideanNorm", [normal(3, 4)], lambda tf, x: tf.math.reduce_euclidean_norm(x, 1), "", WIDE),
    OpCase("Sum", [normal(3, 4)], lambda tf, x: tf.count_nonzero(x - x[:1], 1), "count_nonzero"),
    OpCase("ArgMax", [spread(3, 4)], lambda tf, x: tf.argmax(x, 1), "", REAL),
    OpCase("ArgMin", [spread(3, 4)], lambda tf, x: tf.argmin(x, 1), "", REAL),
    OpCase("ArgMax", [spread(3, 4)], lambda tf, x: (tf.argmax(x), tf.argmax(x, -1, output_type=tf.int32)),
           "axis default"),
    OpCase("ArgMin", [spread(3, 4)], lambda tf, x: (tf.argmin(x), tf.argmin(x, axis=-1)), "axis default"),
    OpCase("ArgMax", [given([[1.0, 3, 3], [2, 2, 1]])], lambda tf, x: tf.argmax(x, 1), "ties"),
    OpCase("ArgMin", [given([[3.0, 1, 1], [2, 2, 4]])], lambda tf, x: tf.argmin(x, 1), "ties"),
    OpCase("ArgMax", [spread(3, 4)], lambda tf, x: tf.argmax(x, dimension=1), "dimension"),
    Fails("ArgMax", [normal(3, 4)], lambda tf, x: tf.argmax(x, 2), "axis out of range"),
    Fails("ArgMax", [normal(0, 4)], lambda tf, x: tf.argmax(x, 0), "of nothing"),
]  # fmt: skip

# Matrix products.
CASES += [
    OpCase("MatMul", [normal(4, 3), normal(3, 5)], lambda tf, a, b: tf.matmul(a, b), "",
           FLOATS + ("int32", "int64") + COMPLEX, tol=2),
    OpCase("MatMul", [normal(3, 4), normal(3, 5)], lambda tf, a, b: tf.matmul(a, b, transpose_a=True), "transpose a"),
    OpCase("MatMul", [normal(4, 3), normal(5, 3)], lambda tf, a, b: tf.matmul(a, b, transpose_b=True), "transpose b"),
    OpCase("MatMul", [normal(3, 4), normal(5, 3)], lambda tf, a, b: tf.matmul(a, b, True, True), "both",
           ("float32", "complex64")),
    OpCase("MatMul", [normal(3, 4), normal(5, 3)], lambda tf, a, b: tf.matmul(a, b, adjoint_a=True, adjoint_b=True),
           "adjoint", ("float32", "complex64"), graph=True),
    OpCase("MatMul", [normal(4, 3), normal(3, 5)], lambda tf, a, b: a @ b, "operator"),
    OpCase("MatMul", [normal(0, 3), normal(3, 5)], lambda tf, a, b: tf.matmul(a, b), "no rows"),
    OpCase("MatMul", [normal(4, 0), normal(0, 5)], lambda tf, a, b: tf.matmul(a, b), "empty inside"),
    OpCase("BatchMatMulV2", [normal(2, 4, 3), normal(2, 3, 5)], lambda tf, a, b: tf.matmul(a, b), "",
           FLOATS + ("int32", "int64") + COMPLEX, tol=2),
    OpCase("BatchMatMulV2", [normal(2, 4, 3), normal(2, 5, 3)], lambda tf, a, b: tf.matmul(a, b, transpose_b=True),
           "transpose b"),
    OpCase("BatchMatMulV2", [normal(2, 3, 4), normal(2, 3, 5)], lambda tf, a, b: tf.matmul(a, b, adjoint_a=True),
           "adjoint a",
           ("float32", "complex64")),
    OpCase("BatchMatMulV2", [normal(2, 1, 4, 3), normal(5, 3, 2)], lambda tf, a, b: tf.matmul(a, b), "broadcast"),
    OpCase("MatMul", [normal(4, 3), normal(3, 5)], lambda tf, a, b: tf.tensordot(a, b, 1), "tensordot"),
    OpCase("MatMul", [normal(2, 3, 4), normal(4, 3, 5)], lambda tf, a, b: tf.tensordot(a, b, [[1, 2], [1, 0]]),
           "tensordot axes"),
    OpCase("SparseMatMul", [normal(4, 3), normal(3, 5)],
           lambda tf, a, b: tf.matmul(a, b, a_is_sparse=True, b_is_sparse=True),
           tol=2, misuse=False),
    Fails("MatMul", [normal(4, 3), normal(4, 5)], lambda tf, a, b: tf.matmul(a, b), "inner dimensions"),
    Fails("MatMul", [normal(4, 3), normal(3)], lambda tf, a, b: tf.matmul(a, b), "a vector"),
    Fails("MatMul", [normal(4, 3), ints(0, 9, 3, 5)], lambda tf, a, b: tf.matmul(a, b), "mixed dtypes"),
    Fails("MatMul", [normal(4, 3), normal(3, 5)], lambda tf, a, b: tf.matmul(a, b, transpose_a=True, adjoint_a=True),
          "transpose and adjoint"),
    OpCase("BatchMatMulV2", [normal(2, 2, 3), normal(2, 3)], lambda tf, a, b: tf.linalg.matvec(a, b), "matvec"),
    OpCase("Cross", [normal(2, 3), normal(2, 3)], lambda tf, a, b: tf.cross(a, b), "", WIDE + ("int32",)),
]  # fmt: skip

# Scans.
CASES += [
    OpCase("Cumsum", [normal(2, 3)], lambda tf, x: tf.cumsum(x, 1), "", FLOATS + ("int32", "int64") + COMPLEX),
    OpCase("Cumsum", [normal(2, 3)], lambda tf, x: tf.cumsum(x, -1, exclusive=True), "exclusive"),
    OpCase("Cumsum", [normal(2, 3)], lambda tf, x: tf.cumsum(x, reverse=True), "reverse"),
    OpCase("Cumsum", [normal(2, 3)], lambda tf, x: tf.cumsum(x, 1, exclusive=True, reverse=True), "exclusive reverse"),
    OpCase("Cumprod", [normal(2, 3)], lambda tf, x: tf.cumprod(x, 1), "", FLOATS + ("int32", "int64") + COMPLEX),
    OpCase("Cumprod", [normal(2, 3)], lambda tf, x: tf.cumprod(x, 1, exclusive=True, reverse=True),
           "exclusive reverse"),
    Fails("Cumsum", [normal(2, 3)], lambda tf, x: tf.cumsum(x, 2), "axis out of range"),
]  # fmt: skip

# Segments.
ROWS = given([0, 0, 1, 3], "int32")
for op, word in (
    ("SegmentSum", "segment_sum"),
    ("SegmentMean", "segment_mean"),
    ("SegmentMax", "segment_max"),
    ("SegmentMin", "segment_min"),
    ("SegmentProd", "segment_prod"),
):
    CASES += [
        OpCase(
            op, [spread(4, 3), ROWS], lambda tf, x, s, f=word: getattr(tf, f)(x, s), "", ("float32", "float64", "int32")
        ),
        Fails(
            op, [normal(3, 2), given([1, 0, 2], "int32")], lambda tf, x, s, f=word: getattr(tf, f)(x, s), "not sorted"
        ),
    ]
FREE = given([2, 0, 2, 4], "int32")
for op, word in (
    ("UnsortedSegmentSum", "unsorted_segment_sum"),
    ("UnsortedSegmentMax", "unsorted_segment_max"),
    ("UnsortedSegmentMin", "unsorted_segment_min"),
    ("UnsortedSegmentProd", "unsorted_segment_prod"),
):
    CASES += [
        OpCase(op, [spread(4, 3), FREE], lambda tf, x, s, f=word: getattr(tf, f)(x, s, 5), "",
               ("float32", "float64", "int32"), smooth=False),  # empty segments hold the largest numbers
        OpCase(op, [spread(2, 2, 3), given([[1, 0], [-1, 1]], "int32")],
               lambda tf, x, s, f=word: getattr(tf, f)(x, s, 2), "negative id, rank two"),
    ]  # fmt: skip
CASES += [
    OpCase("UnsortedSegmentSum", [spread(4, 3), FREE], lambda tf, x, s: tf.unsorted_segment_mean(x, s, 5), "mean"),
    OpCase("UnsortedSegmentSum", [spread(4, 3), FREE], lambda tf, x, s: tf.unsorted_segment_sqrt_n(x, s, 5), "sqrt_n"),
    Fails("UnsortedSegmentSum", [normal(2, 3), given([0, 7], "int32")],
          lambda tf, x, s: tf.unsorted_segment_sum(x, s, 5),
          "id out of range"),
    OpCase("SparseSegmentSum", [normal(5, 3), given([0, 2, 2], "int32"), given([0, 0, 1], "int32")],
           lambda tf, x, i, s: tf.sparse_segment_sum(x, i, s), "", WIDE),
    OpCase("SparseSegmentMean", [normal(5, 3), given([0, 2, 2], "int32"), given([0, 0, 1], "int32")],
           lambda tf, x, i, s: tf.sparse_segment_mean(x, i, s), "", WIDE),
    OpCase("SparseSegmentSqrtN", [normal(5, 3), given([0, 2, 2], "int32"), given([0, 0, 1], "int32")],
           lambda tf, x, i, s: tf.sparse_segment_sqrt_n(x, i, s), "", WIDE),
    OpCase("Bincount", [given([1, 1, 3, 0], "int32")], lambda tf, x: (tf.bincount(x), tf.bincount(x, minlength=6)),
           misuse=False),
    OpCase("HistogramFixedWidth", [normal(9)], lambda tf, x: tf.histogram_fixed_width(x, [-1.0, 1.0], 4)),
]  # fmt: skip

# Clips and norms.
CASES += [
    OpCase("Minimum", [spread(3, 4)], lambda tf, x: tf.clip_by_value(x, -0.6, 0.6), "clip_by_value", FLOATS),
    OpCase("Mul", [normal(3, 4)], lambda tf, x: tf.clip_by_norm(x, 1.0), "clip_by_norm"),
    OpCase("Mul", [normal(3, 4)], lambda tf, x: tf.clip_by_norm(x, 1.0, axes=[1]), "clip_by_norm axes"),
    OpCase("Mul", [normal(3, 4)], lambda tf, x: tf.clip_by_norm(x, 100.0), "clip_by_norm small"),
    OpCase("Mul", [normal(3, 4)], lambda tf, x: tf.clip_by_average_norm(x, 0.1), "clip_by_average_norm"),
    OpCase("Mul", [normal(3, 4), normal(2)], lambda tf, x, y: tf.clip_by_global_norm([x, None, y], 1.0), "global norm"),
    OpCase("Sqrt", [normal(3, 4), normal(2)], lambda tf, x, y: tf.global_norm([x, y]), "global norm"),
    OpCase("L2Loss", [normal(3, 4)], lambda tf, x: tf.nn.l2_loss(x), "", FLOATS),
    OpCase("Sqrt", [normal(3, 4)], lambda tf, x: (tf.norm(x), tf.norm(x, axis=1)), "norm"),
    OpCase("Sum", [normal(3, 4)], lambda tf, x: (tf.norm(x, 1), tf.norm(x, 1, axis=0, keepdims=True)), "norm 1"),
    OpCase("Max", [spread(3, 4)], lambda tf, x: tf.norm(x, np.inf, axis=1), "norm inf"),
    OpCase("Mul", [normal(3, 4)], lambda tf, x: tf.nn.l2_normalize(x, 1), "l2_normalize"),
    OpCase("Mul", [normal(3, 4)], lambda tf, x: tf.nn.l2_normalize(x, dim=[0, 1]), "l2_normalize dim"),
    OpCase("Mul", [normal(3, 4)], lambda tf, x: tf.scalar_mul(2.0, x), "scalar_mul"),
    OpCase("Igamma", [uniform(4, low=0.5, high=3.0), uniform(4, low=0.5, high=3.0)], lambda tf, a, x: tf.igamma(a, x),
           "",
           WIDE, grad=False, tol=20),
    OpCase("Igammac", [uniform(4, low=0.5, high=3.0), uniform(4, low=0.5, high=3.0)],
           lambda tf, a, x: tf.igammac(a, x), "",
           WIDE, grad=False, tol=20),
    OpCase("Zeta", [uniform(4, low=1.5, high=3.0), uniform(4, low=0.5, high=3.0)], lambda tf, x, q: tf.zeta(x, q), "",
           WIDE,
           grad=[1], tol=20),
    OpCase("Polygamma", [given([1.0, 2, 3]), uniform(3, low=0.5, high=3.0)], lambda tf, a, x: tf.polygamma(a, x), "",
           WIDE,
           grad=[1], tol=50),
    OpCase("Betainc", [uniform(4, low=0.5, high=3.0), uniform(4, low=0.5, high=3.0), uniform(4, low=0.1, high=0.9)],
           lambda tf, a, b, x: tf.betainc(a, b, x), "", WIDE, grad=[2], tol=50),
    OpCase("Lgamma", [uniform(3, 2, low=0.5, high=3.0)], lambda tf, x: tf.lbeta(x), "lbeta", WIDE, tol=10),
]  # fmt: skip
