"""Numbers: math, linear algebra, neural nets, images, signals, sparse tensors, strings."""

import numpy as np

from . import After, raised

LINE = np.float32([0.5, -1.0, 2.0, 0.25])
IMAGES = np.linspace(-1, 1, 1 * 4 * 4 * 2).reshape(1, 4, 4, 2).astype("float32")
SIGNALS = np.linspace(-1, 1, 2 * 6 * 3).reshape(2, 6, 3).astype("float32")
FILTER = np.linspace(-0.5, 1, 2 * 2 * 2 * 3).reshape(2, 2, 2, 3).astype("float32")
DEEP = np.linspace(-0.5, 1, 2 * 2 * 2 * 1).reshape(2, 2, 2, 1).astype("float32")
VOLUME = np.linspace(-1, 1, 1 * 3 * 3 * 3 * 2).reshape(1, 3, 3, 3, 2).astype("float32")
SPECTRUM = (np.arange(24).reshape(2, 4, 3) + 1j * np.arange(24).reshape(2, 4, 3)[::-1]).astype("complex64")


def sparse(tf):
    return tf.SparseTensor([[0, 0], [1, 2]], [5.0, 7.0], [2, 3])


def words(tf):
    return tf.SparseTensor([[0, 0], [0, 1], [1, 0]], ["a", "b", "c"], [2, 2])


def rank(tf, f, *wanted):
    return [f(IMAGES, *wanted), raised(f, LINE, 3 if not isinstance(wanted[0], list) else [3, 7])]


def refuses(f, good, bad):
    """What an assertion raises statically for what holds, and for what does not."""
    return [raised(f, *good), raised(f, *bad)]


def placeholders(tf):
    with tf.Graph().as_default():
        x = tf.sparse.placeholder(tf.float32, [None, 3])
        with tf.Session() as session:
            return session.run(tf.sparse.reduce_sum(x), {x: ([[0, 1]], [4.0], [2, 3])})


def ragged_placeholder(tf):
    with tf.Graph().as_default():
        x = tf.ragged.placeholder(tf.float32, 1)
        value = tf.ragged.constant_value([[1.0, 2.0], [3.0]], dtype=np.float32)
        with tf.Session() as session:
            return session.run(x.to_tensor(), {x: value})


def reset_shape(tf):
    s = tf.sparse.reset_shape(sparse(tf), [3, 4])
    return [s, tf.sparse.reset_shape(tf.SparseTensor([[0, 1]], [1.0], [5, 5])).dense_shape]


