"""Trainings that are killed, terminated, or handed to another process: they go on with the same numbers."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "programs"))
import training

import thalweg as tf
from thalweg._src.lib import termination

PROGRAM = Path(__file__).parent / "programs" / "training.py"


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return training.train(str(tmp_path_factory.mktemp("unbroken")), 9)


@pytest.fixture
def asked():
    """SIGTERM has come when the test calls this; it is forgotten after the test."""

    def ask():
        termination._State.asked = True

    yield ask
    termination._State.asked = False


def ended(folder, how):
    done = subprocess.run([sys.executable, PROGRAM, folder, "9", how], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout.split("\n")[:-1], done.stderr


def test_killed_training_goes_on_with_the_same_numbers(tmp_path, unbroken):
    code, lines, error = ended(tmp_path, "kill=8")
    assert (code, lines) == (-signal.SIGKILL, []), error
    assert tf.train.latest_checkpoint(tmp_path) == str(tmp_path / "model.ckpt-6")
    assert training.train(str(tmp_path), 9) == unbroken[6:]


def test_sigterm_saves_and_stops(tmp_path, unbroken):
    code, lines, error = ended(tmp_path, "term=5")
    assert (code, lines) == (0, unbroken[:5]), error
    assert tf.train.latest_checkpoint(tmp_path) == str(tmp_path / "model.ckpt-5")
    assert training.train(str(tmp_path), 9) == unbroken[5:]


def counting():
    step = tf.train.get_or_create_global_step()
    return step, tf.assign_add(step, 1)


def test_a_loop_that_does_not_ask_is_ended(tmp_path, asked):
    _, count = counting()

    def loop():
        with tf.train.MonitoredTrainingSession(checkpoint_dir=str(tmp_path), log_step_count_steps=0) as session:
            for i in range(5):
                session.run(count)
                if i == 1:
                    asked()

    with pytest.raises(termination.Terminated) as error:
        loop()
    assert error.value.code == 143
    assert tf.train.latest_checkpoint(tmp_path) == str(tmp_path / "model.ckpt-3")
    with pytest.raises(termination.Terminated):
        tf.train.MonitoredSession()


def test_supervisor_saves_when_it_is_terminated(tmp_path, asked):
    step, count = counting()
    supervisor = tf.train.Supervisor(logdir=str(tmp_path), save_summaries_secs=0, save_model_secs=0, global_step=step)
    with supervisor.managed_session() as session:
        while not supervisor.should_stop():
            if session.run(count) == 4:
                asked()
    assert tf.train.latest_checkpoint(tmp_path) == str(tmp_path / "model.ckpt-4")


def test_the_handler_is_there_while_a_session_is(asked):
    counting()
    before = signal.getsignal(signal.SIGTERM)
    with tf.train.MonitoredSession(), tf.train.SingularMonitoredSession():
        watching = termination._State.watching
        assert watching in (0, 2)  # a test that runs in another thread may set no handlers
        assert (signal.getsignal(signal.SIGTERM) is termination._terminate) == (watching == 2)
    assert signal.getsignal(signal.SIGTERM) is before


def test_random_streams_are_restored(tmp_path):
    """The numbers that come next, whether seeds were given or not, in a new session too; ops that had not run begin anew."""
    seeded, free, late = tf.random_uniform([2], seed=3), tf.random_normal([2]), tf.random_uniform([2], seed=5)
    inside = tf.cond(seeded[0] > -1.0, lambda: tf.random_uniform([2]), lambda: tf.zeros([2]))
    saver = tf.train.Saver([tf.random.make_saveable()])
    with tf.Session() as session:
        session.run([seeded, free, inside])
        path = saver.save(session, str(tmp_path / "model"))
        expected = [session.run([seeded, free, inside, late]) for _ in range(2)]
    with tf.Session() as session:
        session.run(late)
        saver.restore(session, path)
        got = [session.run([seeded, free, inside, late]) for _ in range(2)]
    assert str(got) == str(expected)
