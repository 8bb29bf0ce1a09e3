"""Sums and the like over devices."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.lib import collective_ops
from thalweg._src.lib.data import several_devices
from thalweg.contrib import all_reduce, nccl, tensorrt


def test_every_device_gets_what_all_make_together():
    with tf.Graph().as_default(), tf.Session() as sess:
        with tf.device("/cpu:0"):
            x, y = tf.constant([1.0, 5.0]), tf.constant([3.0, 2.0])
        found = sess.run([f([x, y]) for f in (nccl.all_sum, nccl.all_prod, nccl.all_min, nccl.all_max)])
        expected = ([4, 7], [3, 10], [1, 2], [3, 5])
        for pair, value in zip(found, expected, strict=True):
            np.testing.assert_array_equal(pair, [value, value])
        assert nccl.all_sum([x, y])[0].device == x.device
        assert sess.run([nccl.reduce_sum([x, y]), nccl.broadcast(x)])[0].tolist() == [4, 7]
        (gx,) = tf.gradients(nccl.all_sum([x, y])[0] * 2.0, x)
        assert sess.run(gx).tolist() == [2, 2]


def test_what_cannot_be_joined():
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="Must pass >0"):
            nccl.all_sum([])
        with pytest.raises(ValueError, match="Device assignment"):
            nccl.all_sum([tf.constant(1.0)])
        with tf.device("/cpu:0"), pytest.raises(ValueError, match="same type"):
            nccl.all_sum([tf.constant(1.0), tf.constant(1)])


TWO = {"device_count": {"CPU": 2}}


def test_members_meet_within_a_step():
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(**TWO)) as sess:
        x = tf.placeholder(tf.float32, [3])
        out = []
        for i in range(2):
            with tf.device(f"/cpu:{i}"):
                mine = x + float(i)
                out.append(collective_ops.all_reduce(mine, 2, 1, 1, "Add", "Div"))
                out.append(collective_ops.all_reduce(mine, 2, 1, 2, "Mul", "Id"))
                out.append(collective_ops.all_gather(mine, 2, 1, 3))
                if i:
                    out.append(collective_ops.broadcast_recv([3], tf.float32, 2, 1, 4))
                else:
                    out.append(collective_ops.broadcast_send(mine, [3], tf.float32, 2, 1, 4))
        assert [t.shape.as_list() for t in out[:4]] == [[3], [3], [6], [3]]
        for value in (1.0, 5.0):  # the same keys meet again in the next step
            v = np.full(3, value, np.float32)
            found = sess.run(out, {x: v})
            for a, b, expected in zip(
                found[:4], found[4:], [v + 0.5, v * (v + 1), np.concatenate([v, v + 1]), v], strict=True
            ):
                np.testing.assert_allclose(a, expected, rtol=1e-6)
                np.testing.assert_array_equal(a, b)


def test_groups_that_cannot_meet():
    with tf.Graph().as_default(), tf.Session() as sess:
        with pytest.raises(ValueError, match="Device assignment"):
            collective_ops.all_reduce(tf.constant(1.0), 2, 1, 1, "Add", "Id")
        with tf.device("/cpu:0"):
            one = tf.constant([1.0])
            with pytest.raises(ValueError, match="at least 2"):
                collective_ops.all_gather(one, 1, 1, 1)
            with pytest.raises(ValueError, match="[Ss]hape"):
                collective_ops.broadcast_send(one, [2], tf.float32, 2, 1, 1)
            both = [collective_ops.all_reduce(t, 2, 1, 1, "Add", "Id") for t in (one, tf.constant([1.0, 2.0]))]
        with pytest.raises(tf.errors.InvalidArgumentError, match="shapes"):
            sess.run(both)


def test_joined_by_routes():
    with tf.Graph().as_default(), tf.Session() as sess:
        with tf.device("/cpu:0"):
            x = [tf.constant([1.0, 2.0]), tf.constant([3.0, 5.0])]
        half = lambda t: t / 2.0
        made = [
            all_reduce.build_ring_all_reduce(x, 1, 1, [0, 1], tf.add, half),
            all_reduce.build_recursive_hd_all_reduce(x, tf.add, half),
            all_reduce.build_shuffle_all_reduce(x, ["/cpu:0"], tf.add_n, half),
            all_reduce.build_nccl_all_reduce(x, tf.add, half),
            all_reduce.build_nccl_then_ring(x, 1, tf.add, half),
            all_reduce.build_nccl_then_recursive_hd(x, tf.add, half),
            all_reduce.build_nccl_then_shuffle(x, ["/cpu:0"], tf.add, tf.add_n, half),
            all_reduce.build_shuffle_then_ring(x, ["/cpu:0"], 1, tf.add_n, tf.add, half),
            all_reduce.build_shuffle_then_shuffle(x, ["/cpu:0"], ["/cpu:0"], tf.add_n, half),
        ]
        for pair in sess.run(made):
            np.testing.assert_array_equal(pair, [[2, 3.5]] * 2)
        with pytest.raises(ValueError, match="2 or longer"):
            all_reduce.build_ring_all_reduce(x[:1], 1, 1, [0], tf.add)
        with pytest.raises(ValueError, match="power of 2"):
            all_reduce.build_recursive_hd_all_reduce([*x, x[0]], tf.add)


def test_elements_dealt_to_devices():
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(**TWO)) as sess:
        dataset = tf.data.Dataset.range(5).map(lambda x: (x, tf.cast(x, tf.float32) * 2.0))
        dataset = several_devices.override_threadpool(dataset, several_devices.PrivateThreadPool(2, "own"))
        iterator = several_devices.MultiDeviceIterator(dataset, ["/cpu:0", "/cpu:1"])
        both, second = iterator.get_next(), iterator.get_next("/cpu:1")
        for _ in range(2):
            sess.run(iterator.initializer)
            assert sess.run(both) == [(0, 0.0), (1, 2.0)]
            assert sess.run(second) == (3, 6.0)
            with pytest.raises(tf.errors.OutOfRangeError):
                sess.run(both)


def test_tensorrt_is_said_to_be_absent():
    with pytest.raises(tf.errors.UnimplementedError, match="import_graph_def"):
        tensorrt.create_inference_graph(tf.GraphDef(), ["y"])