MATH = {
    "tf.math.multiply_no_nan": lambda tf: tf.math.multiply_no_nan([1.0, np.inf, np.nan], [2.0, 0.0, 0.0]),
    "tf.math.polyval": lambda tf: tf.math.polyval([2.0, tf.constant(LINE), 1.0], tf.constant(3.0)),
    "tf.math.cumulative_logsumexp": lambda tf: tf.math.cumulative_logsumexp(LINE, exclusive=False, reverse=True),
    "tf.math.reciprocal_no_nan": lambda tf: tf.math.reciprocal_no_nan([2.0, 0.0, -4.0]),
    "tf.math.bessel_i0": lambda tf: tf.math.bessel_i0(LINE),
    "tf.math.bessel_i0e": lambda tf: tf.math.bessel_i0e(LINE),
    "tf.math.bessel_i1": lambda tf: tf.math.bessel_i1(LINE),
    "tf.math.bessel_i1e": lambda tf: tf.math.bessel_i1e(LINE),
    "tf.linalg.normalize": lambda tf: list(tf.linalg.normalize(SIGNALS, axis=1)),
    "tf.linalg.trace": lambda tf: tf.linalg.trace(SIGNALS),
    "tf.to_complex64": lambda tf: tf.to_complex64(LINE),
    "tf.to_complex128": lambda tf: tf.to_complex128(LINE),
    "tf.arg_min": lambda tf: tf.arg_min(SIGNALS, 1),
    "tf.reverse_v2": lambda tf: tf.reverse_v2(SIGNALS, [0, -1]),
    "tf.histogram_fixed_width_bins": lambda tf: tf.histogram_fixed_width_bins(LINE, [0.0, 1.0], nbins=4),
    "tf.guarantee_const": lambda tf: tf.guarantee_const(LINE),
    "tf.batch_to_space": lambda tf: tf.batch_to_space(np.arange(16.0).reshape(4, 2, 2, 1), [[0, 1], [1, 0]], 2),
    "tf.required_space_to_batch_paddings": lambda tf: [
        list(tf.required_space_to_batch_paddings([5, 7], [2, 3], [[1, 0], [0, 1]])),
        tf.required_space_to_batch_paddings(tf.constant([5, 7]) + 1, [2, 3])[0],
    ],
    "tf.quantize_v2": lambda tf: list(tf.quantize_v2(LINE, -2.0, 2.0, tf.quint8, mode="MIN_COMBINED")),
    "tf.grad_pass_through": lambda tf: passed(tf),
    "tf.random.categorical": lambda tf: tf.random.categorical([[-1e9, 0.0], [0.0, -1e9]], 3),
    "tf.random.stateless_categorical": lambda tf: tf.random.stateless_categorical(
        [[0.1, 0.0], [0.0, 1.0]], 6, seed=[3, 4]
    ),
    "tf.signal.irfft2d": lambda tf: tf.signal.irfft2d(SPECTRUM),
    "tf.signal.irfft3d": lambda tf: tf.signal.irfft3d(SPECTRUM, [2, 4, 5]),
    "tf.broadcast_static_shape": lambda tf: [
        str(tf.broadcast_static_shape(tf.TensorShape([3, 1]), tf.TensorShape([None]))),
        raised(tf.broadcast_static_shape, tf.TensorShape([3]), tf.TensorShape([2])),
    ],
}
CHECKS = {
    "tf.debugging.assert_greater": lambda tf: refuses(tf.debugging.assert_greater, ([2, 3], 1), ([2, 3], 2)),
    "tf.debugging.assert_greater_equal": lambda tf: refuses(
        tf.debugging.assert_greater_equal, ([2, 3], 2), ([2, 3], 3)
    ),
    "tf.debugging.assert_less": lambda tf: refuses(tf.debugging.assert_less, ([2, 3], 4), ([2, 3], 3)),
    "tf.debugging.assert_less_equal": lambda tf: refuses(tf.debugging.assert_less_equal, ([2, 3], 3), ([2, 3], 2)),
    "tf.debugging.assert_near": lambda tf: refuses(tf.debugging.assert_near, ([1.0], [1.0 + 1e-7]), ([1.0], [1.1])),
    "tf.debugging.assert_negative": lambda tf: refuses(tf.debugging.assert_negative, ([-1.0],), ([0.0],)),
    "tf.debugging.assert_non_negative": lambda tf: refuses(tf.debugging.assert_non_negative, ([0.0],), ([-1.0],)),
    "tf.debugging.assert_non_positive": lambda tf: refuses(tf.debugging.assert_non_positive, ([0.0],), ([1.0],)),
    "tf.debugging.assert_none_equal": lambda tf: refuses(
        tf.debugging.assert_none_equal, ([1, 2], [2, 1]), ([1, 2], [1, 1])
    ),
    "tf.debugging.assert_positive": lambda tf: refuses(tf.debugging.assert_positive, ([1.0],), ([0.0],)),
    "tf.debugging.assert_integer": lambda tf: raised(tf.debugging.assert_integer, LINE),
    "tf.debugging.assert_scalar": lambda tf: raised(tf.debugging.assert_scalar, LINE),
    "tf.debugging.assert_proper_iterable": lambda tf: [
        raised(tf.debugging.assert_proper_iterable, v) for v in ([1], (x for x in [1]), "text", LINE, 3)
    ],
    "tf.debugging.assert_rank": lambda tf: refuses(tf.debugging.assert_rank, (IMAGES, 4), (LINE, 2)),
    "tf.debugging.assert_rank_at_least": lambda tf: refuses(tf.debugging.assert_rank_at_least, (IMAGES, 2), (LINE, 2)),
    "tf.debugging.assert_rank_in": lambda tf: refuses(tf.debugging.assert_rank_in, (IMAGES, (1, 4)), (LINE, (2, 3))),
    "tf.debugging.assert_same_float_dtype": lambda tf: [
        tf.debugging.assert_same_float_dtype([tf.constant(LINE)]).name,
        raised(tf.debugging.assert_same_float_dtype, [tf.constant(1.0), tf.constant(1)]),
    ],
    "tf.debugging.assert_shapes": lambda tf: [
        raised(tf.debugging.assert_shapes, {tf.constant(LINE): ("n",), tf.constant(SIGNALS): (2, 6, last)})
        for last in ("m", "n", 3, 4)
    ],
    "tf.debugging.assert_type": lambda tf: raised(tf.debugging.assert_type, tf.constant(LINE), tf.int32),
    "tf.debugging.assert_all_finite": lambda tf: [
        tf.debugging.assert_all_finite(LINE, "bad"),
        tf.verify_tensor_all_finite(t=LINE, msg="bad"),
    ],
    "tf.debugging.is_non_decreasing": lambda tf: [tf.debugging.is_non_decreasing(v) for v in ([1, 1, 2], [2, 1], [])],
    "tf.debugging.is_strictly_increasing": lambda tf: [
        tf.debugging.is_strictly_increasing(v) for v in ([1, 1, 2], [1, 2])
    ],
    "tf.debugging.is_numeric_tensor": lambda tf: [
        tf.debugging.is_numeric_tensor(v) for v in (tf.constant(1.0), tf.constant("a"), 1.0)
    ],
    "tf.add_check_numerics_ops": lambda tf: checked(tf),
}


