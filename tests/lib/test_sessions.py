"""Monitored sessions, their hooks and creators, supervisors and coordinators."""

import json
import logging
import threading

import numpy as np
import pytest

import thalweg as tf


@pytest.fixture
def counting():
    """(the global step, an operation that counts it)."""
    step = tf.train.get_or_create_global_step()
    return step, tf.assign_add(step, 1)


@pytest.fixture
def logged():
    """The lines that tf.logging has written."""
    lines, logger = [], logging.getLogger("tensorflow")
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(level)


class Told(tf.train.SessionRunHook):
    """Keeps what a hook is told, in order."""

    def __init__(self):
        self.calls = []

    def begin(self):
        self.calls.append(("begin", tf.get_default_graph().finalized))

    def after_create_session(self, session, coord):
        self.calls.append(("created", session.graph.finalized, coord.should_stop()))

    def before_run(self, run_context):
        self.calls.append(("before", run_context.original_args.fetches.name))

    def after_run(self, run_context, run_values):
        self.calls.append(("after", run_values.results))

    def end(self, session):
        self.calls.append(("end",))


def test_hooks_are_told_in_order(counting):
    _, count = counting
    told = Told()
    with tf.train.MonitoredSession(hooks=[told, tf.train.StopAtStepHook(num_steps=2)]) as session:
        while not session.should_stop():
            session.run(count)
        with pytest.raises(RuntimeError, match="Run called even after should_stop requested"):
            session.run(count)
    run = [("before", count.name), ("after", None)]
    assert told.calls == [("begin", False), ("created", True, False), *run, *run, ("end",)]
    assert not tf.get_default_graph().finalized


def test_hooks_do_not_end_what_failed(counting):
    told = Told()
    with pytest.raises(KeyError, match="mine"), tf.train.MonitoredSession(hooks=[told]):
        raise KeyError("mine")
    assert told.calls[-1] != ("end",)


@pytest.mark.parametrize("error", [tf.errors.OutOfRangeError(None, None, "no more"), StopIteration()])
def test_the_end_of_an_input_is_a_way_to_end(counting, error):
    told = Told()
    with tf.train.MonitoredSession(hooks=[told]):
        raise error
    assert told.calls[-1] == ("end",)


class Fails(tf.train.SessionRunHook):
    """Raises `error` before run number `at`, once."""

    def __init__(self, error, at):
        self.error, self.at = error, at

    def before_run(self, run_context):
        self.at -= 1
        if self.at == -1:
            raise self.error


@pytest.mark.parametrize("error", [tf.errors.AbortedError, tf.errors.UnavailableError])
def test_a_lost_session_begins_anew_from_its_checkpoint(counting, tmp_path, error):
    _, count = counting
    told, steps = Told(), []
    hooks = [Fails(error(None, None, "gone"), 5), told]
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=str(tmp_path), hooks=hooks, save_checkpoint_steps=3
    ) as session:
        for _ in range(7):
            steps.append(int(session.run(count)))
    assert steps == [1, 2, 3, 4, 5, 4, 5]  # the checkpoint was of step 3
    assert [c[0] for c in told.calls].count("created") == 2
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-5")


def test_another_error_is_raised(counting):
    _, count = counting
    with tf.train.SingularMonitoredSession(hooks=[Fails(tf.errors.AbortedError(None, None, "gone"), 1)]) as session:
        assert session.run(count) == 1
        with pytest.raises(tf.errors.AbortedError, match="gone"):
            session.run(count)
        assert session.raw_session().run(count) == 2


def test_two_hooks_may_not_feed_the_same(counting):
    x = tf.placeholder(tf.float32, [], name="x")
    y = x * 2.0
    with tf.train.MonitoredSession(hooks=[tf.train.FeedFnHook(lambda: {x: 3.0})]) as session:
        assert session.run(y) == 6.0
        with pytest.raises(RuntimeError, match="fed by a SessionRunHook and user"):
            session.run(y, {x: 1.0})


def test_step_functions(counting):
    step, count = counting
    told = Told()

    def work(step_context):
        step_context.session.run(count)
        if step_context.run_with_hooks(count) >= 4:
            step_context.request_stop()

    with tf.train.MonitoredSession(hooks=[told]) as session:
        while not session.should_stop():
            session.run_step_fn(work)
    assert [c[0] for c in told.calls].count("after") == 2


