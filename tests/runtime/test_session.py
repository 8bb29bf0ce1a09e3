"""Session.run: fetch structures, feeds, errors, threads, several graphs and sessions."""

import collections
import threading

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.formats import protos

Pair = collections.namedtuple("Pair", ["first", "second"])


def test_fetches_of_every_structure():
    a, b = tf.constant(1.0, name="a"), tf.constant([2, 3], name="b")
    op = tf.no_op()
    with tf.Session() as sess:
        assert sess.run(a) == 1.0
        assert sess.run("a:0") == 1.0
        assert sess.run([]) == []
        assert sess.run(op) is None
        out = sess.run({"x": a, "y": [b, (a, op)], "z": Pair(a, "b:0")})
    assert out["x"] == 1.0
    assert out["y"][1] == (1.0, None)
    assert isinstance(out["z"], Pair)
    np.testing.assert_array_equal(out["z"].second, [2, 3])


def test_results_are_the_callers_own():
    v = tf.Variable(np.zeros(4, np.float32))
    step = tf.assign_add(v, np.ones(4, np.float32))
    with tf.Session() as sess:
        sess.run(v.initializer)
        first = sess.run(v)
        first[0] = 7.0
        sess.run(step)
        np.testing.assert_array_equal(first, [7, 0, 0, 0])
        np.testing.assert_array_equal(sess.run(v), np.ones(4))


def test_types_of_results():
    with tf.Session() as sess:
        assert isinstance(sess.run(tf.constant(1.5)), np.float32)
        assert sess.run(tf.constant(1.5, tf.float64)).dtype == np.float64
        assert sess.run(tf.constant(2**40)).dtype == np.int64
        assert sess.run(tf.constant("text")) == b"text"
        assert sess.run(tf.constant(["a", "b"])).dtype == object


def test_any_tensor_can_be_fed():
    a = tf.constant(1.0)
    b = a + 1.0
    c = b * 10.0
    with tf.Session() as sess:
        assert sess.run(c) == 20.0
        assert sess.run(c, {b: 5.0}) == 50.0
        assert sess.run(c, {a: 3.0}) == 40.0
        assert sess.run(c, {"Const:0": 3.0}) == 40.0


def test_a_fed_int_can_be_a_shape():
    n = tf.placeholder(tf.int32, [])
    x = tf.zeros(tf.stack([n, 2]))
    with tf.Session() as sess:
        assert sess.run(x, {n: 3}).shape == (3, 2)
        assert sess.run(x, {n: 5}).shape == (5, 2)


def test_a_shape_that_the_graph_computes():
    x = tf.placeholder(tf.float32, [None])
    count = tf.cast(tf.reduce_sum(x), tf.int32)
    y = tf.fill([count], 2.0)
    with tf.Session() as sess:
        assert sess.run(y, {x: [1, 2]}).shape == (3,)
        assert sess.run(y, {x: [1, 1, 2]}).shape == (4,)


# -- errors


def test_missing_feed_names_everything():
    x = tf.placeholder(tf.float32, [None, 2], name="pixels")
    y = tf.reduce_sum(x, name="total")
    with tf.Session() as sess, pytest.raises(tf.errors.InvalidArgumentError) as info:
        sess.run(y)
    text = str(info.value)
    assert "You must feed a value for placeholder tensor 'pixels' with dtype float and shape [?,2]" in text
    assert "total" in text
    assert "feed_dict" in text
    assert "test_session.py" in text
    assert info.value.op is x.op
    assert info.value.error_code == tf.errors.INVALID_ARGUMENT


def test_uninitialized_variable():
    v = tf.Variable(1.0, name="w")
    with tf.Session() as sess, pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value w") as info:
        sess.run(v + 1.0)
    assert "global_variables_initializer" in str(info.value)


def test_wrong_feeds():
    x = tf.placeholder(tf.float32, [2])
    other = tf.Graph()
    with other.as_default():
        foreign = tf.placeholder(tf.float32)
    with tf.Session() as sess:
        with pytest.raises(ValueError, match=r"Cannot feed value of shape \(3,\) for Tensor 'Placeholder:0'"):
            sess.run(x, {x: [1, 2, 3]})
        with pytest.raises(TypeError, match="cannot be a tf.Tensor"):
            sess.run(x, {x: tf.constant([1.0, 2.0])})
        with pytest.raises(TypeError, match="Cannot interpret feed_dict key"):
            sess.run(x, {foreign: 1.0})
        with pytest.raises(TypeError, match="Cannot interpret feed_dict key"):
            sess.run(x, {"nothing:0": 1.0})
        with pytest.raises(ValueError, match="could not convert string"):
            sess.run(x, {x: ["a", "b"]})
        with pytest.raises(TypeError, match="feed_dict"):
            sess.run(x, [1, 2])


