"""Records of tf.nn: activations, convolutions, pools, normalisations, softmaxes, losses, embeddings."""

import numpy as np

from cases.base import FLOATS, WIDE, Fails, OpCase, chances, given, ints, normal, spread, uniform

CASES = []
HARD = given([0.0, -0.0, 1.0, -1.0, 7.0, 50.0, -50.0, 1e30, -1e30, np.inf, -np.inf, np.nan])


def activation(op, call, types=FLOATS, **more):
    """A record of ordinary values, one of hard ones, and the gradient's own gradient."""
    f = lambda tf, x: call(tf)(x)
    return [
        OpCase(op, [spread(3, 4)], f, "", types, **more),
        OpCase(op, [HARD], f, "hard", WIDE, smooth=False, misuse=False, graph=False),
        OpCase(op, [spread(3, 4)], lambda tf, x: tf.gradients(f(tf, x), x)[0], "second derivative", WIDE, smooth=False,
               misuse=False, graph=False),  # gradients name their nodes in their own way
    ]  # fmt: skip


CASES += activation("Relu", lambda tf: tf.nn.relu, (*FLOATS, "int32"), smooth=False)
CASES += activation("Relu6", lambda tf: lambda x: tf.nn.relu6(x * 5.0), FLOATS, smooth=False)
CASES += activation("Elu", lambda tf: tf.nn.elu, smooth=False)
CASES += activation("Selu", lambda tf: tf.nn.selu, smooth=False)
CASES += activation("LeakyRelu", lambda tf: tf.nn.leaky_relu, smooth=False)
CASES += activation("Softplus", lambda tf: tf.nn.softplus)
CASES += activation("Softsign", lambda tf: tf.nn.softsign, smooth=False)  # a kink in the second derivative
CASES += [
    OpCase("LeakyRelu", [spread(3, 4)], lambda tf, x: tf.nn.leaky_relu(x, 0.5), "alpha", smooth=False),
    OpCase("Sigmoid", [normal(3)], lambda tf, x: (tf.nn.sigmoid(x), tf.nn.tanh(x), tf.log_sigmoid(x)), "faces"),
    OpCase("Sigmoid", [normal(3)], lambda tf, x: tf.nn.swish(x), "swish", graph=False),  # a Defun there
    OpCase("Relu", [spread(3, 4)], lambda tf, x: tf.nn.crelu(x), "crelu", smooth=False),
    OpCase("Relu", [spread(3, 4)], lambda tf, x: tf.nn.relu_layer(x, tf.ones([4, 2]), tf.zeros([2])), "layer",
           smooth=False),
    OpCase("BiasAdd", [normal(3, 4), normal(4)], lambda tf, x, b: tf.nn.bias_add(x, b), "", (*FLOATS, "int32")),
    OpCase("BiasAdd", [normal(2, 3, 4, 5), normal(5)], lambda tf, x, b: tf.nn.bias_add(x, b), "rank four"),
    OpCase("BiasAdd", [normal(2, 3, 4, 5), normal(3)], lambda tf, x, b: tf.nn.bias_add(x, b, data_format="NCHW"),
           "NCHW"),
    Fails("BiasAdd", [normal(3, 4), normal(3)], lambda tf, x, b: tf.nn.bias_add(x, b), "wrong size"),
    Fails("BiasAdd", [normal(3, 4), normal(1, 4)], lambda tf, x, b: tf.nn.bias_add(x, b), "matrix bias"),
    OpCase("MatMul", [normal(3, 4), normal(4, 2), normal(2)], lambda tf, x, w, b: tf.nn.xw_plus_b(x, w, b),
           "xw_plus_b"),
]  # fmt: skip

# Convolutions.
IMAGE, FILTER = normal(2, 5, 6, 3), normal(3, 2, 3, 4)


def conv(label, strides, padding, x=IMAGE, w=FILTER, types=("float32",), **more):
    return OpCase("Conv2D", [x, w], lambda tf, x, w: tf.nn.conv2d(x, w, strides, padding, **more), label, types, tol=5)


