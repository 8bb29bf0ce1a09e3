"""Small programs of the smaller packages of tf.contrib, a family of contrib_programs.py. Kept to what Python 3.6 reads."""

import importlib

import numpy as np

from oracle.public import raised

PIXELS = np.random.RandomState(0).rand(2, 2, 3).astype("float32")


def within(tf, package, module, name):
    """A function that TensorFlow has in an internal module alone, and thalweg under the name of the package too."""
    found = getattr(getattr(tf.contrib, package), name, None)
    return found or getattr(importlib.import_module("tensorflow.contrib." + package + ".python." + module), name)


def printed(tf):
    sparse = tf.SparseTensor([[0, 0], [1, 2]], [1, 2], [3, 4])
    array = tf.TensorArray(tf.int32, 2, clear_after_read=False).write(1, 5).write(0, 4)
    f = within(tf, "framework", "ops.prettyprint_ops", "print_op")
    return [
        f(tf.constant([True, False]), data=[tf.constant(1.0)], message="m"),
        tf.sparse_tensor_to_dense(f(sparse)),
        f(array).stack(),
    ]


def fused(tf):
    graph = tf.GraphDef()
    for name, sources in (("A", ""), ("B", "A"), ("C", "BC"), ("D", "C"), ("E", "D")):
        graph.node.add(name=name, op="Op1", input=list(sources))
    made = tf.contrib.framework.fuse_op(graph, ["A"], ["D"], [1], True, "F", "Op2")
    wrong = raised(lambda: tf.contrib.framework.fuse_op(graph, ["B"], ["Z"], [1], True, "F", "Op2"))
    return [[[n.name, n.op, list(n.input)] for n in made.node], made.node[1].attr["_output_quantized"].b, wrong]


def bounded(tf):
    make = tf.contrib.framework.BoundedTensorSpec
    spec = make([2, 3], tf.float32, 0, [1, 2, 3])
    plain = make.from_spec(tf.TensorSpec([1], tf.int8))
    return [
        spec.maximum,
        [int(plain.minimum), int(plain.maximum)],
        spec == make([2, 3], tf.float32, 0, [1, 2, 3]),
        raised(lambda: make([2], tf.float32, [0, 0, 0], 1)),
        raised(lambda: make([2], tf.float32, None, 1)),
    ]


def colours(tf):
    adjust = within(tf, "image", "ops.distort_image_ops", "adjust_hsv_in_yiq")
    by_chance = within(tf, "image", "ops.distort_image_ops", "random_hsv_in_yiq")
    return [
        adjust(PIXELS, 0.5, 1.5, 0.75),
        adjust(np.uint8(PIXELS * 200), 0.25, 0.5, 1),
        by_chance(PIXELS, 0, 0.5, 0.5, 0.8, 0.8),
        raised(lambda: adjust(tf.zeros([3, 3]), 0.5)),
        raised(lambda: by_chance(PIXELS, -1)),
        raised(lambda: by_chance(PIXELS, 0, 2, 1)),
    ]


EXTRAS = {
    "print_op": printed,
    "fuse_op": fused,
    "BoundedTensorSpec": bounded,
    "colours": colours,
    "stateless": lambda tf: [
        tf.contrib.stateless.stateless_random_uniform([3], [1, 2]),
        tf.contrib.stateless.stateless_random_normal([3], [1, 2]),
        tf.contrib.stateless.stateless_truncated_normal([3], [1, 2]),
    ],
}