def test_an_empty_array_stands_for_words_that_are_not_there():
    x = tf.placeholder(tf.string, [None, 1])
    with tf.Session() as sess:
        rows, joined = sess.run([tf.shape(x), tf.string_join([x, "!"])], {x: np.expand_dims(np.array([]), 1)})
        assert rows.tolist() == [0, 1]
        assert joined.shape == (0, 1)
        with pytest.raises(TypeError, match="Expected string"):
            sess.run(x, {x: np.zeros([1, 1])})


def test_wrong_fetches():
    with tf.Graph().as_default():
        foreign = tf.constant(1.0)
    tf.constant(1.0)
    with tf.Session() as sess:
        with pytest.raises(ValueError, match="is not an element of this graph"):
            sess.run(foreign)
        with pytest.raises(TypeError, match="has invalid type"):
            sess.run(None)
        with pytest.raises(ValueError, match="does not exist"):
            sess.run("nothing:0")
        with pytest.raises(TypeError, match="has invalid type"):
            sess.run(3.0)


def test_empty_graph_and_closed_session():
    with tf.Graph().as_default():
        sess = tf.Session()
        with pytest.raises(RuntimeError, match="The Session graph is empty"):
            sess.run([])
        c = tf.constant(1.0)
        sess.close()
        with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
            sess.run(c)


def test_eval_needs_a_session_of_the_graph():
    c = tf.constant(1.0)
    with pytest.raises(ValueError, match="No default session is registered"):
        c.eval()
    with tf.Graph().as_default():
        tf.constant(2.0)
        with tf.Session(), pytest.raises(ValueError, match="graph is different"):
            c.eval()


def test_a_failed_step_leaves_variables_as_they_were():
    v = tf.Variable(1.0)
    rows = tf.Variable(np.zeros((3, 2), np.float32))
    i = tf.placeholder(tf.int32, [None])
    first = tf.assign_add(v, 1.0)
    with tf.control_dependencies([first]):
        second = tf.scatter_add(rows, i, tf.ones([tf.size(i), 2]))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(second, {i: [0]})
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices\[1\] = 9 is not in \[0, 3\)") as info:
            sess.run(second, {i: [0, 9]})
        assert info.value.op.type == "ScatterAdd"
        assert sess.run(v) == 2.0
        np.testing.assert_array_equal(sess.run(rows), [[1, 1], [0, 0], [0, 0]])
        sess.run(second, {i: [2]})
        assert sess.run(v) == 3.0


# -- several at once


def test_sessions_do_not_share_variables():
    v = tf.Variable(1.0)
    step = v.assign_add(1.0)
    with tf.Session() as a, tf.Session() as b:
        a.run(v.initializer)
        b.run(v.initializer)
        a.run(step)
        assert a.run(v) == 2.0
        assert b.run(v) == 1.0


