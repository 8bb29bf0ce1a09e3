"""Records of what draws: candidate samplers, the losses over them, fractional pools. With seeds, TensorFlow's numbers."""

from cases.base import Fails, OpCase, Steps, given, ints, normal, raw

CASES = []
TRUE = given([[1], [5], [2]], "int64")
TWO = given([[1, 3], [5, 0], [2, 2]], "int64")


def sampler(op, call, label="", true=TRUE, **more):
    """Two runs of one sampler, so that its stream is seen to move."""

    def build(tf, y):
        tf.set_random_seed(87)
        out = call(tf, y)
        return Steps(list(out), list(out))

    return OpCase(op, [true], build, label, grad=False, smooth=False, misuse=False, **more)


CASES += [
    sampler("LogUniformCandidateSampler",
            lambda tf, y: tf.nn.log_uniform_candidate_sampler(y, 1, 8, True, 30, seed=3)),
    sampler("LogUniformCandidateSampler",
            lambda tf, y: tf.nn.log_uniform_candidate_sampler(y, 1, 8, False, 30, seed=3), "repeats"),
    sampler("LogUniformCandidateSampler",
            lambda tf, y: tf.nn.log_uniform_candidate_sampler(y, 2, 6, True, 6, seed=3), "all of them", TWO),
    sampler("LogUniformCandidateSampler",
            lambda tf, y: tf.nn.log_uniform_candidate_sampler(y, 1, 1, True, 6, seed=3), "one"),
    sampler("UniformCandidateSampler", lambda tf, y: tf.nn.uniform_candidate_sampler(y, 1, 8, True, 10, seed=3)),
    sampler("UniformCandidateSampler",
            lambda tf, y: tf.nn.uniform_candidate_sampler(y, 1, 5, True, 16, seed=3), "power of two"),
    sampler("UniformCandidateSampler",
            lambda tf, y: tf.nn.uniform_candidate_sampler(y, 1, 5, False, 1000, seed=3), "repeats"),
    sampler("LearnedUnigramCandidateSampler",
            lambda tf, y: tf.nn.learned_unigram_candidate_sampler(y, 1, 4, True, 9, seed=3)),
    sampler("ThreadUnsafeUnigramCandidateSampler",
            lambda tf, y: raw(tf, "ThreadUnsafeUnigramCandidateSampler", true_classes=y, num_true=1, num_sampled=4,
                              unique=False, range_max=9, seed=87, seed2=3)),
    sampler("FixedUnigramCandidateSampler",
            lambda tf, y: tf.nn.fixed_unigram_candidate_sampler(
                y, 1, 4, True, 7, unigrams=[1.0, 2, 3, 4, 5, 6, 7], distortion=0.75, seed=3)),
    sampler("FixedUnigramCandidateSampler",
            lambda tf, y: tf.nn.fixed_unigram_candidate_sampler(
                y, 1, 4, False, 6, unigrams=[3.0, 1, 4, 1, 5], num_reserved_ids=1, seed=3), "reserved"),
    sampler("AllCandidateSampler", lambda tf, y: tf.nn.all_candidate_sampler(y, 1, 4, True, seed=3)),
    Fails("UniformCandidateSampler", [TRUE], lambda tf, y: tf.nn.uniform_candidate_sampler(y, 1, 8, True, 7),
          "too few classes"),
    Fails("UniformCandidateSampler", [given([1, 2], "int64")],
          lambda tf, y: tf.nn.uniform_candidate_sampler(y, 1, 8, True, 10), "a vector"),
    OpCase("ComputeAccidentalHits", [TWO, given([5, 2, 9, 5], "int64")],
           lambda tf, y, s: tf.nn.compute_accidental_hits(y, s, 2, seed=1)),
]  # fmt: skip

# Losses over sampled classes.
CLASSES, WEIGHTS = 12, [normal(12, 4), normal(12), normal(3, 4)]


def loss(op, call, label, **more):
    def build(tf, w, b, x, y):
        tf.set_random_seed(87)
        return call(tf, w, b, x, y)

    return OpCase(op, [*WEIGHTS, TRUE], build, label, misuse=False, smooth=False, tol=5, **more)