def checked(tf):
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [2])
        tf.log(x)
        check = tf.add_check_numerics_ops()
        with tf.Session() as session:
            return [raised(session.run, check, {x: v}) for v in ([1.0, 2.0], [0.0, 1.0])]


SPARSE = {
    "tf.sparse.mask": lambda tf: slices(
        tf, tf.sparse.mask(tf.IndexedSlices(tf.constant(SIGNALS[0, :2]), tf.constant([4, 7])), [4])
    ),
    "tf.sparse.merge": lambda tf: tf.sparse.merge(
        tf.SparseTensor([[0, 0], [1, 0]], np.int64([2, 1]), [2, 1]),
        tf.SparseTensor([[0, 0], [1, 0]], [0.5, 0.25], [2, 1]),
        4,
    ),
    "tf.sparse.placeholder": placeholders,
    "tf.sparse.transpose": lambda tf: tf.sparse.transpose(sparse(tf), [1, 0]),
    "tf.sparse.to_indicator": lambda tf: tf.sparse.to_indicator(
        tf.SparseTensor([[0, 0], [1, 1]], np.int64([2, 0]), [2, 2]), 3
    ),
    "tf.sparse.reset_shape": reset_shape,
    "tf.sparse.expand_dims": lambda tf: tf.sparse.expand_dims(sparse(tf), 1),
    "tf.sparse.eye": lambda tf: tf.sparse.eye(2, 3, dtype=tf.int32),
    "tf.sparse.cross": lambda tf: tf.sparse.cross([words(tf), tf.constant([["x"], ["y"]])]),
    "tf.sparse.cross_hashed": lambda tf: tf.sparse.cross_hashed(
        [words(tf), tf.constant([["x"], ["y"]])], num_buckets=100
    ),
    "tf.sparse.from_dense": lambda tf: tf.sparse.from_dense([[0, 3], [4, 0]]),
    "tf.SparseTensorValue": lambda tf: tf.SparseTensor.from_value(tf.SparseTensorValue([[1]], [2.0], [3])),
    "tf.convert_to_tensor_or_sparse_tensor": lambda tf: [
        tf.convert_to_tensor_or_sparse_tensor(v) for v in (LINE, tf.SparseTensorValue([[1]], [2.0], [3]), sparse(tf))
    ],
    "tf.convert_to_tensor_or_indexed_slices": lambda tf: [
        tf.convert_to_tensor_or_indexed_slices(LINE, tf.float32),
        *slices(tf, tf.convert_to_tensor_or_indexed_slices(tf.IndexedSlices(tf.constant(LINE), tf.range(4)))),
    ],
    "tf.ragged.RaggedTensorValue": lambda tf: [
        tf.ragged.constant_value([[1, 2], [], [3]]).to_list(),
        type(tf.ragged.constant_value([[1], []])) is getattr(tf.ragged, "RaggedTensorValue", None)
        or type(tf.ragged.constant_value([[1], []])).__name__,
    ],
    "tf.ragged.constant_value": lambda tf: [list(tf.ragged.constant_value([[[1], [2, 3]], []]).shape)],
    "tf.ragged.map_flat_values": lambda tf: tf.ragged.map_flat_values(
        tf.add, tf.ragged.constant([[1, 2], [], [3]]), 10
    ).to_tensor(),
    "tf.ragged.placeholder": ragged_placeholder,
}


