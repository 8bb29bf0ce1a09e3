"""The elements of datasets, in order, random numbers included, against those of TensorFlow 1.15."""

import contextlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.data_walks import walked, walks

import thalweg as tf

RECORDED = json.loads((Path(__file__).parents[1] / "golden" / "data-walks.json").read_text())


@pytest.mark.parametrize("name", sorted(walks(tf)))
def test_elements_are_tensorflows(name):
    got = walked(tf, walks(tf)[name])
    for mine, theirs in zip(got, RECORDED[name], strict=True):
        assert len(mine) == len(theirs), (mine, theirs)
        for a, b in zip(mine, theirs, strict=True):
            if isinstance(b, str):
                assert a == b
            else:
                np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-7)


ORDERS = {
    "as they come": lambda d: d,
    "shuffled": lambda d: d.shuffle(7, seed=3),
    "shuffled in each epoch": lambda d: d.shuffle(50, seed=3).repeat(3),
    "shuffled over epochs": lambda d: d.apply(tf.data.experimental.shuffle_and_repeat(9, 3, seed=3)),
    "repeated and shuffled": lambda d: d.repeat(3).shuffle(25, seed=3),
    "nothing": lambda d: d.repeat(0).shuffle(25, seed=3),
}


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("order", ORDERS)
def test_batches_of_rows_by_number_are_those_of_elements(order, full):
    """Rows of arrays go to batches by their numbers; behind a map they are elements, in the same order."""
    rows = np.arange(20 * 3, dtype=np.float32).reshape(20, 3), np.arange(20, dtype=np.int64)

    def batches(between):
        with tf.Graph().as_default(), tf.Session() as sess:
            tf.set_random_seed(1)
            ordered = ORDERS[order](tf.data.Dataset.from_tensor_slices(rows))
            following = tf.data.make_one_shot_iterator(between(ordered).batch(8, full)).get_next()
            out = []
            with contextlib.suppress(tf.errors.OutOfRangeError):
                while True:
                    out.append(sess.run(following))
            return out

    by_number, by_element = batches(lambda d: d), batches(lambda d: d.map(lambda x, y: (x, y)))
    assert [len(y) for _, y in by_number] == [len(y) for _, y in by_element]
    for one, other in zip(by_number, by_element, strict=True):
        for a, b in zip(one, other, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@given(st.integers(1, 40), st.integers(1, 45), st.sampled_from([1, 3, None]), st.integers(1, 17), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_a_batch_of_shuffled_elements_holds_what_one_by_one_would_come(count, room, times, batch, seed):
    def taken(dataset, most):
        with tf.Session() as sess:
            element, out = tf.data.make_one_shot_iterator(dataset).get_next(), []
            with contextlib.suppress(tf.errors.OutOfRangeError):
                while len(out) < most:
                    out += np.atleast_1d(sess.run(element)).tolist()
            return out[:most]

    with tf.Graph().as_default():
        for together in (False, True):
            dataset = tf.data.Dataset.range(count)
            if together:
                dataset = dataset.apply(tf.data.experimental.shuffle_and_repeat(room, times, seed=seed))
            else:
                dataset = dataset.shuffle(room, seed=seed).repeat(times)
            assert taken(dataset.batch(batch), 130) == taken(dataset, 130)