def test_logging_hooks(counting, logged):
    step, count = counting
    doubled = tf.identity(step * 2, name="doubled")
    hooks = [
        tf.train.LoggingTensorHook(["doubled"], every_n_iter=2),
        tf.train.LoggingTensorHook({"d": doubled}, at_end=True, formatter=lambda values: f"at the end {values['d']}"),
        tf.train.StopAtStepHook(last_step=3),
    ]
    with tf.train.MonitoredSession(hooks=hooks) as session:
        while not session.should_stop():
            session.run(count)
    lines = [line for line in logged if "doubled" in line or "at the end" in line]
    assert [line.split(" (")[0] for line in lines] == ["doubled = 0", "doubled = 4", "at the end 6"]


@pytest.mark.parametrize("fails", [True, False])
def test_nan_stops(counting, fails):
    _, count = counting
    x = tf.placeholder(tf.float32, [])
    with tf.train.MonitoredSession(hooks=[tf.train.NanTensorHook(x * 1.0, fail_on_nan_loss=fails)]) as session:
        session.run(count, {x: 1.0})
        if fails:
            with pytest.raises(tf.train.NanLossDuringTrainingError, match="NaN loss during training"):
                session.run(count, {x: float("nan")})
        else:
            session.run(count, {x: float("nan")})
            assert session.should_stop()


def test_what_training_writes(counting, tmp_path):
    """Checkpoints with listeners, summaries, steps per second, final ops: files and events."""
    step, count = counting
    tf.summary.scalar("twice", step * 2)
    listened = []

    class Listener(tf.train.CheckpointSaverListener):
        def before_save(self, session, global_step_value):
            listened.append(("before", global_step_value))

        def after_save(self, session, global_step_value):
            listened.append(("after", global_step_value))
            return global_step_value >= 4

        def end(self, session, global_step_value):
            listened.append(("end", global_step_value))

    final = tf.train.FinalOpsHook(step * 10)
    saver = tf.train.CheckpointSaverHook(
        str(tmp_path), save_steps=2, scaffold=(s := tf.train.Scaffold()), listeners=[Listener()]
    )
    hooks = [
        saver,
        tf.train.SummarySaverHook(save_steps=2, output_dir=str(tmp_path), scaffold=s),
        tf.train.StepCounterHook(every_n_steps=2, output_dir=str(tmp_path)),
        final,
    ]
    with tf.train.MonitoredSession(tf.train.ChiefSessionCreator(s), hooks) as session:
        while not session.should_stop():
            session.run(count)
    assert final.final_ops_values == 40
    assert listened == [(w, n) for n in (0, 2, 4) for w in ("before", "after")] + [("end", 4)]
    assert sorted(p.name for p in tmp_path.glob("*.index")) == [f"model.ckpt-{n}.index" for n in (0, 2, 4)]
    tf.summary.FileWriterCache.clear()
    (path,) = tmp_path.glob("events*")
    events = list(tf.train.summary_iterator(str(path)))
    values = [(e.step, v.tag, v.simple_value) for e in events for v in e.summary.value]
    assert [v for v in values if v[1] == "twice"] == [(1, "twice", 0.0), (3, "twice", 4.0)]
    assert [v[0] for v in values if v[1] == "global_step/sec"] == [3]
    assert [e.session_log.status for e in events if e.HasField("session_log")].count(tf.SessionLog.CHECKPOINT) == 3


def test_a_profile_of_a_step(counting, tmp_path):
    _, count = counting
    with tf.train.MonitoredSession(hooks=[tf.train.ProfilerHook(save_steps=2, output_dir=str(tmp_path))]) as session:
        for _ in range(4):
            session.run(count)
    assert sorted(p.name for p in tmp_path.glob("timeline*")) == ["timeline-2.json", "timeline-4.json"]
    assert json.loads((tmp_path / "timeline-2.json").read_text())["traceEvents"]
    tf.summary.FileWriterCache.clear()


def test_a_scaffold_says_how_a_session_begins(counting, tmp_path):
    v, x = tf.Variable(1.0, name="v"), tf.placeholder(tf.float32, [])
    local = tf.get_local_variable("local", initializer=5.0)
    feed = {x: 7.0}
    scaffold = tf.train.Scaffold(
        init_op=tf.group(tf.global_variables_initializer(), v.assign(x)),
        init_feed_dict=feed,
        init_fn=lambda scaffold, session: None,
    )
    with tf.train.MonitoredSession(tf.train.ChiefSessionCreator(scaffold)) as session:
        assert session.run([v, local]) == [7.0, 5.0]
    with tf.Graph().as_default():
        tf.Variable(1.0)
        scaffold = tf.train.Scaffold(init_op=tf.no_op())
        with pytest.raises(
            RuntimeError, match="Init operations did not make model ready.*Variables not initialized: Variable"
        ):
            tf.train.MonitoredSession(tf.train.ChiefSessionCreator(scaffold))


