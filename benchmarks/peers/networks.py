"""The image networks of the seeds as frozen graphs with random weights, for inference: one text for TensorFlow and thalweg."""

import numpy as np


class Layers:
    """Layers with constants for weights, on one graph."""

    def __init__(self, tf):
        self.tf, self.random = tf, np.random.RandomState(3)

    def weights(self, *shape):
        fan_in = np.prod(shape[:-1])
        return (self.random.standard_normal(shape) * np.sqrt(2.0 / fan_in)).astype(np.float32)

    def vector(self, size, centre):
        return (centre + 0.1 * self.random.standard_normal(size)).astype(np.float32)

    def normalized(self, x, relu=True):
        n = int(x.shape[-1])
        y = self.tf.nn.fused_batch_norm(
            x,
            self.vector(n, 1),
            self.vector(n, 0),
            mean=self.vector(n, 0),
            variance=np.abs(self.vector(n, 1)),
            epsilon=1e-3,
            is_training=False,
        )[0]
        return self.tf.nn.relu(y) if relu else y

    def conv(self, x, size, filters, stride=1, padding="SAME", relu=True):
        height, width = (size, size) if isinstance(size, int) else size
        w = self.weights(height, width, int(x.shape[-1]), filters)
        return self.normalized(self.tf.nn.conv2d(x, w, strides=[1, stride, stride, 1], padding=padding), relu)

    def biased(self, x, filters):
        w = self.weights(3, 3, int(x.shape[-1]), filters)
        y = self.tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME")
        return self.tf.nn.relu(self.tf.nn.bias_add(y, self.vector(filters, 0)))

    def depthwise(self, x, stride):
        w = self.random.standard_normal((3, 3, int(x.shape[-1]), 1)).astype(np.float32) / 3
        return self.normalized(self.tf.nn.depthwise_conv2d_native(x, w, strides=[1, stride, stride, 1], padding="SAME"))

    def max_pool(self, x, size=3, stride=2, padding="SAME"):
        return self.tf.nn.max_pool(x, [1, size, size, 1], [1, stride, stride, 1], padding)

    def mean_pool(self, x):
        return self.tf.nn.avg_pool(x, [1, 3, 3, 1], [1, 1, 1, 1], "SAME")

    def dense(self, x, units):
        return self.tf.nn.bias_add(self.tf.matmul(x, self.weights(int(x.shape[-1]), units)), self.vector(units, 0))

    def classes(self, x):
        return self.tf.nn.softmax(self.dense(self.tf.reduce_mean(x, [1, 2]), 1000))


def vgg_16(net, x):
    for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            x = net.biased(x, filters)
        x = net.max_pool(x, 2, 2)
    x = net.tf.reshape(x, [-1, 7 * 7 * 512])
    for _ in range(2):
        x = net.tf.nn.relu(net.dense(x, 4096))
    return net.tf.nn.softmax(net.dense(x, 1000))


def resnet_50(net, x):
    x = net.max_pool(net.conv(x, 7, 64, stride=2))
    for stage, (filters, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(count):
            stride = 2 if stage and not block else 1
            way = x if block else net.conv(x, 1, 4 * filters, stride=stride, relu=False)
            x = net.conv(net.conv(net.conv(x, 1, filters), 3, filters, stride=stride), 1, 4 * filters, relu=False)
            x = net.tf.nn.relu(x + way)
    return net.classes(x)


def mobilenet(net, x):
    x = net.conv(x, 3, 32, stride=2)
    steps = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    for filters, stride in steps:
        x = net.conv(net.depthwise(x, stride), 1, filters)
    return net.classes(x)


def inception_v3(net, x):
    def beside(*parts):
        return net.tf.concat(parts, 3)

    def chain(x, *layers):
        for size, filters in layers:
            x = net.conv(x, size, filters)
        return x

    x = net.conv(net.conv(x, 3, 32, stride=2, padding="VALID"), 3, 32, padding="VALID")
    x = net.max_pool(net.conv(x, 3, 64), padding="VALID")
    x = net.max_pool(net.conv(net.conv(x, 1, 80), 3, 192, padding="VALID"), padding="VALID")
    for pooled in (32, 64, 64):
        x = beside(
            net.conv(x, 1, 64),
            chain(x, (1, 48), (5, 64)),
            chain(x, (1, 64), (3, 96), (3, 96)),
            net.conv(net.mean_pool(x), 1, pooled),
        )
    x = beside(
        net.conv(x, 3, 384, stride=2, padding="VALID"),
        net.conv(chain(x, (1, 64), (3, 96)), 3, 96, stride=2, padding="VALID"),
        net.max_pool(x, padding="VALID"),
    )
    for n in (128, 160, 160, 192):
        x = beside(
            net.conv(x, 1, 192),
            chain(x, (1, n), ((1, 7), n), ((7, 1), 192)),
            chain(x, (1, n), ((7, 1), n), ((1, 7), n), ((7, 1), n), ((1, 7), 192)),
            net.conv(net.mean_pool(x), 1, 192),
        )
    x = beside(
        net.conv(net.conv(x, 1, 192), 3, 320, stride=2, padding="VALID"),
        net.conv(chain(x, (1, 192), ((1, 7), 192), ((7, 1), 192)), 3, 192, stride=2, padding="VALID"),
        net.max_pool(x, padding="VALID"),
    )
    for _ in range(2):
        three, double = net.conv(x, 1, 384), chain(x, (1, 448), (3, 384))
        x = beside(
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
        out = NETWORKS[workload.size["network"]](Layers(tf), images)
        session = tf.Session()
        return lambda batch: float(session.run(out, {images: batch})[0].max())

    return {f"inference/{name}-{n}": program for name in NETWORKS for n in (1, 16)}
