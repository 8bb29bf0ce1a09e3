"""Records of random ops: with both seeds given, the numbers are TensorFlow's own."""

import numpy as np

from cases.base import Fails, OpCase, Steps, given, normal, uniform

CASES = []


def seeded(op, call, label="", **more):
    """The stream of one op: two runs, so that the counter is seen to move."""

    def build(tf, *xs):
        tf.set_random_seed(87)
        out = call(tf, *xs)
        return Steps(out, out)

    return OpCase(op, more.pop("inputs", []), build, label, grad=False, smooth=False, misuse=False, **more)


CASES += [
    seeded("RandomUniform", lambda tf: tf.random_uniform([2, 3], seed=5), tol=1),
    seeded("RandomUniform", lambda tf: tf.random_uniform([2, 3], -2.0, 5.0, seed=5), "range"),
    seeded("RandomUniform", lambda tf: tf.random_uniform([2, 3], dtype=tf.float64, seed=5), "double"),
    seeded("RandomUniform", lambda tf: tf.random_uniform([5], dtype=tf.float16, seed=5), "half"),
    seeded("RandomUniform", lambda tf: tf.random_uniform([2, 3]), "graph seed alone"),
    seeded("RandomUniform", lambda tf: tf.random_uniform([700], seed=5), "many"),
    seeded("RandomUniformInt", lambda tf: tf.random_uniform([7], 3, 9, tf.int32, seed=5)),
    seeded("RandomUniformInt", lambda tf: tf.random_uniform([7], 0, 2**40, tf.int64, seed=5), "int64"),
    seeded("RandomStandardNormal", lambda tf: tf.random_normal([2, 3], seed=5), tol=5),
    seeded("RandomStandardNormal", lambda tf: tf.random_normal([5], 10.0, 2.0, seed=5), "mean and deviation", tol=5),
    seeded("RandomStandardNormal", lambda tf: tf.random_normal([5], dtype=tf.float64, seed=5), "double", tol=5),
    seeded("RandomStandardNormal", lambda tf: tf.random_normal([700], seed=5), "many", tol=5),
    seeded("TruncatedNormal", lambda tf: tf.truncated_normal([7], seed=5), tol=5),
    seeded("TruncatedNormal", lambda tf: tf.truncated_normal([700], stddev=0.1, seed=5), "many", tol=5),
    seeded("RandomShuffle", lambda tf: tf.random_shuffle(tf.range(10), seed=5)),
    seeded("Multinomial", lambda tf: tf.multinomial([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]], 5, seed=5)),
    seeded("RandomGamma", lambda tf: tf.random_gamma([4], [0.5, 2.0, 1.0], seed=5), tol=5),
    seeded("RandomPoissonV2", lambda tf: tf.random_poisson([3.0, 40.0], [4], seed=5)),
    seeded("RandomGamma", lambda tf: tf.random_gamma([2], 1.5, beta=[1.0, 2.0], dtype=tf.float64, seed=5), "beta", tol=5),
    seeded("RandomPoissonV2", lambda tf: tf.random_poisson(3.0, [4], tf.int32, seed=5), "int32"),
    seeded("RandomShuffle", lambda tf: tf.random_shuffle(tf.reshape(tf.range(10), [5, 2]), seed=5), "rows"),
    seeded("RandomShuffle", lambda tf: tf.random_shuffle(tf.constant(["a", "b", "c"]), seed=5), "strings"),
    seeded("RandomUniform", lambda tf: tf.random_uniform([5], dtype=tf.bfloat16, seed=5), "bfloat16"),
    seeded("TruncatedNormal", lambda tf: tf.truncated_normal([5], dtype=tf.float64, seed=5), "double", tol=5),
    seeded("RandomStandardNormal", lambda tf: tf.random_normal([5], dtype=tf.float16, seed=5), "half"),
    seeded("RandomUniform", lambda tf: tf.random_uniform([0, 3], seed=5), "empty"),
    seeded("RandomUniform", lambda tf: tf.random_uniform([], seed=5), "scalar"),
    seeded("Multinomial", lambda tf: tf.multinomial([[0.0, -np.inf, 2.0]], 6, seed=5, output_dtype=tf.int32), "never"),
    OpCase("RandomGamma", [uniform(3, low=0.5, high=3.0)], lambda tf, a: tf.random_gamma([2], a, seed=5), "gradient",
           smooth=False, misuse=False, tol=20),
    Fails("RandomUniformInt", [], lambda tf: tf.random_uniform([2], 5, 5, tf.int32), "empty range"),
    Fails("Multinomial", [normal(3)], lambda tf, x: tf.multinomial(x, 2), "vector"),
    seeded("RandomUniform", lambda tf, n: tf.random_uniform(n, seed=5), "shape fed", inputs=[given([2, 2], "int32")]),
    seeded("RandomUniformInt", lambda tf: tf.random_crop(tf.reshape(tf.range(24), [4, 6]), [2, 3], seed=5),
           "random_crop"),
    seeded("RandomUniform", lambda tf: tf.nn.dropout(tf.ones([4, 5]), 0.5, seed=5), "dropout"),
    OpCase("RandomUniform", [], lambda tf: (tf.random_uniform([2, 3]), tf.random_normal([4], dtype=tf.float64)),
           "unseeded",
           value=False),
    OpCase("RandomUniform", [normal(2, 3)], lambda tf, x: tf.random_uniform(tf.shape(x)), "shape of a tensor",
           value=False,
           misuse=False, grad=False),
    Fails("RandomUniformInt", [], lambda tf: tf.random_uniform([2], dtype=tf.int32), "integers without a maximum"),
    Fails("RandomUniform", [], lambda tf: tf.random_uniform([-1]), "negative shape"),
    Fails("RandomUniform", [], lambda tf: tf.random_uniform([2], dtype=tf.string), "strings"),
]  # fmt: skip

