"""What is a structure, and what a leaf."""

import collections

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.core import nest

Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("structure", "leaves"),
    [
        ({"b": 1, "a": (2, [3])}, [2, 3, 1]),
        (Point(1, {"z": 2}), [1, 2]),
        ({"a": 1, "b": 2}.values(), [1, 2]),
        (collections.deque([1, (2,)]), [1, 2]),
        (range(3), [0, 1, 2]),
        ("text", ["text"]),
        (b"bytes", [b"bytes"]),
        (None, [None]),
    ],
)
def test_flatten_and_pack(structure, leaves):
    assert nest.flatten(structure) == leaves
    assert nest.flatten(nest.pack(structure, leaves)) == leaves


def test_arrays_shapes_and_tensors_are_leaves():
    for leaf in (np.arange(3), tf.TensorShape([1, 2]), tf.constant([1, 2]), {1, 2}):
        assert not nest.is_nested(leaf)


def test_the_values_of_a_dict_are_variables_to_train():
    weights = {"w": tf.Variable(1.0), "b": tf.Variable(2.0)}
    loss = weights["w"] * 2 + weights["b"]
    step = tf.train.GradientDescentOptimizer(1.0).minimize(loss, var_list=weights.values())
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        assert session.run(weights) == {"w": -1.0, "b": 1.0}
