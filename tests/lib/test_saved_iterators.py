"""Iterators in checkpoints: the dataset goes along, so that a session that never initialized them goes on."""

import numpy as np
import pytest

import thalweg as tf


def saveable(iterator):
    tf.add_to_collection(tf.GraphKeys.SAVEABLE_OBJECTS, tf.data.experimental.make_saveable_from_iterator(iterator))
    return tf.train.Saver(allow_empty=True)


def left_after(session, fetch, count=0):
    for _ in range(count):
        session.run(fetch)
    out = []
    while True:
        try:
            out.append(session.run(fetch).tolist())
        except tf.errors.OutOfRangeError:
            return out


def pipeline():
    chosen = tf.data.Dataset.from_tensor_slices(np.arange(20)).map(lambda x: tf.cond(x > 3, lambda: x * 2, lambda: x))
    return chosen.shuffle(5).interleave(lambda x: tf.data.Dataset.from_tensors(x).repeat(2), 2).batch(3)


@pytest.fixture
def saved(tmp_path):
    """(the checkpoint of an iterator that has given three batches, the batches that were left)."""
    with tf.Graph().as_default():
        iterator = pipeline().make_initializable_iterator()
        following = iterator.get_next()
        tf.add_to_collection("following", following)
        saver = saveable(iterator)
        with tf.Session() as session:
            session.run(iterator.initializer)
            for _ in range(3):
                session.run(following)
            path = saver.save(session, str(tmp_path / "state"))
            return path, left_after(session, following)


def test_an_imported_graph_goes_on_without_initialization(saved):
    path, left = saved
    with tf.Graph().as_default(), tf.Session() as session:
        saver = tf.train.import_meta_graph(path + ".meta")
        saver.restore(session, path)
        assert left_after(session, tf.get_collection("following")[0]) == left


def test_a_graph_without_the_dataset_goes_on_and_can_be_saved_again(saved, tmp_path):
    path, left = saved
    for name in ("again", "once more"):
        with tf.Graph().as_default(), tf.Session() as session:
            iterator = tf.data.Iterator.from_structure(tf.int64, [None])
            following, saver = iterator.get_next(), saveable(iterator)
            saver.restore(session, path)
            session.run(following)
            path = saver.save(session, str(tmp_path / name))
            assert left_after(session, following) == left[1:]
            left = left[1:]


def test_a_dataset_that_was_fed_is_not_in_the_checkpoint(tmp_path):
    def build():
        count = tf.placeholder(tf.int64, [])
        iterator = tf.data.Dataset.range(count).make_initializable_iterator()
        return count, iterator, iterator.get_next(), saveable(iterator)

    with tf.Graph().as_default(), tf.Session() as session:
        count, iterator, following, saver = build()
        session.run(iterator.initializer, {count: 5})
        session.run([following])
        path = saver.save(session, str(tmp_path / "state"))
    with tf.Graph().as_default(), tf.Session() as session:
        count, iterator, following, saver = build()
        with pytest.raises(tf.errors.FailedPreconditionError, match="not been initialized"):
            saver.restore(session, path)
        session.run(iterator.initializer, {count: 5})
        saver.restore(session, path)
        assert left_after(session, following) == [1, 2, 3, 4]


def draws(x):
    return x + tf.random_uniform([], 0, 10, tf.int64)


def counts(x):
    return tf.get_variable("count", [], tf.int64, use_resource=True).assign_add(x)


ACTING = {
    "random": lambda numbers: numbers.map(draws),
    "changes a variable": lambda numbers: numbers.map(counts),
    "in a function of a function": lambda numbers: numbers.flat_map(
        lambda x: tf.data.Dataset.from_tensors(x).map(draws)
    ),
}


@pytest.mark.parametrize("kind", ACTING)
def test_what_could_not_be_made_again_is_not_saved(kind, tmp_path):
    dataset = ACTING[kind](tf.data.Dataset.range(10))
    iterator = dataset.make_initializable_iterator()
    iterator.get_next()
    saver = saveable(iterator)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(iterator.initializer)
        with pytest.raises(tf.errors.FailedPreconditionError, match="is stateful"):
            saver.save(session, str(tmp_path / "state"))


def test_csv_files_with_comments(tmp_path):
    """An argument of TensorFlow 1.8."""
    name = tmp_path / "numbers.csv"
    name.write_text("a,b\n# of apples, and pears\n1,2.5\n#\n3,4.5\n")
    how = {"num_epochs": 1, "shuffle": False, "comment": "#"}
    batches = [
        tf.contrib.data.make_csv_dataset(str(name), 2, default_float_type=tf.float64, **how),
        tf.contrib.data.make_csv_dataset(str(name), 2, column_defaults=[tf.constant([], tf.int32), tf.float64], **how),
    ]
    with tf.Session() as session:
        for dataset in batches:
            found = session.run(dataset.make_one_shot_iterator().get_next())
            assert {k: (v.dtype, v.tolist()) for k, v in found.items()} == {
                "a": (np.int32, [1, 3]),
                "b": (np.float64, [2.5, 4.5]),
            }
    with pytest.raises(ValueError, match="single-character"):
        tf.contrib.data.make_csv_dataset(str(name), 2, comment="//")
