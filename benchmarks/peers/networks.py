"""The image networks of the seeds as frozen graphs with random weights, for inference: one text for all peers.

A network is a function of `net`, who has the layers, and of the images. `Layers` makes them of a peer's operations; those of TensorFlow and
thalweg stand here, PyTorch's and ONNX's in modules of their own. Python 3.7 reads this.
"""

import numpy as np


class Layers:
    """Layers with constants for weights. Subclasses say what the operations are; filters are [height, width, in, out]."""

    def __init__(self):
        self.random = np.random.RandomState(3)

    def weights(self, *shape):
        fan_in = np.prod(shape[:-1])
        return (self.random.standard_normal(shape) * np.sqrt(2.0 / fan_in)).astype(np.float32)

    def vector(self, size, centre):
        return (centre + 0.1 * self.random.standard_normal(size)).astype(np.float32)

    def normalized(self, x, relu=True):
        n = self.channels(x)
        vectors = self.vector(n, 1), self.vector(n, 0), self.vector(n, 0), np.abs(self.vector(n, 1))
        y = self.batch_norm(x, *vectors)
        return self.relu(y) if relu else y

    def conv(self, x, size, filters, stride=1, padding="SAME", relu=True):
        height, width = (size, size) if isinstance(size, int) else size
        w = self.weights(height, width, self.channels(x), filters)
        return self.normalized(self.convolved(x, w, stride, padding), relu)

    def biased(self, x, filters):
        y = self.convolved(x, self.weights(3, 3, self.channels(x), filters), 1, "SAME")
        return self.relu(self.plus(y, self.vector(filters, 0)))

    def depthwise(self, x, stride):
        w = self.random.standard_normal((3, 3, self.channels(x), 1)).astype(np.float32) / 3
        return self.normalized(self.filtered(x, w, stride))

    def dense(self, x, units, depth):
        return self.product(x, self.weights(depth, units), self.vector(units, 0))

    def classes(self, x):
        return self.softmax(self.dense(self.mean(x), 1000, self.channels(x)))


class Graph(Layers):
    """The operations of TensorFlow, images with their channels last."""

    def __init__(self, tf):
        super().__init__()
        self.tf, self.relu, self.softmax = tf, tf.nn.relu, tf.nn.softmax

    def channels(self, x):
        return int(x.shape[-1])

    def convolved(self, x, w, stride, padding):
        return self.tf.nn.conv2d(x, w, strides=[1, stride, stride, 1], padding=padding)

    def filtered(self, x, w, stride):
        return self.tf.nn.depthwise_conv2d_native(x, w, strides=[1, stride, stride, 1], padding="SAME")

    def batch_norm(self, x, scale, offset, mean, variance):
        how = {"mean": mean, "variance": variance, "epsilon": 1e-3, "is_training": False}
        return self.tf.nn.fused_batch_norm(x, scale, offset, **how)[0]

    def plus(self, x, bias):
        return self.tf.nn.bias_add(x, bias)

    def product(self, x, w, bias):
        return self.tf.nn.bias_add(self.tf.matmul(x, w), bias)

    def max_pool(self, x, size=3, stride=2, padding="SAME"):
        return self.tf.nn.max_pool(x, [1, size, size, 1], [1, stride, stride, 1], padding)

    def mean_pool(self, x):
        return self.tf.nn.avg_pool(x, [1, 3, 3, 1], [1, 1, 1, 1], "SAME")

    def mean(self, x):
        return self.tf.reduce_mean(x, [1, 2])

    def flat(self, x, size):
        return self.tf.reshape(x, [-1, size])

    def joined(self, *parts):
        return self.tf.concat(parts, 3)

    def sum(self, x, y):
        return x + y


def vgg_16(net, x):
    for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            x = net.biased(x, filters)
        x = net.max_pool(x, 2, 2)
    x = net.flat(x, 7 * 7 * 512)
    for depth in (7 * 7 * 512, 4096):
        x = net.relu(net.dense(x, 4096, depth))
    return net.softmax(net.dense(x, 1000, 4096))


def resnet_50(net, x):
    x = net.max_pool(net.conv(x, 7, 64, stride=2))
    for stage, (filters, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(count):
            stride = 2 if stage and not block else 1
            way = x if block else net.conv(x, 1, 4 * filters, stride=stride, relu=False)
            x = net.conv(net.conv(net.conv(x, 1, filters), 3, filters, stride=stride), 1, 4 * filters, relu=False)
            x = net.relu(net.sum(x, way))
    return net.classes(x)


def mobilenet(net, x):
    x = net.conv(x, 3, 32, stride=2)
    steps = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    for filters, stride in steps:
        x = net.conv(net.depthwise(x, stride), 1, filters)
    return net.classes(x)


def inception_v3(net, x):
    def chain(x, *layers):
        for size, filters in layers:
            x = net.conv(x, size, filters)
        return x

    x = net.conv(net.conv(x, 3, 32, stride=2, padding="VALID"), 3, 32, padding="VALID")
    x = net.max_pool(net.conv(x, 3, 64), padding="VALID")
    x = net.max_pool(net.conv(net.conv(x, 1, 80), 3, 192, padding="VALID"), padding="VALID")
    for pooled in (32, 64, 64):
        x = net.joined(
            net.conv(x, 1, 64),
            chain(x, (1, 48), (5, 64)),
            chain(x, (1, 64), (3, 96), (3, 96)),
            net.conv(net.mean_pool(x), 1, pooled),
        )
    x = net.joined(
        net.conv(x, 3, 384, stride=2, padding="VALID"),
        net.conv(chain(x, (1, 64), (3, 96)), 3, 96, stride=2, padding="VALID"),
        net.max_pool(x, padding="VALID"),
    )
    for n in (128, 160, 160, 192):
        x = net.joined(
            net.conv(x, 1, 192),
            chain(x, (1, n), ((1, 7), n), ((7, 1), 192)),
            chain(x, (1, n), ((7, 1), n), ((1, 7), n), ((7, 1), n), ((1, 7), 192)),
            net.conv(net.mean_pool(x), 1, 192),
        )
    x = net.joined(
        net.conv(net.conv(x, 1, 192), 3, 320, stride=2, padding="VALID"),
        net.conv(chain(x, (1, 192), ((1, 7), 192), ((7, 1), 192)), 3, 192, stride=2, padding="VALID"),
        net.max_pool(x, padding="VALID"),
    )
    for _ in range(2):
        three, double = net.conv(x, 1, 384), chain(x, (1, 448), (3, 384))
        x = net.joined(
            net.conv(x, 1, 320),
            net.conv(three, (1, 3), 384),
            net.conv(three, (3, 1), 384),
            net.conv(double, (1, 3), 384),
            net.conv(double, (3, 1), 384),
            net.conv(net.mean_pool(x), 1, 192),
        )
    return net.classes(x)


NETWORKS = {"vgg-16": vgg_16, "resnet-50": resnet_50, "mobilenet": mobilenet, "inception-v3": inception_v3}


def programs(tf):
    """name -> function of a workload that returns its step: the classes of a batch of images."""

    def program(workload):
        tf.reset_default_graph()
        ((shape, _),) = workload.feeds
        images = tf.placeholder(tf.float32, shape)
        out = NETWORKS[workload.size["network"]](Graph(tf), images)
        session = tf.Session()
        return lambda batch: float(session.run(out, {images: batch})[0].max())

    return {f"inference/{name}-{n}": program for name in NETWORKS for n in (1, 16)}
