"""Records of what 0.12 spelled or ordered in its own way; recorded under TensorFlow 0.12."""
# ruff: noqa: UP

from cases.base import Fails, OpCase, Steps, bools, given, normal, spread, uniform


def old(op, inputs, call, label="", **more):
    return OpCase(op, inputs, call, label, vintage="0.12", graph=False, misuse=False, **more)


CASES = [
    old("Mul", [normal(2, 3), normal(3)], lambda tf, x, y: (tf.mul(x, y), tf.sub(x, y), tf.neg(x))),
    old("Div", [given([7, -7, 7], "int32"), given([2, 2, -2], "int32")], lambda tf, x, y: (tf.div(x, y), x // y, x % y)),
    old("Pow", [uniform(3, low=0.5)], lambda tf, x: (tf.pow(x, 2), x**2, tf.square(x))),
    old("Pack", [normal(2, 3), normal(2, 3)], lambda tf, *xs: (tf.pack(xs), tf.pack(xs, axis=1))),
    old("Unpack", [normal(2, 3)], lambda tf, x: (tf.unpack(x), tf.unpack(x, axis=1), tf.unpack(x, 2))),
    old("Concat", [normal(2, 3), normal(2, 1)], lambda tf, *xs: (tf.concat(1, xs), tf.concat(concat_dim=1, values=list(xs)))),
    old("Split", [normal(4, 6)], lambda tf, x: (tf.split(1, 3, x), tf.split(split_dim=0, num_split=2, value=x))),
    old("Select", [bools(2, 3), normal(2, 3), normal(2, 3)], lambda tf, c, x, y: tf.select(c, x, y)),
    old("BatchMatMul", [normal(2, 3, 4), normal(2, 4, 5)], lambda tf, x, y: tf.batch_matmul(x, y)),
    old("BatchMatMul", [normal(2, 3, 4), normal(2, 5, 4)], lambda tf, x, y: tf.batch_matmul(x, y, adj_y=True), "adj_y"),
    old("Reverse", [normal(2, 3)], lambda tf, x: tf.reverse(x, [False, True])),
    old("ReverseSequence", [normal(2, 3), given([1, 3], "int64")],
        lambda tf, x, n: tf.reverse_sequence(x, n, seq_dim=1, batch_dim=0)),
    old("ExpandDims", [normal(2, 3)], lambda tf, x: (tf.expand_dims(x, dim=1), tf.expand_dims(x, -1))),
    old("Squeeze", [normal(1, 2, 1)], lambda tf, x: (tf.squeeze(x, squeeze_dims=[0]), tf.squeeze(x, [2]))),
    old("Sum", [normal(2, 3)], lambda tf, x: (tf.reduce_sum(x, reduction_indices=[1]), tf.reduce_sum(x, 0, keep_dims=True))),
    old("Mean", [normal(2, 3)], lambda tf, x: (tf.reduce_mean(x, reduction_indices=1), tf.reduce_mean(x, [0], True))),
    old("Max", [spread(2, 3)], lambda tf, x: (tf.reduce_max(x, reduction_indices=[0]), tf.reduce_min(x, 1))),
    old("ArgMax", [spread(2, 3)], lambda tf, x: (tf.argmax(x, dimension=1), tf.argmin(x, 0))),
    old("Cast", [normal(2, 3)], lambda tf, x: (tf.to_float(x), tf.to_int32(x), tf.cast(x, "int32"))),
    old("Const", [], lambda tf: (tf.zeros([2, 3]), tf.ones((2,), tf.int32), tf.fill([2], 3.0), tf.range(0, 5), tf.linspace(0.0, 1.0, 3))),
    old("Select", [bools(3)], lambda tf, c: tf.where(c), "where"),
    old("ComplexAbs", [normal(3, dtype="complex64")], lambda tf, x: (tf.complex_abs(x), tf.real(x), tf.imag(x)), grad=False),
    old("Cholesky", [], lambda tf: tf.cholesky([[4.0, 2.0], [2.0, 3.0]])),
    old("MatrixDiag", [normal(2, 3)], lambda tf, x: tf.matrix_diag(x)),
    old("SoftmaxCrossEntropyWithLogits", [normal(3, 5), uniform(3, 5)],
        lambda tf, x, y: tf.nn.softmax_cross_entropy_with_logits(x, y), grad=[0]),
    old("SoftmaxCrossEntropyWithLogits", [normal(3, 5), uniform(3, 5)],
        lambda tf, x, y: tf.nn.softmax_cross_entropy_with_logits(logits=x, labels=y), "named", grad=[0]),
    old("SparseSoftmaxCrossEntropyWithLogits", [normal(3, 5), given([1, 4, 0], "int32")],
        lambda tf, x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(x, y)),
    old("Log1p", [normal(3, 4), uniform(3, 4)], lambda tf, x, y: tf.nn.sigmoid_cross_entropy_with_logits(x, y)),
    old("Softmax", [normal(2, 3)], lambda tf, x: (tf.nn.softmax(x), tf.nn.softmax(x, dim=0), tf.nn.log_softmax(x))),
    old("Relu", [spread(3, 4)], lambda tf, x: (tf.nn.relu(x), tf.nn.relu6(x), tf.nn.elu(x), tf.nn.softplus(x)), smooth=False),
    old("Moments", [normal(4, 3)], lambda tf, x: tf.nn.moments(x, [0], keep_dims=True)),
    old("Dropout", [normal(3, 4)], lambda tf, x: tf.nn.dropout(x, keep_prob=1.0)),
    old("MaxPool", [spread(1, 4, 4, 2)],
        lambda tf, x: tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")),
    old("Conv2D", [normal(1, 4, 4, 2), normal(2, 2, 2, 3)],
        lambda tf, x, w: tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME"), tol=5),
    old("Lrn", [normal(1, 2, 2, 7)], lambda tf, x: tf.nn.lrn(x, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75), tol=3),
    old("L2", [normal(3, 4)], lambda tf, x: (tf.nn.l2_loss(x), tf.nn.l2_normalize(x, 1))),
    old("InTopK", [spread(3, 5), given([1, 4, 0], "int32")], lambda tf, x, y: tf.nn.in_top_k(x, y, 2)),
    old("Gather", [normal(4, 3), given([0, 2], "int32")],
        lambda tf, x, i: (tf.gather(x, i), tf.nn.embedding_lookup(x, i), tf.nn.embedding_lookup([x], i))),
    old("OneHot", [given([0, 2], "int32")], lambda tf, i: tf.one_hot(i, 3, 1.0, 0.0)),
    old("Variable", [], lambda tf: (lambda v: Steps(tf.initialize_all_variables(), v.assign(v + 1.0), v))(
        tf.Variable(tf.zeros([2])))),
    old("Variable", [], lambda tf: (lambda v: [w.name for w in tf.all_variables()] + [v.name])(tf.Variable(1.0, name="w")),
        "all_variables"),
    old("UnsortedSegmentSum", [normal(3, 2), given([1, 0, 1], "int32")],
        lambda tf, x, s: (tf.unsorted_segment_sum(x, s, 2), tf.segment_sum(x, tf.constant([0, 0, 1])))),
    old("ClipByValue", [spread(3, 4)], lambda tf, x: (tf.clip_by_value(x, -0.6, 0.6), tf.clip_by_norm(x, 1.0)), smooth=True),
    old("Transpose", [normal(2, 3)], lambda tf, x: (tf.transpose(x), tf.transpose(x, perm=[1, 0]), tf.reshape(x, [-1]))),
    old("Slice", [normal(3, 4)], lambda tf, x: (x[0], x[:, 1:3], x[..., -1], tf.slice(x, [0, 1], [2, 2]))),
    Fails("Concat", [normal(2, 3), normal(3, 1)], lambda tf, *xs: tf.concat(1, xs), "other sizes", vintage="0.12"),
    Fails("MatMul", [normal(2, 3), normal(2, 3)], lambda tf, x, y: tf.matmul(x, y), "inner dimensions", vintage="0.12"),
]  # fmt: skip