def test_session_managers_recover_and_wait(counting, tmp_path):
    step, count = counting
    saver = tf.train.Saver()
    ready = tf.report_uninitialized_variables()
    manager = tf.train.SessionManager(ready_op=ready, recovery_wait_secs=0.01)
    session, restored = manager.recover_session("", saver, str(tmp_path))
    assert not restored
    session.run(step.initializer)
    session.run(count)
    saver.save(session, str(tmp_path / "model"))
    session, restored = manager.recover_session("", saver, str(tmp_path))
    assert (restored, session.run(step)) == (True, 1)
    with pytest.raises(RuntimeError, match="Model is not initialized and no init_op or init_fn"):
        manager.prepare_session("")
    with pytest.raises(tf.errors.DeadlineExceededError, match="Session was not ready after waiting 0.05 secs"):
        manager.wait_for_session("", max_wait_secs=0.05)


def test_supervisors_save_and_stop(counting, tmp_path):
    step, count = counting
    tf.summary.scalar("step", step)
    supervisor = tf.train.Supervisor(logdir=str(tmp_path), save_model_secs=0, save_summaries_secs=0)
    with supervisor.managed_session() as session:
        while not supervisor.should_stop():
            if session.run(count) >= 3:
                supervisor.saver.save(session, supervisor.save_path, global_step=step)
                supervisor.request_stop()
    assert (tmp_path / "graph.pbtxt").exists()
    supervisor = tf.train.Supervisor(logdir=str(tmp_path), save_model_secs=0, save_summaries_secs=0)

    def fails():
        with supervisor.managed_session() as session:
            assert session.run(step) == 3
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fails()


def test_coordinators_raise_what_failed_in_a_thread():
    coordinator = tf.train.Coordinator()
    stopped = []

    def fails():
        with coordinator.stop_on_exception():
            raise ValueError("in a thread")

    def waits():
        stopped.append(coordinator.wait_for_stop(60))

    threads = [threading.Thread(target=f) for f in (fails, waits)]
    for thread in threads:
        thread.start()
    with pytest.raises(ValueError, match="in a thread"):
        coordinator.join(threads)
    assert coordinator.should_stop()
    assert stopped == [True]
    coordinator.clear_stop()
    coordinator.request_stop(tf.errors.OutOfRangeError(None, None, "an input that ends is a clean end"))
    coordinator.join()


@pytest.mark.parametrize(
    "make",
    [
        lambda: tf.train.StopAtStepHook(),
        lambda: tf.train.StopAtStepHook(num_steps=1, last_step=2),
        lambda: tf.train.LoggingTensorHook(["x"], every_n_iter=1, every_n_secs=1),
        lambda: tf.train.LoggingTensorHook(["x"], every_n_iter=0),
        lambda: tf.train.CheckpointSaverHook("x", save_secs=1, save_steps=1),
        lambda: tf.train.SummarySaverHook(save_steps=1, output_dir="x"),
        lambda: tf.train.ProfilerHook(save_steps=1, save_secs=1),
        lambda: tf.train.SessionManager(ready_for_local_init_op=np.zeros(0)),
    ],
)
def test_arguments_that_contradict_each_other(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"[Oo]ne|invalid|both|must also"):
        make()


def test_an_initializer_alone_takes_the_initial_values_of_others():
    """TensorFlow's guard: a reference variable without a value is replaced in what another one begins with."""
    v = tf.Variable([1.0, 2.0], name="v")
    w = tf.Variable(v * 2.0 + 1.0, name="w")
    names = {o.name for o in tf.get_default_graph().get_operations()}
    assert {"v/read_w", "mul_w", "add_w"} <= names
    with tf.Session() as session:
        session.run(w.initializer)
        assert session.run(w).tolist() == [3.0, 5.0]
        session.run(v.initializer)
        session.run(v.assign([5.0, 5.0]))
        session.run(w.initializer)
        assert session.run(w).tolist() == [11.0, 11.0]
