"""Ordinary functions and operators given ragged tensors."""

from . import raised
from .ragged import deep, parts, rows


def floats(tf):
    return tf.ragged.constant([[0.25, -0.5], [], [0.75]])


def all_parts(made):
    return [parts(m) for m in made]


def operators(tf):
    x, f = rows(tf), floats(tf)
    y = x + 1
    t = x > 2
    made = [x + y, x - 1, 10 - x, x * y, x / 2, 2 / y, x // 2, 7 // y, x % 2, 7 % y, x**2, 2**x, -x, abs(-f)]
    made += [x < 3, x <= y, x > 3, x >= 3, x > 3, t & (x < 5), t | (x < 2), t ^ (x < 4), ~t, True & t]
    return [all_parts(made), raised(bool, x), raised(lambda: x + "a"), raised(lambda: x + f)]


def broadcasts(tf):
    x, d, c = rows(tf), deep(tf), tf.ragged.constant
    column = tf.constant([[10], [20], [30]])
    inner = c([[[1, 2], [3, 4]], [], [[5, 6]]], ragged_rank=1)
    made = [x + column, column * x, x + [[100]], d + tf.constant([[[10]], [[20]], [[30]]]), inner + [10, 20]]
    made += [inner + tf.reshape(tf.constant([100, 200, 300]), [3, 1, 1]), c([[1, 2, 3]]) + tf.constant([[5], [6]])]
    made += [tf.add(c([[1, 2]], row_splits_dtype=tf.int32), 3), d + 1]
    return all_parts(made)


def unary(tf):
    x = floats(tf)
    names = "abs ceil cos cosh digamma erf erfc exp expm1 floor is_finite is_inf is_nan lgamma negative rint round sign sin "
    names += "sinh square tan asin asinh atan atanh acos identity zeros_like ones_like conj real imag"
    made = [getattr(tf, n)(x) for n in names.split()]
    made += [tf.log(abs(x)), tf.log1p(x), tf.sqrt(abs(x)), tf.rsqrt(abs(x)), tf.reciprocal(x), tf.acosh(x + 2.0)]
    made += [tf.cast(x, tf.int32), tf.saturate_cast(x * 1000, tf.int8), tf.clip_by_value(x, -0.1, 0.5)]
    made += [tf.log_sigmoid(x), tf.check_numerics(x, "x"), tf.logical_not(x > 0), tf.bitwise.invert(rows(tf))]
    return all_parts(made + [tf.angle(tf.complex(x, x))])


def binary(tf):
    x, i = floats(tf), rows(tf)
    names = "add atan2 divide div_no_nan maximum minimum multiply not_equal equal realdiv squared_difference subtract truediv"
    made = [getattr(tf, n)(x, x * 3) for n in names.split()]
    made += [
        getattr(tf.bitwise, n)(i, i + 1) for n in "bitwise_and bitwise_or bitwise_xor left_shift right_shift".split()
    ]
    made += [tf.truncatediv(i, 2), tf.truncatemod(i, 2), tf.pow(i, 2), tf.floordiv(i, 2), tf.floormod(i, 2)]
    made += [tf.add_n([x, x, x]), tf.complex(x, x), tf.logical_xor(x > 0, x < 0.5)]
    return all_parts(made)


def reductions(tf):
    x, d, f = rows(tf), deep(tf), floats(tf)
    made = [
        tf.reduce_sum(x),
        tf.reduce_sum(x, 0),
        tf.reduce_sum(x, axis=1),
        tf.reduce_sum(d, 2),
        tf.reduce_sum(d, [1, 2]),
    ]
    made += [tf.reduce_sum(d, 0), tf.reduce_sum(d, -1), tf.reduce_sum(d, [0, 1, 2]), tf.reduce_prod(x, 1)]
    made += [
        tf.reduce_max(x, 0),
        tf.reduce_min(d, 1),
        tf.reduce_mean(f),
        tf.reduce_mean(f, 0),
        tf.reduce_mean(d, [0, 2]),
    ]
    made += [tf.reduce_any(x > 3, 1), tf.reduce_all(x > 0, 1), tf.reduce_all(d > 1, 0)]
    errors = [raised(tf.reduce_sum, x, 1, keepdims=True), raised(tf.reduce_sum, x, tf.placeholder(tf.int32))]
    return [all_parts(made), errors, raised(tf.reduce_sum, x, 2)]


def segments(tf):
    x, d, ids = rows(tf), deep(tf), [1, 0, 1]
    made = [getattr(tf.math, "unsorted_segment_" + n)(x, ids, 3) for n in "sum prod max mean".split()]
    made += [tf.math.unsorted_segment_sqrt_n(floats(tf), ids, 3)]
    made += [tf.unsorted_segment_min(d, ids, 2)]
    made += [tf.unsorted_segment_sum(x, tf.ragged.constant([[0, 1], [], [1, 0, 1]]), 2)]
    return [all_parts(made), raised(tf.unsorted_segment_sum, x, [0.5, 1.0, 2.0], 2)]


def arrays(tf):
    x, d, c = rows(tf), deep(tf), tf.ragged.constant
    made = [tf.concat([x, [[7], [8]]], 0), tf.concat([x, x], 1), tf.concat([d, d], axis=2), tf.concat([d, d], -1)]
    made += [tf.concat([d], 0), tf.stack([x, x]), tf.stack([x, x], 1), tf.stack([d, d], axis=2)]
    made += [tf.tile(x, [2, 3]), tf.tile(d, [1, 2, 2]), tf.tile(x, tf.constant([2, 1]))]
    made += [tf.expand_dims(x, 0), tf.expand_dims(x, 1), tf.expand_dims(x, -1), tf.expand_dims(d, 2)]
    made += [tf.squeeze(tf.expand_dims(x, 0), 0), tf.squeeze(tf.expand_dims(x, 1), [1]), tf.squeeze(c([[1, 2]]), 0)]
    made += [tf.size(x), tf.size(d, out_type=tf.int64), tf.rank(x), tf.rank(d), tf.one_hot(x, 4)]
    made += [tf.where(x > 2), tf.where(d > 1), tf.where(x > 2, x, -x), tf.where([True, False, True], x, x * 10)]
    made += tf.dynamic_partition(x, [1, 0, 1], 2)
    errors = [raised(tf.concat, [x, d], 0), raised(tf.squeeze, x), raised(tf.squeeze, x, "a")]
    errors += [raised(tf.where, x > 2, x, [1, 2]), raised(tf.dynamic_partition, x, [1, 0, 1], -1)]
    errors += [raised(tf.expand_dims, x, 7), raised(tf.concat, [x, x], 5)]
    return [all_parts(made), errors]


def gathers(tf):
    x, d, c = rows(tf), deep(tf), tf.ragged.constant
    made = [tf.gather(x, [2, 0]), tf.gather(d, [[0, 2], [1, 0]]), tf.gather(x, c([[0], [2, 2]]))]
    made += [tf.gather([5, 6, 7], x[:1, :1]), tf.gather_nd(x, [[0, 1], [2, 2]]), tf.gather_nd(x, [[2], [0]])]
    made += [tf.gather_nd(d, [[0, 0], [2, 0]]), tf.gather_nd(d, [[0, 0, 1]])]
    made += [tf.gather_nd(x, c([[[0, 0]], [[2, 1], [2, 2]]], ragged_rank=1))]
    made += [tf.batch_gather(x, c([[1], [], [2, 0]])), tf.batch_gather([[1, 2], [3, 4]], c([[1, 1, 0], [0]]))]
    errors = [raised(tf.gather, x, [0], axis=1), raised(tf.gather, x, [0], batch_dims=1), raised(tf.gather_nd, x, 0)]
    return [all_parts(made), errors]


def indexed(tf):
    x, d = rows(tf), deep(tf)
    one, two = tf.constant(1), tf.constant(-2)
    made = [x[0], x[-1], x[2, 1], x[one + 1], x[:2], x[1:], x[::2], x[::-1], x[:0], x[:, 1:], x[:, :-1], x[:, -2:]]
    made += [
        x[:, ::2],
        x[:, one:],
        x[:, two:],
        x[...],
        x[..., 1:],
        x[tf.newaxis],
        x[:, tf.newaxis],
        x[:, :, tf.newaxis],
    ]
    made += [x[1:, 1:], d[0], d[0, 0], d[0, 0, 1], d[:, :1], d[:, :, 1:], d[0, ..., 1:], d[..., :1], d[2:, 0:1, 0:1]]
    errors = [raised(lambda: x[:, 0]), raised(lambda: x["a"]), raised(lambda: x[0, 1, 2]), raised(lambda: x[:, 0.5:])]
    return [all_parts(made), errors]


def words(tf):
    w = tf.ragged.constant([["a1", "bc"], [], ["ab"]])
    s = tf.strings
    made = [s.length(w), s.substr(w, 0, 1), s.regex_replace(w, "a", "x"), s.regex_full_match(w, "a.*"), s.strip(w)]
    made += [s.join([w, w], "-"), s.to_hash_bucket_fast(w, 100), s.to_hash_bucket_strong(w, 100, [1, 2])]
    made += [s.as_string(rows(tf)), tf.encode_base64(w)]
    made += [tf.decode_base64(tf.encode_base64(w)), s.unicode_script(rows(tf) + 64)]
    return all_parts(made)


def made_of(tf):
    R, v = tf.RaggedTensor, [1, 2, 3, 4]
    made = [R.from_row_splits(v, [0, 2, 2, 4]), R.from_row_lengths(v, [1, 0, 3]), R.from_row_starts(v, [0, 3])]
    made += [
        R.from_row_limits(v, [1, 4]),
        R.from_value_rowids(v, [0, 0, 2, 2]),
        R.from_value_rowids(v, [0, 0, 2, 2], nrows=5),
    ]
    made += [R.from_nested_row_lengths(v, [[2, 0], [1, 3]]), R.from_tensor([[1, 2], [3, 4]])]
    made += [R.from_tensor([[1, 2], [3, 4]], lengths=[1, 2]), R.from_tensor([[1, 0], [0, 0]], padding=0)]
    made += [
        R.from_tensor([[[1, 2], [3, 0]], [[0, 0], [4, 0]]], padding=0, ragged_rank=2),
        R.from_sparse(rows(tf).to_sparse()),
    ]
    x, d = rows(tf), deep(tf)
    made += [
        x.to_tensor(),
        x.to_tensor(-1),
        d.to_tensor(),
        d.to_tensor(9),
        x.bounding_shape(),
        d.bounding_shape(axis=1),
    ]
    made += [x.nrows(), d.row_lengths(2), d.row_lengths(), x.value_rowids(), x.row_starts(), x.row_limits()]
    sparse = d.to_sparse()
    made += [d.nested_row_lengths()[1], sparse.indices, sparse.values, sparse.dense_shape]
    errors = [raised(R, v, [0]), raised(R.from_row_splits, v, []), raised(R.from_row_splits, v, [0.5, 1.0])]
    errors += [raised(R.from_row_splits, 3, [0]), raised(R.from_row_lengths, v, [[4]])]
    errors += [raised(R.from_value_rowids, v, [0, 0, 2, 2], nrows=2), raised(R.from_tensor, [[1]], ragged_rank=0)]
    errors += [raised(R.from_tensor, [[1]], [1], 0), raised(R.from_row_splits, v, [0, 4], validate=1)]
    errors += [
        raised(R.from_tensor, [1, 2]),
        raised(x.with_row_splits_dtype, tf.float32),
        raised(x.with_values, tf.constant([[1, 2]])),
    ]
    errors += [raised(x.row_lengths, 5), raised(x.to_list)]
    return [all_parts(made), errors, x.with_row_splits_dtype(tf.int32).row_splits]


TABLES = {
    "ragged_elements": {
        "RaggedTensor.__add__": operators,
        "RaggedTensor broadcast": broadcasts,
        "strings.unicode_script": words,
        "tf.abs of ragged": unary,
        "tf.add of ragged": binary,
    },
    "ragged_arrays": {
        "RaggedTensor.from_row_splits": made_of,
        "RaggedTensor.__getitem__": indexed,
        "tf.concat of ragged": arrays,
        "tf.gather of ragged": gathers,
        "tf.reduce_sum of ragged": reductions,
        "tf.unsorted_segment_sum of ragged": segments,
    },
}
