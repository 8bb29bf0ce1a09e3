"""The ops that are measured alone, at the sizes of the seeds' models.

A case holds the same computation twice: as a TensorFlow graph, and as PyTorch calls. Inputs live on the device
(variables in the graph); the result is fetched. With `gradient`, what is measured is the forward op and its gradient
by each floating-point input, for a given gradient of the result. Images are NHWC; PyTorch gets them as channels last.
"""

from collections import namedtuple

from benchmarks.workloads import Workload

OpCase = namedtuple("OpCase", "name inputs graph eager gradient")


def op(name, *inputs, graph, eager, gradient=""):
    """The cases of one op: NAME, with `gradient="too"` NAME-grad after it, with `gradient="only"` that alone."""
    forward = OpCase(name, inputs, graph, eager, False)
    backward = OpCase(name + "-grad", inputs, graph, eager, True)
    return {"": [forward], "too": [forward, backward], "only": [backward]}[gradient]


def image(*shape):
    return shape, "normal"


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def pooled(kind, size, stride, padding):
    """TensorFlow's and PyTorch's pooling of NHWC images; `padding` is what SAME comes to for PyTorch."""

    def graph(tf, x):
        return getattr(tf.nn, kind + "_pool")(x, [1, size, size, 1], [1, stride, stride, 1], "SAME")

    def eager(torch, x):
        f = getattr(torch.nn.functional, kind + "_pool2d")
        return nhwc(f(nchw(x), size, stride, padding, ceil_mode=True))

    return {"graph": graph, "eager": eager}


def unary(name):
    return {
        "graph": lambda tf, x: getattr(tf.nn if hasattr(tf.nn, name) else tf, name)(x),
        "eager": lambda torch, x: getattr(torch, name)(x),
    }


def convolution(stride, padding):
    return {
        "graph": lambda tf, x, w: tf.nn.conv2d(x, w, strides=[1, stride, stride, 1], padding="SAME"),
        "eager": lambda torch, x, w: nhwc(
            torch.nn.functional.conv2d(nchw(x), w.permute(3, 2, 0, 1), stride=stride, padding=padding)
        ),
    }


MILLION = ((1024, 1024), "normal")

