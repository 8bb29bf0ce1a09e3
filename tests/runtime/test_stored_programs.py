"""Compiled steps on disk: a second session takes them from there and gives what the first one gave."""

import os

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compiler.lower import Executable
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.runtime import stored_programs


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The folder of programs. All sizes of programs are kept."""
    monkeypatch.setattr(stored_programs, "cache_folder", lambda what: tmp_path / what)
    monkeypatch.setenv("THALWEG_STORED_PROGRAMS", "on")
    monkeypatch.setattr(stored_programs, "FEWEST", 1)
    return tmp_path / "programs"


@pytest.fixture
def traces(monkeypatch):
    """A list that gets an entry for each trace."""
    found = []
    trace = Executable._trace

    def counted(self, *args):
        found.append(self)
        return trace(self, *args)

    monkeypatch.setattr(Executable, "_trace", counted)
    return found


def regression(rate=0.1):
    """A training step on `x`, and its loss."""
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(3)
        x = tf.placeholder(tf.float32, [None, 3], "x")
        w = tf.get_variable("w", [3, 2], initializer=tf.ones_initializer())
        h = tf.nn.dropout(tf.tanh(tf.matmul(x, w)), 0.5)
        loss = tf.reduce_mean(tf.square(h - 0.3), name="loss")
        tf.train.AdamOptimizer(rate).minimize(loss, name="train")
        tf.shape(h, name="shape")
    return graph


def trained(graph, steps=3, fetches=("train", "loss:0", "shape:0")):
    """What each step gives, and the weights at the end."""
    with tf.Session(graph=graph) as session, graph.as_default():
        session.run(tf.global_variables_initializer())
        x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
        told = [session.run(list(fetches), {"x:0": x})[1:] for _ in range(steps)]
        return told, session.run("w:0")


def test_a_second_session_traces_nothing_and_gives_the_same_numbers(shelf, traces):
    told, weights = trained(regression())
    assert traces
    assert len(list(shelf.iterdir())) == 1
    del traces[:]
    again, weights_again = trained(regression())
    assert traces == []
    np.testing.assert_array_equal([loss for loss, _ in again], [loss for loss, _ in told])
    np.testing.assert_array_equal(weights_again, weights)
    assert [list(shape) for _, shape in again] == [[4, 2]] * 3


@pytest.mark.parametrize("change", ["constant", "shape", "attr", "name"])
def test_another_graph_is_another_program(shelf, change):
    def value(changed):
        with tf.Graph().as_default(), tf.Session() as session:
            v = tf.get_variable("v", [2, 2], initializer=tf.ones_initializer())
            session.run(tf.global_variables_initializer())
            x = np.arange(6.0 if changed and change == "shape" else 4.0, dtype=np.float32).reshape(-1, 2)
            y = tf.matmul(x, v, transpose_b=changed and change == "attr")
            y += 2.0 if changed and change == "constant" else 1.0
            name = "other" if changed and change == "name" else "same"
            return session.run(tf.assign_add(v, tf.reshape(y[:2], [2, 2]), name=name))

    np.testing.assert_array_equal(value(False), value(False))
    files = len(list(shelf.iterdir()))
    value(True)
    assert len(list(shelf.iterdir())) > files


def test_an_evaluation_is_hasty_at_the_second_start_too(shelf, traces):
    def values():
        with tf.Graph().as_default(), tf.Session() as session:
            x = tf.placeholder(tf.float32, [20_000])
            y = tf.exp(x) / tf.reduce_sum(tf.exp(x))
            told, states = [], []
            for _ in range(5):
                told.append(session.run(y, {x: np.arange(20_000) / 20_000}))
                (cluster,) = session.plan.executables
                states.append(next(e.hasty is not None for e in cluster.values()))
            return np.array(told), states

    told, states = values()
    assert states == [True, True, True, False, False]
    assert sorted(p.name.endswith("-hasty") for p in shelf.iterdir()) == [False, True]
    del traces[:]
    again, states_again = values()
    assert traces == []
    assert states_again == states
    np.testing.assert_array_equal(again, told)


def test_a_check_that_fails_names_its_operation_and_changes_nothing(shelf, traces):
    def run(label):
        with tf.Graph().as_default(), tf.Session() as session:
            v = tf.get_variable("v", initializer=[1.0, 2.0, 3.0])
            i = tf.placeholder(tf.int32, [1])
            train = tf.assign_add(v, tf.reshape(tf.gather(v, i, name="taken"), [1]) * tf.ones([3]))
            session.run(tf.global_variables_initializer())
            session.run(train, {i: [1]})
            if label is not None:
                with pytest.raises(tf.errors.InvalidArgumentError, match="taken"):
                    session.run(train, {i: [label]})
            return session.run(v)

    np.testing.assert_array_equal(run(None), [3.0, 4.0, 5.0])
    del traces[:]
    np.testing.assert_array_equal(run(7), [3.0, 4.0, 5.0])
    assert traces == []


def test_a_loop_says_how_much_room_it_needs(shelf, traces):
    def run(n):
        with tf.Graph().as_default(), tf.Session() as session:
            v = tf.get_variable("v", initializer=1.0)
            most = tf.placeholder(tf.int32, [])
            _, out = tf.while_loop(lambda i, _: i < most, lambda i, x: (i + 1, x * tf.sin(v)), [0, v])
            step = tf.assign_sub(v, 0.1 * tf.gradients(out, v)[0])
            session.run(v.initializer)
            return [session.run(step, {most: k}) for k in n]

    first = run([3, 40])
    del traces[:]
    np.testing.assert_array_equal(run([3, 40]), first)
    assert traces == []


def test_a_file_that_is_damaged_is_made_again(shelf, traces):
    told, _ = trained(regression())
    (path,) = shelf.iterdir()
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], whole[:-9] + b"\0" * 9):
        path.write_bytes(damaged)
        del traces[:]
        again, _ = trained(regression())
        assert traces
        np.testing.assert_array_equal([loss for loss, _ in again], [loss for loss, _ in told])
        assert path.read_bytes() != damaged


def test_what_is_declared_elsewhere_is_not_kept(shelf):
    T = type_attr("T", [tf.float32])

    @op("ThirdOfItsOwn", default_name="third")
    def third(x: T) -> T:
        return x / 3

    with tf.Graph().as_default(), tf.Session() as session:
        assert session.run(third(tf.placeholder_with_default(6.0, []))) == 2
    assert not shelf.exists()


def test_it_can_be_switched_off(shelf, monkeypatch):
    monkeypatch.setenv("THALWEG_STORED_PROGRAMS", "off")
    trained(regression(), steps=1)
    assert not shelf.exists()


def test_few_bytes_are_kept_those_used_last(shelf, monkeypatch):
    sizes = []
    for n in range(1, 5):
        with tf.Graph().as_default(), tf.Session() as session:
            v = tf.get_variable("v", [n], initializer=tf.ones_initializer())
            session.run(v.initializer)
            session.run(tf.assign(v, tf.exp(v)))
        files = {p: p.stat().st_size for p in shelf.iterdir()}
        sizes.append(sum(files.values()))
        for p in files:
            os.utime(p, (0, 0))
        monkeypatch.setattr(stored_programs, "_MOST", 2.5 * sizes[0])
    assert sizes[1] > sizes[0]
    assert sizes[0] < sizes[-1] <= 2.5 * sizes[0]


def test_the_doctor_can_tell_why_none_are_kept(shelf, monkeypatch):
    assert stored_programs.why_not() is None
    monkeypatch.setattr(stored_programs, "_loaded", lambda *given: {}["form"])
    assert "are of another kind (KeyError" in stored_programs.why_not()
    monkeypatch.setenv("THALWEG_STORED_PROGRAMS", "off")
    assert stored_programs.why_not() == "THALWEG_STORED_PROGRAMS is off"
