"""tfdbg: runs whose tensors are written to files, read back, and looked at on a command line."""

import os

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compat.internals import debug
from thalweg._src.formats import protos
from thalweg._src.lib.debugging.watches import watch_graph, watch_graph_with_blacklists


def model():
    """(a fetch that is -inf * 0 for x 0, the placeholder x, a write of the variable v)."""
    x = tf.placeholder(tf.float32, [2], name="x")
    v = tf.Variable(10.0, name="v")
    log = tf.log(x, name="layer/log")
    return tf.multiply(log, 0.0, name="bad"), x, tf.assign_add(v, tf.reduce_sum(x), name="inc")


def dumps(root):
    """The DebugDumpDirs of the runs below `root`, in order."""
    names = sorted(os.listdir(root), key=lambda name: int(name.split("_")[2]))
    return [debug.DebugDumpDir(os.path.join(root, name)) for name in names]


@pytest.fixture
def started():
    with tf.Graph().as_default(), tf.Session() as sess:
        parts = model()
        sess.run(tf.global_variables_initializer())
        yield sess, *parts


def test_each_run_writes_its_tensors(started, tmp_path):
    sess, bad, x, inc = started
    wrapped = debug.DumpingDebugWrapperSession(sess, str(tmp_path / "runs"))
    for scale in (1.0, 0.0):
        wrapped.run([bad, inc], {x: np.array([1.0, scale], np.float32)})
    first, second = dumps(tmp_path / "runs")
    assert first.get_tensors("v", 0, "DebugIdentity") == [10.0]
    assert first.get_tensors("inc", 0, "DebugIdentity") == [12.0]
    assert second.get_tensors("v", 0, "DebugIdentity") == [12.0]
    np.testing.assert_array_equal(second.get_tensors("layer/log", 0, "DebugIdentity")[0], [0, -np.inf])
    assert first.find(debug.has_inf_or_nan) == []
    assert [d.node_name for d in second.find(debug.has_inf_or_nan)] == ["layer/log", "bad"]
    assert [d.node_name for d in second.find(debug.has_inf_or_nan, first_n=1)] == ["layer/log"]
    assert [d.node_name for d in second.find(debug.has_inf_or_nan, exclude_node_names="layer/")] == ["bad"]
    assert first.run_fetches_info == repr([bad, inc])
    assert first.core_metadata.input_names == ["x:0"]
    assert first.core_metadata.output_names == ["bad:0", "inc:0"]
    assert wrapped.run_call_count == 2


def test_the_graph_comes_with_the_dumps(started, tmp_path):
    sess, bad, x, inc = started
    debug.DumpingDebugWrapperSession(sess, str(tmp_path / "runs")).run([bad, inc], {x: [1.0, 2.0]})
    (dump,) = dumps(tmp_path / "runs")
    assert dump.devices() == ["/job:localhost/replica:0/task:0/device:CPU:0"]
    assert dump.node_device("inc") == dump.devices()[0]
    assert dump.node_op_type("layer/log") == "Log"
    assert dump.node_inputs("layer/log") == ["x"]
    assert dump.node_recipients("layer/log") == ["bad"]
    assert set(dump.transitive_inputs("bad")) == {"layer/log", "bad/y", "x"}
    assert dump.find_some_path("x", "bad") == ["x", "layer/log", "bad"]
    assert dump.find_some_path("bad", "x") is None
    assert dump.debug_watch_keys("inc") == ["inc:0:DebugIdentity"]
    assert dump.get_rel_timestamps("inc", 0, "DebugIdentity")[0] >= 0
    assert dump.get_dump_sizes_bytes("inc", 0, "DebugIdentity")[0] > 0
    with pytest.raises(LookupError, match="not available"):
        dump.node_traceback("inc")
    dump.set_python_graph(sess.graph)
    assert any(os.path.basename(__file__) in frame[0] for frame in dump.node_traceback("inc:0"))
    with pytest.raises(ValueError, match="'none' does not exist"):
        dump.node_inputs("none")
    with pytest.raises(ValueError, match="does not exist in the debug dump"):
        dump.get_tensors("inc", 1, "DebugIdentity")


def test_what_is_watched(started, tmp_path):
    sess, bad, x, inc = started
    asked = lambda fetches, feeds: debug.WatchOptions(
        ["DebugNanCount", "DebugNumericSummary(lower_bound=-1)"],
        r"layer/.*|bad$",
        tensor_dtype_regex_whitelist="float32$",
    )
    wrapped = debug.DumpingDebugWrapperSession(sess, str(tmp_path / "runs"), watch_fn=asked)
    wrapped.run([bad, inc], {x: [1.0, 0.0]})
    (dump,) = dumps(tmp_path / "runs")
    assert {d.node_name for d in dump.dumped_tensor_data} == {"layer/log", "bad"}
    assert dump.get_tensors("bad", 0, "DebugNanCount")[0].tolist() == [1]
    summary = dump.get_tensors("layer/log", 0, "DebugNumericSummary")[0]
    np.testing.assert_array_equal(summary, [1, 2, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2])
    options = tf.RunOptions()
    watch_graph_with_blacklists(options, sess.graph, debug_urls="file:///x", op_type_regex_blacklist="(Log|Mul|Const)$")
    nodes = {w.node_name for w in options.debug_options.debug_tensor_watch_opts}
    assert "inc" in nodes
    assert not nodes & {"layer/log", "bad", "bad/y"}