def slices(tf, s):
    return [s.values, s.indices]


TEXT = [b"ab c", "G\u00f6d".encode("utf-8")]
STRINGS = {
    "tf.strings.unsorted_segment_join": lambda tf: tf.strings.unsorted_segment_join(["a", "b", "c"], [1, 0, 1], 2, "-"),
    "tf.strings.split": lambda tf: [
        tf.strings.split(["a b", "c"]),
        tf.strings.split(["a,b", "c"], sep=",", result_type="RaggedTensor").to_tensor(),
    ],
    "tf.strings.bytes_split": lambda tf: tf.strings.bytes_split(TEXT).to_tensor(),
    "tf.strings.ngrams": lambda tf: tf.strings.ngrams(
        tf.ragged.constant([["a", "b", "c"], ["d"]]), 2, pad_values=("<", ">"), preserve_short_sequences=True
    ).to_tensor(),
    "tf.strings.unicode_decode": lambda tf: tf.strings.unicode_decode(TEXT, "UTF-8").to_tensor(-1),
    "tf.strings.unicode_decode_with_offsets": lambda tf: [
        r.to_tensor(-1) for r in tf.strings.unicode_decode_with_offsets(TEXT, "UTF-8")
    ],
    "tf.strings.unicode_encode": lambda tf: tf.strings.unicode_encode(
        tf.ragged.constant([[71, 246], [100]]), "UTF-16-BE"
    ),
    "tf.strings.unicode_split": lambda tf: tf.strings.unicode_split(TEXT, "UTF-8").to_tensor(),
    "tf.strings.unicode_split_with_offsets": lambda tf: [
        r.to_tensor() for r in tf.strings.unicode_split_with_offsets(TEXT, "UTF-8")
    ],
    "tf.numpy_function": lambda tf: tf.numpy_function(lambda x: x * 2, [LINE], tf.float32),
}
NETS = {
    "tf.nn.atrous_conv2d_transpose": lambda tf: tf.nn.atrous_conv2d_transpose(
        IMAGES, np.transpose(FILTER, [0, 1, 3, 2]), [1, 6, 6, 3], 2, "VALID"
    ),
    "tf.nn.conv1d_transpose": lambda tf: tf.nn.conv1d_transpose(SIGNALS, FILTER[0], [2, 12, 2], 2),
    "tf.nn.conv3d_backprop_filter": lambda tf: tf.nn.conv3d_backprop_filter(
        VOLUME, [2, 2, 2, 2, 1], VOLUME[:, :2, :2, :2, :1], [1, 1, 1, 1, 1], "VALID"
    ),
    "tf.nn.conv_transpose": lambda tf: tf.nn.conv_transpose(
        IMAGES, np.transpose(FILTER, [0, 1, 3, 2]), [1, 8, 8, 3], 2
    ),
    "tf.nn.batch_norm_with_global_normalization": lambda tf: tf.nn.batch_norm_with_global_normalization(
        IMAGES, *[tf.constant(v) for v in ([0.5, 0.1], [1.0, 2.0], [0.0, 1.0], [1.0, 3.0])], 1e-3, True
    ),
    "tf.nn.normalize_moments": lambda tf: list(tf.nn.normalize_moments(4.0, [2.0, 8.0], [3.0, 20.0], 0.5)),
    "tf.nn.avg_pool1d": lambda tf: tf.nn.avg_pool1d(SIGNALS, 2, 2, "SAME"),
    "tf.nn.avg_pool_v2": lambda tf: tf.nn.avg_pool_v2(IMAGES, 2, 1, "VALID"),
    "tf.nn.max_pool1d": lambda tf: tf.nn.max_pool1d(SIGNALS, 3, 2, "VALID"),
    "tf.nn.max_pool2d": lambda tf: tf.nn.max_pool2d(IMAGES, [2, 2], [2, 1], "SAME"),
    "tf.nn.max_pool_v2": lambda tf: tf.nn.max_pool_v2(VOLUME, 2, 1, "VALID"),
    "tf.nn.depthwise_conv2d_native": lambda tf: tf.nn.depthwise_conv2d_native(IMAGES, DEEP, [1, 1, 1, 1], "SAME"),
    "tf.nn.depthwise_conv2d_backprop_filter": lambda tf: tf.nn.depthwise_conv2d_backprop_filter(
        IMAGES, [2, 2, 2, 1], IMAGES, [1, 1, 1, 1], "SAME"
    ),
    "tf.nn.depthwise_conv2d_backprop_input": lambda tf: tf.nn.depthwise_conv2d_backprop_input(
        [1, 4, 4, 2], DEEP, IMAGES, [1, 1, 1, 1], "SAME"
    ),
    "tf.nn.erosion2d": lambda tf: tf.nn.erosion2d(IMAGES, DEEP[..., 0], [1, 1, 1, 1], [1, 1, 1, 1], "SAME"),
    "tf.nn.with_space_to_batch": lambda tf: tf.nn.with_space_to_batch(
        tf.constant(IMAGES),
        [2, 2],
        "SAME",
        lambda x, batches, padding: tf.nn.conv2d(x, FILTER, [1, 1, 1, 1], "VALID"),
        filter_shape=[2, 2],
    ),
    "tf.nn.safe_embedding_lookup_sparse": lambda tf: tf.nn.safe_embedding_lookup_sparse(
        [tf.constant(SIGNALS[0])], tf.SparseTensor([[0, 0], [0, 1], [2, 0]], np.int64([1, -1, 3]), [3, 2]), default_id=2
    ),
    "tf.nn.ctc_loss_v2": lambda tf: tf.nn.ctc_loss_v2(
        tf.constant([[1, 2], [2, 0]]),
        tf.constant(SIGNALS),
        tf.constant([2, 1]),
        tf.constant([6, 5]),
        False,
        blank_index=0,
    ),
    "tf.nn.ctc_beam_search_decoder_v2": lambda tf: ctc(tf),
    "tf.image.extract_patches": lambda tf: tf.image.extract_patches(
        IMAGES, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"
    ),
    "tf.recompute_grad": lambda tf: recomputed(tf),
    "tf.LMDBReader": lambda tf: [issubclass(tf.LMDBReader, tf.ReaderBase), tf.LMDBReader().reader_ref.op.type],
    "tf.ReaderBase": lambda tf: tf.TextLineReader(name="lines").supports_serialize,
    "tf.ConditionalAccumulatorBase": lambda tf: accumulated(tf),
}


