"""Ops tell `inspect` how they are called, as functions do: libraries of the era wrap `tf.nn.relu` by its signature."""

import inspect

import pytest

import thalweg as tf
from thalweg._src.core.opdef import OPS


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (tf.nn.relu, "(features, name=None)"),
        (tf.logical_and, "(x, y, name=None)"),
        (OPS["Cumsum"], "(x, axis, exclusive=False, reverse=False, name=None)"),
        (OPS["ArgMax"], "(input, dimension, output_type=tf.int64, name=None)"),
    ],
)
def test_signature(op, expected):
    assert str(inspect.signature(op)) == expected
    assert inspect.getfullargspec(op).args == list(inspect.signature(op).parameters)


def test_every_op_has_one():
    for op in OPS.values():
        assert "name" in inspect.signature(op).parameters


def test_the_class_is_a_class_still():
    assert "fn" in inspect.signature(type(tf.nn.relu)).parameters
    assert not hasattr(tf.nn.relu, "no_such_fact")
