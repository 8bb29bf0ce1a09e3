"""The modules of the tutorials: the reader of the Penn Treebank, the MNIST network."""

import numpy as np
import pytest

import thalweg as tf
from thalweg.examples.models.rnn.ptb import reader
from thalweg.examples.tutorials.mnist import mnist


def test_words_are_numbered_by_frequency_then_alphabet(tmp_path):
    for part, text in (("train", " a b b \n c b a \n"), ("valid", " c zzz \n"), ("test", " b \n")):
        (tmp_path / f"ptb.{part}.txt").write_text(text)
    train, valid, test, size = reader.ptb_raw_data(str(tmp_path))
    # b three times; <eos> and a twice, '<' before 'a'; c once
    assert (train, valid, test, size) == ([2, 0, 0, 1, 3, 0, 2, 1], [3, 1], [0, 1], 4)


def test_the_iterator_and_the_queue_give_the_same_stretches():
    words = list(range(23))
    expected = list(reader.ptb_iterator(words, 2, 3))
    x, y = reader.ptb_producer(words, 2, 3)
    assert x.shape.as_list() == [2, 3]
    with tf.Session() as session:
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        got = [session.run([x, y]) for _ in range(len(expected) + 1)]
        coordinator.request_stop()
        coordinator.join(threads)
    for (a, b), (c, d) in zip(expected + expected[:1], got, strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)
    with pytest.raises(ValueError, match="epoch_size == 0"):
        next(reader.ptb_iterator([1, 2, 3], 2, 3))


def test_the_network_learns_one_batch():
    tf.set_random_seed(1)
    images = tf.placeholder(tf.float32, [4, mnist.IMAGE_PIXELS])
    labels = tf.placeholder(tf.int32, [4])
    logits = mnist.inference(images, 16, 8)
    loss = mnist.loss(logits, labels)
    step = mnist.training(loss, 0.1)
    right = mnist.evaluation(logits, labels)
    assert [v.op.name for v in tf.trainable_variables()][:2] == ["hidden1/weights", "hidden1/biases"]
    feed = {images: np.random.RandomState(0).rand(4, mnist.IMAGE_PIXELS), labels: [1, 2, 3, 4]}
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(60):
            session.run(step, feed)
        assert session.run(right, feed) == 4