CASES = (
    # pooling
    *op("max-pool-2x2", image(64, 28, 28, 32), gradient="too", **pooled("max", 2, 2, 0)),
    *op("max-pool-3x3-stride-2", image(32, 55, 55, 64), gradient="too", **pooled("max", 3, 2, 1)),
    *op("max-pool-3x3-stride-1", image(16, 28, 28, 192), gradient="too", **pooled("max", 3, 1, 1)),
    *op("avg-pool-2x2", image(64, 28, 28, 32), gradient="too", **pooled("avg", 2, 2, 0)),
    # convolution
    *op("conv-5x5", image(64, 14, 14, 32), image(5, 5, 32, 64), gradient="too", **convolution(1, 2)),
    *op("conv-5x5-first", image(64, 28, 28, 1), image(5, 5, 1, 32), gradient="too", **convolution(1, 2)),
    *op("conv-1x1", image(16, 28, 28, 192), image(1, 1, 192, 64), gradient="too", **convolution(1, 0)),
    *op("conv-3x3-stride-2", image(16, 55, 55, 32), image(3, 3, 32, 64), gradient="too", **convolution(2, 1)),
    *op(
        "depthwise-3x3",
        image(16, 56, 56, 64),
        image(3, 3, 64, 1),
        gradient="too",
        graph=lambda tf, x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME"),
        eager=lambda torch, x, w: nhwc(
            torch.nn.functional.conv2d(nchw(x), w.permute(2, 3, 0, 1), padding=1, groups=w.shape[2])
        ),
    ),
    # normalisation
    *op(
        "batch-norm",
        image(32, 28, 28, 64),
        image(64),
        image(64),
        gradient="too",
        graph=lambda tf, x, scale, offset: tf.nn.fused_batch_norm(x, scale, offset, epsilon=1e-3)[0],
        eager=lambda torch, x, scale, offset: nhwc(
            torch.nn.functional.batch_norm(nchw(x), None, None, scale, offset, training=True, eps=1e-3)
        ),
    ),
    *op(
        "local-response-normalisation",
        image(16, 28, 28, 64),
        gradient="too",
        graph=lambda tf, x: tf.nn.lrn(x, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75),
        eager=lambda torch, x: nhwc(torch.nn.functional.local_response_norm(nchw(x), 9, k=1.0, alpha=0.001, beta=0.75)),
    ),
    # dense
    *op(
        "matmul",
        ((128, 3136), "normal"),
        ((3136, 1024), "normal"),
        gradient="too",
        graph=lambda tf, x, w: tf.matmul(x, w),
        eager=lambda torch, x, w: x @ w,
    ),
    *op(
        "batch-matmul",
        ((32, 128, 64), "normal"),
        ((32, 64, 128), "normal"),
        gradient="too",
        graph=lambda tf, x, w: tf.matmul(x, w),
        eager=lambda torch, x, w: x @ w,
    ),
    *op(
        "bias-add",
        image(64, 28, 28, 32),
        image(32),
        gradient="too",
        graph=lambda tf, x, b: tf.nn.bias_add(x, b),
        eager=lambda torch, x, b: x + b,
    ),
    # element by element
    *op("relu", MILLION, gradient="too", **unary("relu")),
    *op("sigmoid", MILLION, gradient="too", **unary("sigmoid")),
    *op("tanh", MILLION, gradient="too", **unary("tanh")),
    *op("exp", MILLION, **unary("exp")),
    *op("square", MILLION, **unary("square")),
    *op("add", MILLION, MILLION, graph=lambda tf, x, y: x + y, eager=lambda torch, x, y: x + y),
    *op(
        "where",
        MILLION,
        MILLION,
        graph=lambda tf, x, y: tf.where(x > y, x, y),
        eager=lambda torch, x, y: torch.where(x > y, x, y),
    ),
    # reductions
    *op(
        "reduce-sum-rows",
        MILLION,
        graph=lambda tf, x: tf.reduce_sum(x, 1),
        eager=lambda torch, x: x.sum(1),
    ),
    *op(
        "reduce-sum-columns",
        MILLION,
        graph=lambda tf, x: tf.reduce_sum(x, 0),
        eager=lambda torch, x: x.sum(0),
    ),
    *op("reduce-max", MILLION, graph=lambda tf, x: tf.reduce_max(x, 1), eager=lambda torch, x: x.amax(1)),
    *op("argmax", MILLION, graph=lambda tf, x: tf.argmax(x, 1), eager=lambda torch, x: x.argmax(1)),
    *op("cumsum", MILLION, graph=lambda tf, x: tf.cumsum(x, 1), eager=lambda torch, x: x.cumsum(1)),
    *op("top-k", MILLION, graph=lambda tf, x: tf.nn.top_k(x, 10)[0], eager=lambda torch, x: x.topk(10)[0]),
    # probabilities
    *op(
        "softmax",
        ((2500, 256), "normal"),
        gradient="too",
        graph=lambda tf, x: tf.nn.softmax(x),
        eager=lambda torch, x: x.softmax(-1),
    ),
    *op(
        "softmax-cross-entropy",
        ((2500, 1000), "normal"),
        ((2500, 1000), "one hot"),
        gradient="only",
        graph=lambda tf, x, y: tf.nn.softmax_cross_entropy_with_logits(logits=x, labels=tf.stop_gradient(y)),
        eager=lambda torch, x, y: torch.nn.functional.cross_entropy(x, y.detach(), reduction="none"),
    ),
    *op(
        "sparse-softmax-cross-entropy",
        ((2500, 1000), "normal"),
        ((2500,), "below 1000"),
        gradient="only",
        graph=lambda tf, x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(logits=x, labels=y),
        eager=lambda torch, x, y: torch.nn.functional.cross_entropy(x, y.long(), reduction="none"),
    ),
    # moving data
    *op(
        "embedding",
        ((10000, 128), "normal"),
        ((50, 50), "below 10000"),
        gradient="only",
        graph=lambda tf, w, i: tf.nn.embedding_lookup(w, i),
        eager=lambda torch, w, i: torch.nn.functional.embedding(i, w),
    ),
    *op(
        "transpose",
        image(32, 28, 28, 64),
        graph=lambda tf, x: tf.transpose(x, [0, 3, 1, 2]),
        eager=lambda torch, x: nchw(x).contiguous(),
    ),
    *op(
        "concat",
        *[image(32, 28, 28, 32)] * 4,
        gradient="too",
        graph=lambda tf, *x: tf.concat(x, 3),
        eager=lambda torch, *x: torch.cat(x, 3),
    ),
    *op(
        "tile",
        ((256, 1024), "normal"),
        graph=lambda tf, x: tf.tile(x, [1, 4]),
        eager=lambda torch, x: x.tile(1, 4),
    ),
    *op(
        "pad",
        image(32, 28, 28, 32),
        graph=lambda tf, x: tf.pad(x, [[0, 0], [2, 2], [2, 2], [0, 0]]),
        eager=lambda torch, x: torch.nn.functional.pad(x, (0, 0, 2, 2, 2, 2)),
    ),
    *op(
        "slice",
        image(32, 56, 56, 32),
        graph=lambda tf, x: x[:, ::2, 1:-1],
        eager=lambda torch, x: x[:, ::2, 1:-1].contiguous(),
    ),
    *op(
        "segment-sum",
        ((10000, 64), "normal"),
        ((10000,), "below 500"),
        graph=lambda tf, x, i: tf.unsorted_segment_sum(x, i, 500),
        eager=lambda torch, x, i: torch.zeros(500, 64).index_add_(0, i, x),
    ),
    *op(
        "one-hot",
        ((2500,), "below 1000"),
        graph=lambda tf, i: tf.one_hot(i, 1000),
        eager=lambda torch, i: torch.nn.functional.one_hot(i.long(), 1000).float(),
    ),
    *op(
        "resize-bilinear",
        image(8, 56, 56, 32),
        graph=lambda tf, x: tf.image.resize_bilinear(x, [112, 112]),
        eager=lambda torch, x: nhwc(torch.nn.functional.interpolate(nchw(x), (112, 112), mode="bilinear")),
    ),
    # random numbers
    *op("random-uniform", graph=lambda tf: tf.random_uniform([1024, 1024]), eager=lambda torch: torch.rand(1024, 1024)),
    *op("random-normal", graph=lambda tf: tf.random_normal([1024, 1024]), eager=lambda torch: torch.randn(1024, 1024)),
    *op(
        "dropout",
        MILLION,
        gradient="too",
        graph=lambda tf, x: tf.nn.dropout(x, keep_prob=0.5),
        eager=lambda torch, x: torch.nn.functional.dropout(x, 0.5),
    ),
)

WORKLOADS = tuple(Workload("ops/" + case.name, case.name, (), {"case": case}, 0, 0, "op") for case in CASES)
