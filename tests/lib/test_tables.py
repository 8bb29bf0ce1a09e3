"""Tables: what a saver and a checkpoint of objects keep of them, what a dense one exports and refuses."""

import numpy as np
import pytest

import thalweg as tf


def dense(name="t", **kwargs):
    return tf.contrib.lookup.MutableDenseHashTable(
        tf.int64, tf.int64, default_value=-1, empty_key=100, deleted_key=200, name=name, initial_num_buckets=8, **kwargs
    )


def test_a_saver_of_one_table(tmp_path):
    path = str(tmp_path / "table")
    with tf.Graph().as_default(), tf.Session() as session:
        table = dense()
        saver = tf.train.Saver([table])
        session.run(table.insert(tf.constant([11, 12], tf.int64), tf.constant([1, 2], tf.int64)))
        saver.save(session, path)
    assert [name for name, _ in tf.train.list_variables(path)] == ["t-keys", "t-values"]
    with tf.Graph().as_default(), tf.Session() as session:
        table = dense()
        tf.train.Saver([table]).restore(session, path)
        np.testing.assert_array_equal(session.run(table.lookup(tf.constant([12, 11, 5], tf.int64))), [2, 1, -1])


def test_a_checkpoint_of_a_table(tmp_path):
    with tf.Session() as session:
        table = dense()
        session.run(table.insert(tf.constant([11], tf.int64), tf.constant([1], tf.int64)))
        path = tf.train.Checkpoint(table=table).save(str(tmp_path / "c"), session)
        session.run(table.remove(tf.constant([11], tf.int64)))
        tf.train.Checkpoint(table=table).restore(path).run_restore_ops(session)
        np.testing.assert_array_equal(session.run(table.lookup(tf.constant([11], tf.int64))), [1])


def test_a_bucket_keeps_the_value_of_what_was_removed():
    with tf.Session() as session:
        table = dense()
        session.run(table.insert(tf.constant([11, 12], tf.int64), tf.constant([1, 2], tf.int64)))
        session.run(table.remove(tf.constant([12], tf.int64)))
        keys, values = session.run(table.export())
    pairs = sorted(zip(keys.tolist(), values.tolist(), strict=True))
    assert pairs == [(11, 1), *[(100, 0)] * 6, (200, 2)]


def test_a_dense_table_takes_vectors_of_keys():
    with tf.Session() as session:
        table = dense()
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"Expected key shape \[2\]"):
            session.run(table.lookup(tf.constant([[1, 2], [3, 4]], tf.int64)))
