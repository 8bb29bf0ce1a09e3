"""Write small checkpoints with TensorFlow into this folder: formats V1 and V2, whole and partitioned, sharded.

Run under each oracle: `oracle VERSION tests/formats/golden/record_checkpoints.py`, for 0.12, 1.15 and 2.21.
"""

import os

import numpy as np
import tensorflow

tf = getattr(tensorflow.compat, "v1", tensorflow) if hasattr(tensorflow, "compat") else tensorflow
HERE = os.path.dirname(os.path.abspath(__file__))
VERSION = ".".join(tensorflow.__version__.split(".")[:2])
VALUES = [
    ("floats/a", np.arange(6, dtype=np.float32).reshape(2, 3) / 4),
    ("doubles/b", np.array([1e-300, -2.5])),
    ("scalar", np.array(7, np.int64)),
    ("ints", np.array([-1, 2**31 - 1, -(2**31)], np.int32)),
    ("bytes", np.array([0, 255], np.uint8)),
    ("small", np.array([-128, 127], np.int8)),
    ("flags", np.array([True, False, True])),
    ("complex", np.array([1 + 2j], np.complex64)),
    ("half", np.array([0.5, -65504], np.float16)),
    ("empty", np.zeros((0, 2), np.float32)),
    ("strings", np.array([b"", b"abc", b"x\x00" * 100], object)),
]


def save(version, sharded=False):
    tf.reset_default_graph()
    variables = [tf.Variable(value, name=name) for name, value in VALUES if version == 2 or name != "half"]
    initializer = tf.constant_initializer(2.0)
    with tf.variable_scope("part", partitioner=tf.fixed_size_partitioner(2)):
        variables += list(tf.get_variable("v", [3, 2], tf.float32, initializer))
    if sharded:
        with tf.device("/cpu:1"):
            variables.append(tf.Variable(np.arange(3.0), name="elsewhere"))
    saver = tf.train.Saver(variables, write_version=version, sharded=sharded)
    path = os.path.join(HERE, "v{}{}-{}.ckpt".format(version, "-sharded" if sharded else "", VERSION))
    with tf.Session(config=tf.ConfigProto(device_count={"CPU": 2})) as sess:
        sess.run([v.initializer for v in variables])
        saver.save(sess, path, write_meta_graph=False)
    os.remove(os.path.join(HERE, "checkpoint"))


def main():
    getattr(tf, "disable_eager_execution", lambda: None)()
    getattr(tf, "disable_resource_variables", lambda: None)()
    save(1)
    save(2)
    if VERSION == "1.15":
        save(1, sharded=True)
        save(2, sharded=True)


if __name__ == "__main__":
    main()
