"""RunMetadata of traced runs, and what timelines make of it."""

import json

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.lib.timeline import Timeline
from thalweg._src.runtime import tracing

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"


def traced(session, fetches, feeds=None):
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    return session.run(fetches, feeds, options=options, run_metadata=metadata), metadata


def nodes(metadata):
    return {n.node_name: n for d in metadata.step_stats.dev_stats for n in d.node_stats}


@pytest.fixture
def model():
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        x = tf.placeholder(tf.float32, [None, 40], name="x")
        kept = tf.nn.dropout(x, 0.5)
        w = tf.get_variable("w", [40, 30])
        y = tf.matmul(kept, w, name="y")
        loss = tf.reduce_mean(tf.square(y), name="loss")
        train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
        session.run(tf.global_variables_initializer())
        yield session, {x: np.ones([20, 40], np.float32)}, loss, train, w


def test_every_operation_has_a_time_a_place_and_a_size(model):
    session, feeds, loss, train, _ = model
    metadata = traced(session, [loss, train], feeds)[1]
    found = nodes(metadata)
    assert [d.device for d in metadata.step_stats.dev_stats] == [CPU]
    assert {"y", "loss", "w", "gradients/y_grad/MatMul_1", "Momentum/update_w/ApplyMomentum"} <= set(found)
    y = found["y"]
    assert y.timeline_label == "y = MatMul(dropout/mul_1, w/read)"
    assert [d.size for d in y.output[0].tensor_description.shape.dim] == [20, 30]
    assert [(m.allocator_name, m.total_bytes) for m in y.memory] == [("cpu", 20 * 30 * 4)]
    assert not found["w/read"].memory  # it passes the variable's value on
    assert found["w"].memory_stats.persistent_memory_size == 40 * 30 * 4
    for node in found.values():
        assert node.all_end_rel_micros >= 1
        assert abs(node.all_start_nanos // 1000 - node.all_start_micros) <= 1
    starts = [n.all_start_micros for n in metadata.step_stats.dev_stats[0].node_stats]
    assert found["y"].all_start_micros >= found["w/read"].all_start_micros >= starts[0]


def test_a_traced_run_gives_and_leaves_what_another_gives(model):
    session, feeds, loss, train, w = model

    def steps(trace_at):
        session.run(tf.global_variables_initializer())
        session.run(w.assign(tf.ones([40, 30])))
        losses = []
        for i in range(3):
            run = (lambda f, d: traced(session, f, d)[0]) if i in trace_at else session.run
            losses.append(run([loss, train], feeds)[0])
        return losses, session.run(w)

    # The random numbers of dropout go on from run to run, so one after the other is compared with another graph's.
    with tf.Graph().as_default(), tf.Session() as other:
        tf.set_random_seed(1)
        draws = tf.random_uniform([300])
        count = tf.get_variable("count", [], initializer=tf.zeros_initializer())
        more = count.assign_add(1.0)
        other.run(count.initializer)
        plain = [other.run([draws, more]) for _ in range(2)]
    with tf.Graph().as_default(), tf.Session() as other:
        tf.set_random_seed(1)
        draws = tf.random_uniform([300])
        count = tf.get_variable("count", [], initializer=tf.zeros_initializer())
        more = count.assign_add(1.0)
        other.run(count.initializer)
        first = traced(other, [draws, more])[0]
        second = other.run([draws, more])
    for (a, n), (b, m) in zip(plain, [first, second], strict=True):
        np.testing.assert_array_equal(a, b)
        assert n == m
    losses, value = steps({1})
    assert losses[2] < losses[0]
    assert np.isfinite(value).all()


def test_loops_host_work_and_queues_are_traced():
    with tf.Graph().as_default(), tf.Session() as session:
        queue = tf.FIFOQueue(3, [tf.float32], [[]])
        fill = queue.enqueue_many([[1.0, 2.0, 3.0]])
        x = queue.dequeue()
        text = tf.as_string(x, name="text")
        loop = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * 2.0), [0, x])
        shown = tf.py_func(lambda v: v + np.float32(1), [loop[1]], tf.float32, name="shown")
        session.run(fill)
        values, metadata = traced(session, [text, loop[1], shown])
        assert values == [b"1.000000", 8.0, 9.0]
        found = nodes(metadata)
        assert {"text", "while/While", "shown"} <= set(found)
        assert found["text"].memory[0].total_bytes == len(b"1.000000")


def test_an_error_in_a_traced_run_names_its_operation():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, None])
        y = tf.reshape(x, [7], name="squeezed")
        with pytest.raises(tf.errors.InvalidArgumentError, match="squeezed"):
            traced(session, y, {x: np.zeros([2, 3])})
        i = tf.placeholder(tf.int32, [])
        taken = tf.gather(tf.constant([1.0, 2.0]), i, name="taken")
        with pytest.raises(tf.errors.InvalidArgumentError, match="taken"):
            traced(session, taken + 1.0, {i: 5})


def test_without_a_level_nothing_is_traced(model):
    session, feeds, loss, _, _ = model
    metadata = tf.RunMetadata()
    session.run(loss, feeds, options=tf.RunOptions(), run_metadata=metadata)
    assert not metadata.HasField("step_stats")