CASES += [
    conv("", [1, 1, 1, 1], "SAME", types=FLOATS),
    conv("valid", [1, 1, 1, 1], "VALID", types=WIDE),
    conv("strides same", [1, 2, 2, 1], "SAME"),
    conv("strides valid", [1, 2, 3, 1], "VALID"),
    conv("one by one", [1, 1, 1, 1], "SAME", w=normal(1, 1, 3, 2)),
    conv("one by one, strides", [1, 2, 2, 1], "SAME", w=normal(1, 1, 3, 2)),
    conv("large filter", [1, 1, 1, 1], "SAME", x=normal(1, 3, 3, 2), w=normal(5, 5, 2, 2)),
    conv("whole image", [1, 1, 1, 1], "VALID", x=normal(2, 3, 2, 3)),
    conv("explicit padding", [1, 1, 1, 1], [[0, 0], [1, 0], [0, 2], [0, 0]]),
    conv("empty batch", [1, 1, 1, 1], "SAME", x=normal(0, 5, 6, 3)),
    OpCase("Conv2D", [IMAGE, FILTER],
           lambda tf, x, w: tf.nn.conv2d(x, w, [1, 1, 1, 1], "VALID", dilations=[1, 2, 1, 1]),
           "dilated", tol=5, grad=False),
    OpCase("Conv2D", [normal(2, 3, 5, 6), FILTER],
           lambda tf, x,
           w: tf.transpose(tf.nn.conv2d(tf.transpose(x, [0, 2, 3, 1]), w, [1, 2, 1, 1], "SAME"), [0, 3, 1, 2]),
           "as NCHW", tol=5),
    Fails("Conv2D", [normal(2, 5, 6, 3), normal(3, 2, 4, 4)], lambda tf, x, w: tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME"),
          "depths differ"),
    Fails("Conv2D", [normal(5, 6, 3), FILTER], lambda tf, x, w: tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME"), "rank three"),
    Fails("Conv2D", [IMAGE, FILTER], lambda tf, x, w: tf.nn.conv2d(x, w, [1, 1, 1, 1], "FULL"), "unknown padding"),
    Fails("Conv2D", [IMAGE, FILTER], lambda tf, x, w: tf.nn.conv2d(x, w, [2, 1, 1, 1], "SAME"),
          "stride over the batch"),
    Fails("Conv2D", [IMAGE, FILTER], lambda tf, x, w: tf.nn.conv2d(x, w, [1, 1, 1], "SAME"), "three strides"),
    Fails("Conv2D", [normal(1, 2, 1, 3), FILTER], lambda tf, x, w: tf.nn.conv2d(x, w, [1, 1, 1, 1], "VALID"),
          "too small"),
    OpCase("Conv2DBackpropInput", [normal(3, 2, 3, 4), normal(2, 3, 3, 4)],
           lambda tf, w, g: tf.nn.conv2d_backprop_input([2, 5, 6, 3], w, g, [1, 2, 2, 1], "SAME"), tol=5, misuse=False),
    OpCase("Conv2DBackpropFilter", [IMAGE, normal(2, 3, 3, 4)],
           lambda tf, x, g: tf.nn.conv2d_backprop_filter(x, [3, 2, 3, 4], g, [1, 2, 2, 1], "SAME"), tol=5,
           misuse=False),
    OpCase("Conv2DBackpropInput", [normal(2, 3, 3, 4), normal(3, 2, 5, 4)],
           lambda tf, x, w: tf.nn.conv2d_transpose(x, w, [2, 6, 6, 5], [1, 2, 2, 1], "SAME"), "conv2d_transpose", tol=5,
           misuse=False),
    OpCase("Conv2DBackpropInput", [normal(2, 3, 3, 4), normal(3, 2, 5, 4)],
           lambda tf, x, w: tf.nn.conv2d_transpose(x, w, [2, 7, 6, 5], [1, 2, 2, 1], "VALID"), "conv2d_transpose valid",
           tol=5, misuse=False),
    OpCase("Conv2D", [normal(2, 7, 3), normal(3, 3, 4)], lambda tf, x, w: tf.nn.conv1d(x, w, 2, "SAME"), "conv1d",
           tol=5),
    OpCase("Conv3D", [normal(1, 4, 3, 4, 2), normal(2, 2, 2, 2, 3)],
           lambda tf, x, w: tf.nn.conv3d(x, w, [1, 1, 2, 1, 1], "SAME"), "", WIDE, tol=5),
    OpCase("DepthwiseConv2dNative", [normal(2, 5, 5, 3), normal(3, 3, 3, 2)],
           lambda tf, x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME"), "", WIDE, tol=5),
    OpCase("DepthwiseConv2dNative", [normal(2, 5, 5, 3), normal(3, 3, 3, 2)],
           lambda tf, x, w: tf.nn.depthwise_conv2d(x, w, [1, 2, 2, 1], "VALID"), "valid", tol=5),
    OpCase("DepthwiseConv2dNative", [normal(2, 5, 5, 3), normal(3, 3, 3, 2), normal(1, 1, 6, 4)],
           lambda tf, x, w, p: tf.nn.separable_conv2d(x, w, p, [1, 1, 1, 1], "SAME"), "separable", tol=5),
    OpCase("Conv2D", [normal(1, 7, 7, 2), normal(3, 3, 2, 3)], lambda tf, x, w: tf.nn.atrous_conv2d(x, w, 2, "SAME"),
           "atrous", tol=5),
    OpCase("Conv2D", [normal(1, 7, 7, 2), normal(3, 3, 2, 3)],
           lambda tf, x, w: tf.nn.convolution(x, w, "VALID", strides=[2, 2]), "convolution", tol=5),
    OpCase("Dilation2D", [normal(1, 4, 4, 2), normal(2, 2, 2)],
           lambda tf, x, w: tf.nn.dilation2d(x, w, [1, 1, 1, 1], [1, 1, 1, 1], "SAME"), "", WIDE, smooth=False),
]  # fmt: skip

# Pools.
for op, word in (("MaxPool", "max_pool"), ("AvgPool", "avg_pool")):

    def pool(label, size, strides, padding, x=None, types=("float32",), word=word, op=op):
        return OpCase(
            op,
            [x or spread(2, 5, 6, 3)],
            lambda tf, x: getattr(tf.nn, word)(x, size, strides, padding),
            label,
            types,
            tol=2,
        )

    two, three = [1, 2, 2, 1], [1, 3, 3, 1]
    CASES += [
        pool("", two, two, "SAME", types=("float32", "float64", "float16")),
        pool("valid", two, two, "VALID"),
        pool("overlapping", three, two, "SAME"),
        pool("stride one", three, [1, 1, 1, 1], "SAME"),
        pool("wide", [1, 2, 3, 1], [1, 1, 2, 1], "VALID"),
        pool("gaps", [1, 1, 1, 1], two, "VALID"),
        pool("ties", two, two, "SAME", given(np.zeros((1, 4, 4, 1)))),
        Fails(op, [normal(2, 2, 3)], lambda tf, x, word=word: getattr(tf.nn, word)(x, two, two, "SAME"), "rank three"),
        Fails(op, [normal(1, 1, 4, 3)], lambda tf, x, word=word: getattr(tf.nn, word)(x, two, two, "VALID"),
              "too small"),
        OpCase(
            op, [spread(1, 4, 4, 2)],
            lambda tf, x, word=word: tf.gradients(getattr(tf.nn, word)(x, two, two, "SAME") ** 2, x)[0],
            "second derivative",
            WIDE, smooth=False, misuse=False, graph=False,  # gradients name their nodes in their own way
        ),
    ]  # fmt: skip
CASES[[c.id for c in CASES].index("MaxPool:ties")].smooth = False
CASES += [
    OpCase("MaxPool", [spread(1, 4, 4, 4)], lambda tf, x: tf.nn.max_pool(x, [1, 1, 1, 2], [1, 1, 1, 2], "VALID"),
           "depth"),
    OpCase("MaxPoolWithArgmax", [spread(2, 4, 4, 2)],
           lambda tf, x: tf.nn.max_pool_with_argmax(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")),
    OpCase("AvgPool3D", [normal(1, 4, 4, 4, 2)],
           lambda tf, x: tf.nn.avg_pool3d(x, [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "SAME"), "", WIDE),
    OpCase("MaxPool3D", [spread(1, 4, 4, 4, 2)],
           lambda tf, x: tf.nn.max_pool3d(x, [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "SAME"), "", WIDE),
    OpCase("MaxPool", [spread(1, 5, 4, 2)],
           lambda tf, x: tf.nn.pool(x, [2, 2], "MAX", "SAME", strides=[2, 1]), "pool"),
    OpCase("LRN", [normal(2, 3, 3, 7)], lambda tf, x: tf.nn.lrn(x, 2, 1.0, 0.1, 0.5), "", ("float32", "float16"),
           tol=3),
    OpCase("LRN", [normal(2, 3, 3, 7)], lambda tf, x: tf.nn.local_response_normalization(x), "defaults", tol=3),
]  # fmt: skip

# Softmaxes and cross-entropies.
CASES += [
    OpCase("Softmax", [normal(3, 5)], lambda tf, x: tf.nn.softmax(x), "", FLOATS),
    OpCase("Softmax", [normal(2, 3, 5)], lambda tf, x: (tf.nn.softmax(x), tf.nn.softmax(x, dim=1), tf.nn.softmax(x, 0)),
           "axes"),
    OpCase("Softmax", [normal(5)], lambda tf, x: tf.nn.softmax(x), "vector"),
    OpCase("Softmax", [given([[1e30, 1.0], [-np.inf, 0.0], [1000.0, 1001.0], [np.nan, 0]])],
           lambda tf, x: tf.nn.softmax(x),
           "hard", smooth=False, grad=False),
    OpCase("LogSoftmax", [normal(3, 5)], lambda tf, x: tf.nn.log_softmax(x), "", FLOATS),
    OpCase("LogSoftmax", [normal(2, 3, 5)], lambda tf, x: tf.nn.log_softmax(x, 1), "axis"),
    Fails("Softmax", [normal(3, 5)], lambda tf, x: tf.nn.softmax(x, 2), "axis out of range"),
    Fails("Softmax", [ints(0, 9, 3, 5)], lambda tf, x: tf.nn.softmax(x), "integers"),
    OpCase("SoftmaxCrossEntropyWithLogits", [normal(3, 5), chances(3, 5)],
           lambda tf, x, y: tf.nn.softmax_cross_entropy_with_logits(logits=x, labels=y), "", FLOATS[:3], tol=2),
    OpCase("SoftmaxCrossEntropyWithLogits", [normal(3, 5), chances(3, 5)],
           lambda tf, x, y: tf.nn.softmax_cross_entropy_with_logits_v2(logits=x, labels=y), "v2", WIDE),
    OpCase("SoftmaxCrossEntropyWithLogits", [normal(2, 3, 5), chances(2, 3, 5)],
           lambda tf, x, y: tf.nn.softmax_cross_entropy_with_logits_v2(logits=x, labels=y, axis=1), "v2 axis",
           smooth=False),  # labels that do not sum to one
    OpCase("SoftmaxCrossEntropyWithLogits", [normal(3, 5), chances(3, 5)],
           lambda tf, x, y: tf.gradients(tf.nn.softmax_cross_entropy_with_logits(logits=x, labels=y), x)[0],
           "second derivative", WIDE, misuse=False, graph=False),  # gradients name their nodes in their own way
    Fails("SoftmaxCrossEntropyWithLogits", [normal(3, 5), chances(3, 4)],
          lambda tf, x, y: tf.nn.softmax_cross_entropy_with_logits(logits=x, labels=y), "other shapes"),
    OpCase("SparseSoftmaxCrossEntropyWithLogits", [normal(3, 5), given([1, 4, 0], "int32")],
           lambda tf, x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(logits=x, labels=y), "", FLOATS[:3], tol=2),
    OpCase("SparseSoftmaxCrossEntropyWithLogits", [normal(2, 3, 5), ints(0, 5, 2, 3, dtype="int64")],
           lambda tf, x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(logits=x, labels=y), "rank three"),
    Fails("SparseSoftmaxCrossEntropyWithLogits", [normal(3, 5), given([1, 5, 0], "int32")],
          lambda tf, x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(logits=x, labels=y), "label out of range"),
    Fails("SparseSoftmaxCrossEntropyWithLogits", [normal(3, 5), given([[1], [3], [0]], "int32")],
          lambda tf, x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(logits=x, labels=y), "rank mismatch"),
    OpCase("Sigmoid", [normal(3)], lambda tf, x: tf.nn.sigmoid(x), "nn"),
    OpCase("Log1p", [normal(3, 4), uniform(3, 4)],
           lambda tf, x, y: tf.nn.sigmoid_cross_entropy_with_logits(logits=x, labels=y), "sigmoid cross-entropy", WIDE),
    OpCase("Log1p", [given([0.0, 100, -100, np.inf]), given([1.0, 0, 1, 1])],
           lambda tf, x, y: tf.nn.sigmoid_cross_entropy_with_logits(logits=x, labels=y), "sigmoid cross-entropy hard",
           smooth=False, grad=[0], misuse=False),
    Fails("Log1p", [normal(3, 5), chances(3, 4)],
          lambda tf, x, y: tf.nn.sigmoid_cross_entropy_with_logits(logits=x, labels=y), "sigmoid other shapes"),
    OpCase("Log1p", [normal(3, 4), uniform(3, 4)],
           lambda tf, x, y: tf.nn.weighted_cross_entropy_with_logits(targets=y, logits=x, pos_weight=2.0), "weighted"),
    OpCase("Exp", [normal(3, 4), normal(3, 4)], lambda tf, x, y: tf.nn.log_poisson_loss(y, x), "log_poisson_loss"),
    OpCase("InTopKV2", [spread(3, 5), given([1, 4, 0], "int32")], lambda tf, x, y: tf.nn.in_top_k(x, y, 2)),
    OpCase("InTopKV2", [given([[1.0, 1, 0], [0, 1, 1], [2, 1, np.inf], [np.nan, 1, 0]]), given([1, 0, 0, 0], "int32")],
           lambda tf, x, y: tf.nn.in_top_k(x, y, 1), "ties and infinities"),
    OpCase("TopKV2", [spread(3, 5)], lambda tf, x: tf.nn.top_k(x, 2), "", ("float32", "float64", "int32")),
    OpCase("TopKV2", [given([[1.0, 3, 3, 2], [5, 5, 5, 5]])], lambda tf, x: tf.nn.top_k(x, 3), "ties", smooth=False),
    OpCase("TopKV2", [spread(5)], lambda tf, x: tf.nn.top_k(x), "vector"),
    Fails("TopKV2", [spread(5)], lambda tf, x: tf.nn.top_k(x, 6), "too many"),
    OpCase("NthElement", [spread(3, 5)], lambda tf, x: tf.contrib.nn.nth_element(x, 1), misuse=False),
]  # fmt: skip

# Normalisations.
CASES += [
    OpCase("SquaredDifference", [normal(4, 3)], lambda tf, x: tf.nn.moments(x, [0]), "moments", ("float32", "float16")),
    OpCase("SquaredDifference", [normal(2, 3, 4)], lambda tf, x: tf.nn.moments(x, [0, 1], keep_dims=True),
           "moments keep"),
    OpCase("Sum", [normal(4, 3), uniform(4, 1)], lambda tf, x, w: tf.nn.weighted_moments(x, [0], w),
           "weighted_moments"),
    OpCase("Sum", [normal(4, 3)], lambda tf, x: tf.nn.sufficient_statistics(x, [0]), "sufficient_statistics"),
    OpCase("Rsqrt", [normal(4, 3), normal(3), uniform(3), normal(3), normal(3)],
           lambda tf, x, m, v, b, s: tf.nn.batch_normalization(x, m, v, b, s, 1e-3), "batch_normalization",
           misuse=False),
    OpCase("Rsqrt", [normal(4, 3), normal(3), uniform(3)],
           lambda tf, x, m, v: tf.nn.batch_normalization(x, m, v, None, None, 1e-3), "batch_normalization plain"),
    OpCase("FusedBatchNormV3", [normal(2, 3, 3, 4), uniform(4, low=0.5, dtype="float32"), normal(4, dtype="float32")],
           lambda tf, x, s, o: tf.nn.fused_batch_norm(x, s, o, epsilon=0.01), "", ("float32",), tol=5, misuse=False),
    OpCase("FusedBatchNormV3",
           [normal(2, 3, 3, 4), uniform(4, low=0.5), normal(4), normal(4), uniform(4, low=0.5)],
           lambda tf, x, s, o, m, v: tf.nn.fused_batch_norm(x, s, o, m, v, is_training=False)[0], "inference", tol=5,
           misuse=False),
    OpCase("LRN", [normal(1, 2, 2, 3)], lambda tf, x: tf.nn.lrn(x, depth_radius=1), "radius one", tol=3),
    OpCase("Mul", [normal(3, 4)], lambda tf, x: tf.nn.l2_normalize(x, axis=0, epsilon=1e-3), "l2_normalize nn"),
    OpCase("Placeholder", [normal(3, 4)], lambda tf, x: tf.nn.dropout(x, 1.0), "dropout keeps all"),
    OpCase("RandomUniform", [normal(3, 4)], lambda tf, x: tf.nn.dropout(x, 0.5, seed=1), "dropout", value=False,
           smooth=False,
           grad=False),
    OpCase("RandomUniform", [normal(3, 4)], lambda tf, x: tf.nn.dropout(x, rate=0.25, noise_shape=[3, 1], seed=1),
           "dropout noise_shape", value=False, smooth=False, grad=False),
    OpCase("RandomUniform", [normal(3, 4), given(0.5)], lambda tf, x, k: tf.nn.dropout(x, k, seed=1), "dropout fed",
           value=False, smooth=False, grad=False),
    Fails("RandomUniform", [normal(3, 4)], lambda tf, x: tf.nn.dropout(x, 1.5), "dropout above one"),
    OpCase("Relu", [spread(3, 3)], lambda tf, x: tf.nn.zero_fraction(tf.nn.relu(x)), "zero_fraction", smooth=False,
           grad=False, graph=False),  # a cond on the size, over int32 and int64 counting
]  # fmt: skip

# Embeddings.
CASES += [
    OpCase("GatherV2", [normal(4, 3), given([0, 2, 2], "int32")], lambda tf, x, i: tf.nn.embedding_lookup(x, i),
           "embedding"),
    OpCase("GatherV2", [normal(2, 3), normal(2, 3), given([0, 3, 2, 0], "int32")],
           lambda tf, a, b, i: tf.nn.embedding_lookup([a, b], i), "embedding mod", misuse=False),
    OpCase("GatherV2", [normal(2, 3), normal(2, 3), given([0, 3, 2, 0], "int32")],
           lambda tf, a, b, i: tf.nn.embedding_lookup([a, b], i, partition_strategy="div"), "embedding div",
           misuse=False),
    OpCase("GatherV2", [normal(4, 3, scale=3.0), given([0, 2], "int32")],
           lambda tf, x, i: tf.nn.embedding_lookup(x, i, max_norm=1.0), "embedding max_norm", misuse=False),
    OpCase("GatherV2", [normal(4, 3), given([[0, 2], [1, 1]], "int32")], lambda tf, x, i: tf.nn.embedding_lookup(x, i),
           "embedding of a matrix"),
    OpCase("SparseSegmentMean", [normal(4, 3)],
           lambda tf, x: tf.nn.embedding_lookup_sparse(
               x, tf.SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([1, 3, 0], tf.int64), [2, 2]), None),
           "embedding_lookup_sparse", misuse=False, shapes=False),  # ours tell more
    OpCase("GatherV2", [normal(4, 3)],
           lambda tf, x: tf.nn.embedding_lookup_sparse(
               x, tf.SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([1, 3, 0], tf.int64), [2, 2]),
               tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1.0, 2.0, 3.0], [2, 2]), combiner="sum"),
           "embedding_lookup_sparse weights", misuse=False, shapes=False),  # ours tell more
]  # fmt: skip