def ctc(tf):
    decoded, scores = tf.nn.ctc_beam_search_decoder_v2(np.transpose(SIGNALS, [1, 0, 2]) * 3, [6, 5], 4, 1)
    return [decoded[0], scores]


def recomputed(tf):
    x = tf.constant(LINE)
    with tf.variable_scope("recomputed", use_resource=True):
        y = tf.recompute_grad(lambda t: tf.sin(t) * t)(x)
    return [y, tf.gradients(y, x)[0]]


def passed(tf):
    x = tf.constant(LINE)
    with tf.variable_scope("passed", use_resource=True):
        y = tf.grad_pass_through(tf.round)(x)
    return [y, tf.gradients(y * 3.0, x)[0]]


def accumulated(tf):
    a = tf.ConditionalAccumulator(tf.float32, [2])
    return [isinstance(a, tf.ConditionalAccumulatorBase), a.dtype.name, After(a.num_accumulated())]


TABLES = {"math": MATH, "checks": CHECKS, "sparse": SPARSE, "strings": STRINGS, "nets": NETS}

OLD = {
    "old nets": {
        "tf.nn.bias_add_v1": lambda tf: tf.nn.bias_add_v1(SIGNALS[0], LINE[:3]),
        "tf.nn.xw_plus_b_v1": lambda tf: tf.nn.xw_plus_b_v1(SIGNALS[0], SIGNALS[0, :3], LINE[:3]),
        "tf.nn.conv3d_backprop_filter_v2": lambda tf: tf.nn.conv3d_backprop_filter_v2(
            VOLUME, [2, 2, 2, 2, 1], VOLUME[:, :2, :2, :2, :1], [1, 1, 1, 1, 1], "VALID"
        ),
    }
}