# timelines


def events(metadata, **options):
    trace = json.loads(Timeline(metadata.step_stats).generate_chrome_trace_format(**options))
    assert list(trace) == ["traceEvents"]
    return trace["traceEvents"]


def test_operations_that_are_alike_share_an_executable(monkeypatch):
    made = []
    compiled = tracing._compiled
    monkeypatch.setattr(tracing, "_shared", {})
    monkeypatch.setattr(tracing, "_compiled", lambda op, *rest: made.append(op.name) or compiled(op, *rest))
    with tf.Graph().as_default(), tf.Session() as session:
        x = y = tf.placeholder(tf.float32, [None, 8])
        for i in range(6):
            y = tf.tanh(tf.matmul(y, tf.constant(np.eye(8, dtype=np.float32)), transpose_b=i == 5), name=f"layer_{i}")
        drawn = [tf.nn.dropout(y, 0.5, seed=seed) for seed in (1, 2)]
        value = np.full([3, 8], 0.5, np.float32)
        (last, one, other), metadata = traced(session, [y, *drawn], {x: value})
    expected = value
    for _ in range(6):
        expected = np.tanh(expected)
    np.testing.assert_allclose(last, expected, rtol=1e-6)
    assert (one != other).any()
    assert {f"layer_{i}" for i in range(6)} <= set(nodes(metadata))
    assert [name for name in made if name.startswith(("layer", "MatMul"))] == ["layer_0", "MatMul_1", "MatMul_5"]


def test_a_timeline_is_in_the_trace_event_format(model):
    session, feeds, loss, train, _ = model
    metadata = traced(session, [loss, train], feeds)[1]
    found = events(metadata, show_memory=True)
    wanted = {
        "M": {"name", "pid", "args"},
        "X": {"name", "cat", "pid", "tid", "ts", "dur", "args"},
        "s": {"name", "cat", "pid", "tid", "ts", "id"},
        "t": {"name", "cat", "pid", "tid", "ts", "id"},
        "C": {"name", "pid", "tid", "ts", "args"},
    }
    kinds = {e["ph"] for e in found}
    assert kinds == set(wanted)
    for e in found:
        assert wanted[e["ph"]] <= set(e)
        for key in ("pid", "tid", "ts", "dur"):
            assert isinstance(e.get(key, 0), int)
            assert e.get(key, 0) >= 0
    complete = {e["args"]["name"]: e for e in found if e["ph"] == "X"}
    assert set(complete) == set(nodes(metadata))
    assert (complete["y"]["name"], complete["y"]["args"]["input1"]) == ("MatMul", "w/read")
    begun, ended = ({e["id"]: e for e in found if e["ph"] == p} for p in "st")
    assert set(begun) == set(ended)
    assert all(begun[i]["ts"] <= ended[i]["ts"] for i in begun)
    # Rows do not overlap.
    lanes = {}
    for e in sorted((e for e in found if e["ph"] == "X"), key=lambda e: e["ts"]):
        lane = (e["pid"], e["tid"])
        assert lanes.get(lane, 0) <= e["ts"]
        lanes[lane] = e["ts"] + e["dur"]
    assert {e["ph"] for e in events(metadata, show_dataflow=False)} == {"M", "X"}


def test_the_most_memory_is_what_is_held_at_one_time():
    metadata = tf.RunMetadata()
    device = metadata.step_stats.dev_stats.add(device=CPU)
    for name, inputs, start, size in [("a", "", 0, 100), ("b", "a", 10, 10), ("c", "b", 20, 60), ("d", "c, b", 30, 1)]:
        node = device.node_stats.add(node_name=name, timeline_label=f"{name} = Op({inputs})")
        node.all_start_micros, node.op_end_rel_micros = start, 5
        told = node.output.add().tensor_description.allocation_description
        told.allocator_name, told.requested_bytes = "cpu", size
    found = Timeline(metadata.step_stats).analyze_step_stats()
    most = found.allocator_maximums["cpu"]
    assert (most.timestamp, most.num_bytes, most.tensors) == (10, 110, frozenset({"a", "b"}))
    memory = [e["args"]["cpu"] for e in found.chrome_trace.events if e["ph"] == "C"]
    assert memory == [100, 110, 10, 70, 71, 70, 60, 0]
    json.loads(found.chrome_trace.format_to_string(pretty=True))


def test_a_transfer_without_inputs_is_shown():
    metadata = tf.RunMetadata()
    node = metadata.step_stats.dev_stats.add(device="/job:worker/cpu:0").node_stats.add(node_name="RecvTensor")
    node.all_start_micros, node.op_end_rel_micros = 12345, 42
    node.timeline_label = "[1024B] edge_1_w from /job:ps/replica:0/task:3/cpu:0 to /job:worker/replica:0/task:0/cpu:0"
    (shown,) = (e for e in events(metadata) if e["ph"] == "X")
    assert (shown["name"], shown["ts"], shown["dur"]) == ("RecvTensor", 12345, 42)
