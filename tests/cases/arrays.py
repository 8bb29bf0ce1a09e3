"""Records of TensorArrays and of functions over rows."""

from cases.base import WIDE, Fails, OpCase, given, normal

CASES = []


def written(tf, x, y, **more):
    return tf.TensorArray(tf.float32, size=3, **more).write(0, x).write(2, y).write(1, x * y)


def rows(tf, x, **more):
    return tf.TensorArray(x.dtype, size=tf.shape(x)[0], **more).unstack(x)


def grown(tf, x):
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, infer_shape=False, name="grown")
    return array.write(1, x).write(0, x * 2.0).concat()


def squares(tf, x):
    """Written in a loop and read after it."""
    array = tf.TensorArray(x.dtype, size=4)
    return tf.while_loop(lambda i, _: i < 4, lambda i, a: (i + 1, a.write(i, x * tf.cast(i, x.dtype))), [0, array])[
        1
    ].stack()


# TensorFlow 1.15 makes loops of Enter and Exit, thalweg While: the nodes of those are others on purpose.
FLOW = {"graph": False, "misuse": False}
X = normal(3, 2)
CASES += [
    OpCase("TensorArrayV3", [normal(2)], lambda tf, x: tf.TensorArray(tf.float32, size=2, element_shape=[2], name="a").size(),
           misuse=False, grad=False),
    OpCase("TensorArrayWriteV3", [normal(2), normal(2)], lambda tf, x, y: written(tf, x, y).stack(), misuse=False),
    OpCase("TensorArrayReadV3", [normal(2), normal(2)], lambda tf, x, y: written(tf, x, y).read(1), misuse=False),
    OpCase("TensorArrayReadV3", [normal(2), normal(2)],
           lambda tf, x, y: (lambda a: a.read(1) * a.read(1))(written(tf, x, y, clear_after_read=False)), "twice",
           misuse=False, shapes=False),
    OpCase("TensorArrayGatherV3", [normal(2), normal(2)], lambda tf, x, y: written(tf, x, y).gather([2, 0]), misuse=False),
    OpCase("TensorArrayScatterV3", [normal(3, 2)], lambda tf, x: rows(tf, x).read(2), misuse=False, shapes=False),
    OpCase("TensorArrayScatterV3", [normal(2, 2)], lambda tf, x: tf.TensorArray(tf.float32, size=4, element_shape=[2])
           .scatter([3, 1], x).stack(), "with gaps", misuse=False, shapes=False),
    OpCase("TensorArrayConcatV3", [normal(2)], grown, misuse=False),
    OpCase("TensorArraySplitV3", [normal(5, 2)],
           lambda tf, x: tf.TensorArray(tf.float32, size=3, infer_shape=False).split(x, [2, 0, 3]).read(2), misuse=False,
           shapes=False),
    OpCase("TensorArraySizeV3", [normal(3, 2)], lambda tf, x: rows(tf, x).size(), grad=False, misuse=False),
    OpCase("TensorArrayGradV3", [normal(2), normal(2)],
           lambda tf, x, y: tf.gradients(tf.reduce_sum(written(tf, x, y).stack() * x), [x, y]), misuse=False, shapes=False,
           graph=False, grad=False),
    OpCase("TensorArrayCloseV3", [normal(2), normal(2)], lambda tf, x, y: written(tf, x, y).close(), misuse=False, grad=False),
    OpCase("TensorArrayWriteV3", [normal(3)], squares, "in a loop", WIDE, shapes=False, **FLOW),
    OpCase("TensorArrayGatherV3", [normal(4, 3)], lambda tf, x: tf.map_fn(lambda r: r * tf.reduce_sum(r), x), "map_fn", WIDE,
           **FLOW),
    OpCase("TensorArrayGatherV3", [normal(4, 3), given([1, 2, 3, 4], "int32")],
           lambda tf, x, n: tf.map_fn(lambda t: (t[0] * tf.cast(t[1], t[0].dtype), t[1] + 1), (x, n), dtype=(x.dtype, tf.int32)),
           "map_fn of two", WIDE, **FLOW),
    OpCase("TensorArrayGatherV3", [normal(4, 3)], lambda tf, x: tf.scan(lambda a, r: a * r + 1.0, x), "scan", WIDE, **FLOW),
    OpCase("TensorArrayGatherV3", [normal(4, 3), normal(2)],
           lambda tf, x, a: tf.scan(lambda a, r: a + tf.reduce_sum(r) * a, x, a, reverse=True), "scan backwards", WIDE, **FLOW),
    OpCase("TensorArrayReadV3", [normal(4, 3)], lambda tf, x: tf.foldl(lambda a, r: a * 0.5 + r, x), "foldl", WIDE, **FLOW),
    OpCase("TensorArrayReadV3", [normal(4, 3), normal(3)], lambda tf, x, a: tf.foldr(lambda a, r: a * 0.5 - r, x, a), "foldr",
           WIDE, **FLOW),
    Fails("TensorArrayReadV3", [normal(2), normal(2)], lambda tf, x, y: written(tf, x, y).read(3), "outside"),
    Fails("TensorArrayReadV3", [normal(2), normal(2)],
          lambda tf, x, y: (lambda a: a.read(1) * a.read(1))(written(tf, x, y)), "read twice"),
    Fails("TensorArrayReadV3", [], lambda tf: tf.TensorArray(tf.float32, size=1).read(0), "never written"),
    Fails("TensorArrayWriteV3", [normal(2), normal(2)], lambda tf, x, y: written(tf, x, y).write(0, y).flow, "written twice"),
    Fails("TensorArrayWriteV3", [normal(2), normal(2)], lambda tf, x, y: written(tf, x, y).write(3, y).flow, "outside"),
    Fails("TensorArrayWriteV3", [normal(2), normal(3)], lambda tf, x, y: written(tf, x, x).write(0, y), "other shape"),
    Fails("TensorArrayWriteV3", [given([1, 2], "int32")], lambda tf, x: tf.TensorArray(tf.float32, size=1).write(0, x).flow,
          "other dtype"),
    Fails("TensorArraySplitV3", [normal(5)], lambda tf, x: tf.TensorArray(tf.float32, size=2, infer_shape=False)
          .split(x, [2, 2]).flow, "sum of lengths"),
    Fails("TensorArrayV3", [], lambda tf: tf.TensorArray(tf.float32), "no size"),
    Fails("TensorArrayGatherV3", [normal(2)], lambda tf, x: tf.map_fn(lambda r: (r, r), x), "other structure"),
    Fails("TensorArrayGatherV3", [normal()], lambda tf, x: tf.map_fn(lambda r: r, x), "map_fn of a scalar"),
    Fails("TensorArrayGatherV3", [normal(2)], lambda tf, x: tf.scan(x, x), "no function"),
]  # fmt: skip