CASES += [
    loss("LogUniformCandidateSampler",
         lambda tf, w, b, x, y: tf.nn.nce_loss(w, b, y, x, 5, CLASSES), "nce_loss"),
    loss("LogUniformCandidateSampler",
         lambda tf, w, b, x, y: tf.nn.nce_loss(
             w, b, y, x, 5, CLASSES, sampled_values=tf.nn.uniform_candidate_sampler(y, 1, 5, True, CLASSES, seed=3),
             remove_accidental_hits=True), "nce_loss of given samples", graph=False),  # hits as a table, not a list
    loss("LogUniformCandidateSampler",
         lambda tf, w, b, x, y: tf.nn.sampled_softmax_loss(w, b, y, x, 5, CLASSES, seed=5), "sampled_softmax_loss",
         graph=False),  # hits as a table, not a list
    loss("UniformCandidateSampler",
         lambda tf, w, b, x, y: tf.nn.sampled_softmax_loss(
             w, b, y, x, 5, CLASSES, sampled_values=tf.nn.uniform_candidate_sampler(y, 1, 5, False, CLASSES, seed=3)),
         "sampled_softmax_loss of repeats"),
]  # fmt: skip
CASES[-3].op = "UniformCandidateSampler"


def told(tf, pooled):
    """The output, and a number for each sequence of edges: their static shape is one too short there."""
    output, rows, columns = pooled
    return [output, tf.reduce_sum(rows * rows), tf.reduce_sum(columns * columns)]


def fractional_max(tf, x, overlapping):
    """The maxima of the windows at ROWS and COLUMNS."""

    def maxima(x, edges, axis):
        size = int(x.get_shape()[axis])
        parts = []
        for a, b in zip(edges[:-1], edges[1:]):
            begin = [0] * 4
            begin[axis] = a
            length = [-1] * 4
            length[axis] = min(b + overlapping, size) - a
            parts.append(tf.reduce_max(tf.slice(x, begin, length), axis, keepdims=True))
        return tf.concat(parts, axis)

    x.set_shape([1, 5, 6, 2])
    return maxima(maxima(x, ROWS, 1), COLUMNS, 2)


# Fractional pools.
for op, word in (("FractionalMaxPool", "fractional_max_pool"), ("FractionalAvgPool", "fractional_avg_pool")):
    for pseudo in (True, False):
        for overlapping in (True, False):
            label = " ".join(["pseudo"] * pseudo + ["overlapping"] * overlapping)
            CASES.append(OpCase(
                op, [normal(1, 7, 9, 2)],
                lambda tf, x, word=word, pseudo=pseudo, overlapping=overlapping: told(tf, getattr(tf.nn, word)(
                    x, [1.0, 1.5, 1.7, 1.0], pseudo_random=pseudo, overlapping=overlapping, deterministic=True,
                    seed=5, seed2=7)),
                label, types=("float32", "float64"), misuse=False, smooth=False,
            ))  # fmt: skip
    CASES += [
        Fails(op, [normal(1, 7, 9, 2)], lambda tf, x, word=word: getattr(tf.nn, word)(x, [1.0, 1.5, 1.5]),
              "three ratios"),
    ]  # fmt: skip

ROWS, COLUMNS = [0, 2, 4, 5], [0, 1, 3, 5, 6]
for overlapping in (True, False):
    CASES += [
        OpCase("FractionalMaxPoolGrad", [normal(1, 5, 6, 2), normal(1, 3, 4, 2)],
               lambda tf, x, g, overlapping=overlapping: raw(
                   tf, "FractionalMaxPoolGrad", orig_input=x, orig_output=fractional_max(tf, x, overlapping),
                   out_backprop=g, row_pooling_sequence=tf.constant(ROWS, tf.int64),
                   col_pooling_sequence=tf.constant(COLUMNS, tf.int64), overlapping=overlapping),
               "overlapping" * overlapping, misuse=False, grad=False),
        OpCase("FractionalAvgPoolGrad", [normal(1, 3, 4, 2)],
               lambda tf, g, overlapping=overlapping: raw(
                   tf, "FractionalAvgPoolGrad", orig_input_tensor_shape=tf.constant([1, 5, 6, 2], tf.int64),
                   out_backprop=g, row_pooling_sequence=tf.constant(ROWS, tf.int64),
                   col_pooling_sequence=tf.constant(COLUMNS, tf.int64), overlapping=overlapping),
               "overlapping" * overlapping, misuse=False, grad=False),
    ]  # fmt: skip

CASES += [
    OpCase("ParameterizedTruncatedNormal", [],
           lambda tf: raw(tf, "ParameterizedTruncatedNormal", shape=[3, 4], means=[0.0, 1.0, 5.0], stdevs=[1.0],
                          minvals=[-1.0], maxvals=[2.0]), value=False),  # there it follows the number of threads
    OpCase("TopKV2", [ints(0, 9, 3, 5, dtype="int64")], lambda tf, x: tf.nn.top_k(x, 2), "int64"),
]  # fmt: skip
