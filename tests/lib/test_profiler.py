"""tf.profiler: parameters, float operations, time and memory. The numbers marked so are TensorFlow 1.15's."""

import json

import pytest

import thalweg as tf

Builder = tf.profiler.ProfileOptionBuilder


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        with tf.variable_scope("l1"):
            x = tf.zeros([8, 28, 28, 1])
            w, b = tf.get_variable("w", [5, 5, 1, 6]), tf.get_variable("b", [6])
            h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME"), b))
            h = tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
        with tf.variable_scope("l2"):
            w = tf.get_variable("w", [14 * 14 * 6, 10])
            y = tf.matmul(tf.reshape(h, [8, -1]), w)
            tf.reduce_mean(tf.square(y - 1.0), name="loss")
            tf.get_variable("fixed", [7], initializer=tf.zeros_initializer(), trainable=False)
        yield graph


def quiet(options, **more):
    return Builder(options | more).with_empty_output().build()


def test_parameters_of_trainable_variables(graph):
    found = tf.profiler.profile(graph, options=quiet(Builder.trainable_variables_parameter()))
    assert found.total_parameters == 11916  # TensorFlow's
    assert [(c.name, c.total_parameters) for c in found.children] == [("l1", 156), ("l2", 11760)]  # TensorFlow's
    assert [d.size for d in found.children[0].children[1].shapes[0].dim] == [5, 5, 1, 6]
    one = tf.profiler.profile(
        graph, options=quiet(Builder.trainable_variables_parameter(), start_name_regexes=["l2.*"])
    )
    assert one.total_parameters == 11760


def test_float_operations(graph, capsys):
    found = tf.profiler.profile(graph, options=Builder.float_operation())
    assert found.total_float_ops == 2169099  # TensorFlow's
    text = capsys.readouterr().out
    assert "l1/Conv2D (1.88m/1.88m flops)" in text  # TensorFlow's line
    assert "_TFProfRoot (--/2.17m flops)" in text
    types = tf.profiler.profile(graph, cmd="op", options=quiet(Builder.float_operation()))
    assert types.total_float_ops == 2169099
    row = types.children[0]
    assert (row.name, row.float_ops, row.graph_nodes[0].name) == ("Conv2D", 1881600, "l1/Conv2D")


def test_gradients_have_float_operations(graph):
    w = graph.get_tensor_by_name("l2/w:0")
    loss = graph.get_tensor_by_name("l2/loss:0")
    before = tf.profiler.profile(graph, options=quiet(Builder.float_operation())).total_float_ops
    tf.gradients(loss, [w, graph.get_tensor_by_name("l1/w:0")])
    found = tf.profiler.profile(graph, options=quiet(Builder.float_operation()))
    assert found.total_float_ops > 2 * before


def test_time_and_memory_of_a_traced_run(graph, tmp_path):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        metadata = tf.RunMetadata()
        options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
        session.run("l2/loss:0", options=options, run_metadata=metadata)
    found = tf.profiler.profile(graph, run_meta=metadata, options=quiet(Builder.time_and_memory()))
    layers = {c.name: c for c in found.children}
    assert found.total_exec_micros == sum(c.total_exec_micros for c in layers.values()) > 0
    assert {c.name: c.requested_bytes for c in layers["l1"].children}["l1/Conv2D"] == 8 * 28 * 28 * 6 * 4
    path = tmp_path / "timeline.json"
    options = Builder(Builder.time_and_memory()).with_timeline_output(str(path)).build()
    tf.profiler.profile(graph, run_meta=metadata, options=options)
    assert json.loads(path.read_text())["traceEvents"]
    profiler = tf.profiler.Profiler(graph)
    profiler.add_step(1, metadata)
    mean = profiler.profile_operations(quiet(Builder.time_and_memory()))
    assert 0 < mean.total_exec_micros <= found.total_exec_micros


def test_unknown_shapes_count_once_a_run_shows_them():
    with tf.Graph().as_default() as graph, tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 4])
        y = tf.matmul(x, tf.ones([4, 5]))
        options = quiet(Builder.float_operation())
        assert tf.profiler.profile(graph, options=options).total_float_ops == 0
        metadata = tf.RunMetadata()
        session.run(y, {x: [[1.0] * 4] * 3}, options=tf.RunOptions(trace_level=3), run_metadata=metadata)
        assert tf.profiler.profile(graph, metadata, options=options).total_float_ops == 2 * 3 * 4 * 5


def test_names_of_contrib(graph, tmp_path):
    analyzer = tf.contrib.tfprof.model_analyzer
    options = quiet(analyzer.TRAINABLE_VARS_PARAMS_STAT_OPTIONS)
    assert analyzer.print_model_analysis(graph, tfprof_options=options).total_parameters == 11916
    tf.contrib.tfprof.tfprof_logger.write_op_log(graph, str(tmp_path))
    log = tf.profiler.OpLogProto.FromString((tmp_path / "tfprof_log").read_bytes())
    entries = {e.name: e for e in log.log_entries}
    assert list(entries["l1/w"].types) == ["_checkpoint_variables", "_trainable_variables"]
    assert entries["l1/Conv2D"].float_ops == 1881600
    again = tf.profiler.profile(graph, op_log=log, options=quiet(Builder.float_operation()))
    assert again.total_float_ops == 2169099


def test_what_is_not_there_is_said(graph):
    with pytest.raises(ValueError, match="unknown cmd"):
        tf.profiler.profile(graph, cmd="tree")
    with pytest.raises(tf.errors.UnimplementedError, match="code"):
        tf.profiler.profile(graph, cmd="code")


def test_profile_context_traces_the_steps_that_are_told(graph, tmp_path):
    tfprof = tf.contrib.tfprof
    with tf.Session() as session, tfprof.ProfileContext(str(tmp_path), trace_steps=[1], dump_steps=[2]) as context:
        context.add_auto_profiling("scope", quiet(Builder.time_and_memory()), [2])
        session.run(tf.global_variables_initializer())
        for _ in range(3):
            session.run("l2/loss:0")
        with pytest.raises(tf.errors.InternalError, match="Already in context"):
            tfprof.ProfileContext(str(tmp_path)).__enter__()
        found = context.profiler.profile_operations(quiet(Builder.time_and_memory()))
    assert found.total_exec_micros > 0
    assert list(context.get_profiles("scope")) == [2]
    with pytest.raises(ValueError, match="No autoprofiler"):
        context.get_profiles("op")
    written = tf.RunMetadata.FromString((tmp_path / "run_metadata_2").read_bytes())
    assert [p.name for p in tmp_path.iterdir()] == ["run_metadata_2"]
    assert written.step_stats.dev_stats
    with pytest.raises(ValueError, match="directory"):
        tfprof.ProfileContext("")
    with tfprof.ProfileContext("", enabled=False) as idle:
        assert idle.profiler is None
