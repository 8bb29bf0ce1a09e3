"""What `tf.py_func` makes of the results and the errors of Python functions."""

import re

import numpy as np
import pytest

import thalweg as tf


def fails():
    def inner():
        raise ValueError("blah")

    inner()


def test_an_error_shows_where_it_was_raised():
    for types in ([], tf.float32):
        with tf.Graph().as_default(), tf.Session() as session:
            call = tf.py_func(fails, [], types)
            with pytest.raises(tf.errors.InvalidArgumentError) as caught:
                session.run(call)
        assert re.search("^ValueError: blah.*in fails.*in inner.*ValueError: blah", caught.value.message, re.DOTALL)


def test_a_function_without_results_is_an_operation():
    seen = []
    call = tf.py_func(seen.append, [tf.constant(3)], [])
    assert isinstance(call, tf.Operation)
    with tf.Session() as session:
        assert session.run(call) is None
    assert seen == [3]
    assert tf.py_func(seen.append, [tf.constant(3)], [], stateful=False) == []


@pytest.mark.parametrize(
    ("result", "types", "error", "message"),
    [
        (np.array([], [("foo", np.float32)]), [tf.float32], tf.errors.InternalError, "Unsupported numpy data type"),
        ({"foo": 1}, [tf.int64], tf.errors.InternalError, "Unsupported object type dict"),
        ([None, 1.0], [tf.float32] * 2, tf.errors.InternalError, "Unsupported object type NoneType"),
        (object(), tf.string, tf.errors.InternalError, "Unsupported object type object"),
        (None, tf.float32, tf.errors.InvalidArgumentError, "returns 0 values, but expects to see 1"),
        (5, [], tf.errors.InvalidArgumentError, "returns 1 values, but expects to see 0"),
        ([1.0, 2.0], tf.float32, tf.errors.InvalidArgumentError, "returns 2 values, but expects to see 1"),
        (1, [tf.float32], tf.errors.InvalidArgumentError, "int64, but expects float32"),
        (1.5, tf.string, tf.errors.InvalidArgumentError, "float64, but expects string"),
        ("a", tf.float32, tf.errors.InvalidArgumentError, "string, but expects float32"),
    ],
)
def test_results_that_do_not_fit(result, types, error, message):
    call = tf.py_func(lambda: result, [], types)
    with tf.Session() as session, pytest.raises(error, match=message):
        session.run(call)


def test_what_takes_nothing_and_has_no_state_is_found_once():
    numbers = iter(range(5))
    constant = tf.py_func(lambda: next(numbers), [], tf.int64, stateful=False)
    counted = tf.py_func(lambda: next(numbers), [], tf.int64)
    with tf.Session() as session:
        assert [session.run(constant) for _ in range(3)] == [0, 0, 0]
        assert [session.run(counted) for _ in range(2)] == [1, 2]
    with tf.Session() as session:
        assert session.run(constant) == 3