# Initializers draw the numbers of the op that they make.
INITIALIZERS = {
    "random_uniform": ("RandomUniform", lambda tf: tf.random_uniform_initializer(-1.0, 1.0, seed=5)),
    "random_normal": ("RandomStandardNormal", lambda tf: tf.random_normal_initializer(1.0, 2.0, seed=5)),
    "truncated_normal": ("TruncatedNormal", lambda tf: tf.truncated_normal_initializer(stddev=0.5, seed=5)),
    "uniform_unit_scaling": ("RandomUniform", lambda tf: tf.uniform_unit_scaling_initializer(seed=5)),
    "variance_scaling": ("TruncatedNormal", lambda tf: tf.variance_scaling_initializer(2.0, "fan_avg", seed=5)),
    "glorot_uniform": ("RandomUniform", lambda tf: tf.glorot_uniform_initializer(seed=5)),
    "glorot_normal": ("TruncatedNormal", lambda tf: tf.glorot_normal_initializer(seed=5)),
    "he_normal": ("TruncatedNormal", lambda tf: tf.initializers.he_normal(seed=5)),
    "lecun_uniform": ("RandomUniform", lambda tf: tf.initializers.lecun_uniform(seed=5)),
    "untruncated": (
        "RandomStandardNormal",
        lambda tf: tf.variance_scaling_initializer(2.0, "fan_out", "untruncated_normal", seed=5),
    ),
    "constant": ("Const", lambda tf: tf.constant_initializer([1.0, 2.0, 3.0])),
    "default": ("RandomUniform", lambda tf: None),
}
for word, (op, make) in INITIALIZERS.items():
    CASES.append(
        seeded(
            op, lambda tf, make=make: tf.get_variable("w", [3, 4], initializer=make(tf)), word + " initializer", tol=5
        )
    )
CASES += [
    seeded("Qr", lambda tf: tf.get_variable("w", [4, 3], initializer=tf.orthogonal_initializer(seed=5)),
           "orthogonal initializer", tol=20),
    seeded("RandomUniform", lambda tf: (tf.random_uniform([2]), tf.constant(1.0), tf.random_uniform([2])),
           "seeds by id"),
    seeded("StatelessRandomUniform", lambda tf: tf.random.stateless_uniform([3], seed=[1, 2])),
    seeded("StatelessMultinomial",
           lambda tf: tf.random.stateless_multinomial([[0.0, 1.0, 2.0]], 8, seed=[7, 8])),
    seeded("StatelessRandomNormal", lambda tf: tf.random.stateless_normal([3], seed=[1, 2]), tol=5),
    seeded("StatelessTruncatedNormal", lambda tf: tf.random.stateless_truncated_normal([3], seed=[1, 2]), tol=5),
    seeded("StatelessRandomUniformInt",
           lambda tf: tf.random.stateless_uniform([3], seed=[1, 2], minval=0, maxval=9, dtype=tf.int32)),
]  # fmt: skip