def test_threads_on_one_session():
    v = tf.Variable(0.0)
    step = v.assign_add(1.0).op
    with tf.Session() as sess:
        sess.run(v.initializer)
        threads = [threading.Thread(target=lambda: [sess.run(step) for _ in range(50)]) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sess.run(v) == 200.0


def test_interactive_session_is_the_default_one():
    c = tf.constant(3.0)
    sess = tf.InteractiveSession()
    assert c.eval() == 3.0
    sess.close()
    with pytest.raises(ValueError, match="No default session"):
        c.eval()


def test_make_callable():
    x = tf.placeholder(tf.float32, [])
    f = tf.Session().make_callable([x * 2.0, x + 1.0], [x])
    assert f(3.0) == [6.0, 4.0]
    with pytest.raises(TypeError, match="takes 1 values"):
        f()


def test_partial_run():
    a, b, c = (tf.placeholder(tf.float32, []) for _ in range(3))
    r1 = a + b
    r2 = r1 * c
    with tf.Session() as sess:
        handle = sess.partial_run_setup([r1, r2], [a, b, c])
        assert sess.partial_run(handle, r1, {a: 1.0, b: 2.0}) == 3.0
        assert sess.partial_run(handle, r2, {c: 17.0}) == 51.0


def test_the_plan_prints_itself_and_shows_its_program():
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.reduce_sum(x * 2.0, name="y")
    with tf.Session() as sess:
        sess.run(y, {x: [1, 2]})
        assert "y = Sum(" in str(sess.plan)
        assert "stablehlo" in sess.hlo(y, {x: [1, 2]})[0]


def test_graphs_grow_between_runs():
    a = tf.constant(1.0)
    with tf.Session() as sess:
        assert sess.run(a) == 1.0
        b = a + 1.0
        assert sess.run(b) == 2.0


def test_debug_ops_and_nan(monkeypatch):
    x = tf.placeholder(tf.float32, [])
    y = tf.log(x, name="logarithm")
    z = y * 2.0
    monkeypatch.setenv("THALWEG_DEBUG", "ops")
    with tf.Session() as sess:
        assert sess.run(z, {x: 1.0}) == 0.0
    monkeypatch.setenv("THALWEG_DEBUG", "nan")
    with (
        tf.Session() as sess,
        pytest.raises(tf.errors.InvalidArgumentError, match="logarithm:0 has 1 values that are not finite"),
    ):
        sess.run(z, {x: 0.0})


def test_callable_of_a_proto():
    x = tf.placeholder(tf.float32, name="x")
    y = tf.add(x, 1.0, name="y")
    options = protos.CallableOptions(feed=[x.name], fetch=[y.name], target=[y.op.name])
    with tf.Session() as session:
        assert session._make_callable_from_options(options)(np.float32(1)) == [2.0]


def test_sparse_tensors_print_as_tensorflow_does(capfd):
    sparse = tf.SparseTensor([[0, 0], [2, 1]], [3, 4], [5, 6])
    with tf.Session() as session:
        session.run(tf.print(sparse))
    assert capfd.readouterr().err == "'SparseTensor(indices=[[0 0]\n [2 1]], values=[3 4], shape=[5 6])'\n"


def test_the_value_of_an_assignment_enters_a_branch():
    v = tf.Variable([10, 10, 10], dtype=tf.int64, trainable=False)
    seen = tf.cast(tf.identity(v.assign_add([1, 2, 3])), tf.float32)
    out = tf.cond(tf.reduce_sum(seen) < 0.5, lambda: seen, lambda: 2 * seen)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(out).tolist() == [22, 24, 26]


@pytest.mark.parametrize("rows", [3, 4000])
@pytest.mark.parametrize("dtype", ["bool", "float32"])
def test_shapes_that_do_not_fit_are_named_as_tensorflow_names_them(rows, dtype):
    with tf.Graph().as_default(), tf.Session() as session:
        a, b = tf.placeholder(dtype, None), tf.placeholder(dtype, None)
        both = tf.logical_and(a, b) if dtype == "bool" else a + b
        feeds = {a: np.ones(rows, dtype), b: np.ones((2, rows - 1), dtype)}
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=rf"Incompatible shapes: \[{rows}\] vs\. \[2,{rows - 1}\]"
        ):
            session.run(both, feeds)


def test_a_variable_without_elements_needs_no_initializer():
    words = tf.Variable([], dtype=tf.string, collections=[])
    grown = tf.assign(words, tf.concat([words, ["a"]], 0), validate_shape=False)
    ready = tf.is_variable_initialized(tf.Variable(tf.zeros([0, 3])))
    with tf.Session() as sess:
        assert sess.run(words).shape == (0,)
        assert sess.run(grown).tolist() == [b"a"]
        assert sess.run(words).tolist() == [b"a"]
        assert sess.run(ready)
        with pytest.raises(tf.errors.FailedPreconditionError):
            sess.run(tf.Variable([1.0]))


@pytest.mark.parametrize("trains", [False, True])
def test_condition_tells_why_what_it_guards_can_not_be_traced(trains):
    x, v = tf.placeholder(tf.int32, []), tf.Variable(1.0)
    with tf.control_dependencies([tf.Assert(tf.greater(x, 0), ["x must be positive"])]):
        y = tf.reduce_sum(tf.slice(tf.ones([4, 4]), [0, tf.constant(-1)], [2, 2]))
    y = v.assign_add(y) if trains else y
    with tf.Session() as s:
        s.run(v.initializer)
        for _ in range(2):
            with pytest.raises(tf.errors.InvalidArgumentError, match="x must be positive"):
                s.run(y, {x: -1})
        with pytest.raises(tf.errors.InvalidArgumentError, match="Expected begin"):
            s.run(y, {x: 1})
        assert s.run(v) == 1.0