def test_wrong_uses(started, tmp_path):
    sess, bad, x, _ = started
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    with pytest.raises(ValueError, match="non-empty directory"):
        debug.DumpingDebugWrapperSession(sess, str(tmp_path / "full"))
    with pytest.raises(ValueError, match="points to a file"):
        debug.DumpingDebugWrapperSession(sess, str(tmp_path / "full" / "file"))
    with pytest.raises(TypeError, match="watch_fn is not callable"):
        debug.DumpingDebugWrapperSession(sess, str(tmp_path / "a"), watch_fn="all")
    with pytest.raises(NotImplementedError, match="partial_run"):
        debug.DumpingDebugWrapperSession(sess, str(tmp_path / "b")).partial_run_setup([bad])
    options = tf.RunOptions()
    watch_graph(options, sess.graph, debug_urls="grpc://localhost:1")
    with pytest.raises(tf.errors.UnimplementedError, match="files only"):
        sess.run(bad, {x: [1, 2]}, options=options)
    options = tf.RunOptions()
    watch_graph(options, sess.graph, "DebugNothing", debug_urls=f"file://{tmp_path}")
    with pytest.raises(tf.errors.FailedPreconditionError, match="DebugNothing"):
        sess.run(bad, {x: [1, 2]}, options=options)
    with pytest.raises(OSError, match="does not exist"):
        debug.DebugDumpDir(str(tmp_path / "none"))


def asking(*lines):
    """(what answers the prompts with `lines`, then ends; what was said)."""
    rest, said = iter(lines), []

    def ask(prompt):
        for line in rest:
            return line
        raise EOFError

    return {"ask": ask, "say": said.append}, said


def test_a_command_line_before_and_after_a_run(started):
    sess, bad, x, inc = started
    how, said = asking(
        *(
            "lt",
            "run",
            "lt",
            "pt bad",
            "pt bad:0[1] -s",
            "ni bad -t",
            "li bad",
            "lo x",
            "lt -f has_inf_or_nan",
            "what",
            "pt none",
        ),
        *("run", "run -t 2", "run -n", "help"),
    )
    wrapped = debug.LocalCLIDebugWrapperSession(sess, **how)
    for _ in range(5):
        values = wrapped.run([bad, inc], {x: [1.0, 0.0]})
    assert values[1] == 15.0  # all five ran
    text = "\n".join(said)
    for part in (
        "nothing to look at yet",
        "layer/log:0",
        "[ 0. nan]",
        "nan 1",
        "test_debugging.py",
        "what is no command",
    ):
        assert part in text
    assert "2 dumped tensor(s)" in text
    assert "does not exist in the debug dump" in text
    assert "The input has ended" in text


def test_running_until_a_filter_passes(started):
    sess, bad, x, _ = started
    how, said = asking("run -f none", "run -f small", "lt -f small", "exit")
    wrapped = debug.LocalCLIDebugWrapperSession(sess, **how)
    wrapped.add_tensor_filter("small", lambda datum, value: datum.node_name == "layer/log" and value.min() < 0)
    with pytest.raises(TypeError, match="callable"):
        wrapped.add_tensor_filter("wrong", 3)
    wrapped.run(bad, {x: [1.0, 2.0]})
    assert "1 dumped tensor(s)" not in "\n".join(said)
    with pytest.raises(SystemExit):
        wrapped.run(bad, {x: [1.0, 0.5]})
    assert "1 dumped tensor(s)" in "\n".join(said)
    assert "There is no filter 'none'" in "\n".join(said)


def test_hooks_of_monitored_sessions(tmp_path):
    how, said = asking("run", "pt inc", "run")
    with tf.Graph().as_default():
        bad, x, inc = model()
        hooks = [debug.DumpingDebugHook(str(tmp_path / "runs")), debug.LocalCLIDebugHook(**how)]
        with tf.train.MonitoredSession(hooks=hooks) as sess:
            for _ in range(2):
                sess.run([bad, inc], {x: [1.0, 2.0]})
    assert [d.get_tensors("inc", 0, "DebugIdentity") for d in dumps(tmp_path / "runs")] == [[13.0], [16.0]]
    assert "13.0" in "\n".join(said)


def test_a_run_of_a_queue_is_watched(tmp_path):
    with tf.Graph().as_default(), tf.Session() as sess:
        queue = tf.FIFOQueue(3, tf.int32, [[]])
        taken = tf.add(queue.dequeue(), 1, name="taken")
        sess.run(queue.enqueue(4))
        wrapped = debug.DumpingDebugWrapperSession(sess, str(tmp_path / "runs"))
        assert wrapped.run(taken) == 5
    (dump,) = dumps(tmp_path / "runs")
    assert dump.get_tensors("taken", 0, "DebugIdentity") == [5]


def test_tensors_of_events():
    event = protos.Event()
    event.summary.value.add().tensor.CopyFrom(tf.make_tensor_proto([1.5, 2.5]))
    assert debug.load_tensor_from_event(event).tolist() == [1.5, 2.5]
