"""Datasets whose elements are recorded under TensorFlow 1.15, walked twice from the start: `walks(tf)` gives them by name.

Runs on Python 3.7 with TensorFlow 1.15 and on today's Python with thalweg.
"""

import numpy as np


def walks(tf):
    data = tf.data.Dataset
    count = data.range
    extra = tf.data.experimental

    def uniform(x):
        return tf.random_uniform([], seed=4)

    return {
        "shuffle": lambda: count(20).shuffle(7, seed=3),
        "shuffle, whole": lambda: count(12).shuffle(100, seed=11),
        "shuffle again each epoch": lambda: count(6).shuffle(4, seed=3).repeat(3),
        "shuffle between map and repeat": lambda: count(6).shuffle(4, seed=3).map(lambda x: x).repeat(3),
        "shuffle once": lambda: count(6).shuffle(4, seed=3, reshuffle_each_iteration=False).repeat(2),
        "shuffle and repeat": lambda: count(5).apply(extra.shuffle_and_repeat(3, 4, seed=8)),
        "shuffles side by side": lambda: data.zip((count(6).shuffle(4, seed=3), count(6).shuffle(4, seed=3)))
        .map(lambda a, b: a * 10 + b).repeat(2),
        "shuffle inside": lambda: count(3).flat_map(lambda i: count(5).shuffle(5, seed=3).repeat(2)),
        "shuffle by tensors": lambda: count(9).shuffle(tf.constant(4, tf.int64), seed=tf.constant(5, tf.int64)),
        "shuffle, take, cache": lambda: count(20).shuffle(7, seed=3).take(5).cache().repeat(2),
        "random": lambda: count(3).map(uniform).repeat(2),
        "random inside": lambda: count(3).flat_map(lambda i: count(3).map(uniform)),
        "two random maps": lambda: count(2).map(uniform).repeat(2).map(lambda x: x + uniform(x)).repeat(2),
        "random interleaved": lambda: count(4).interleave(lambda i: count(3).map(uniform), 2),
        "random numbers": lambda: extra.RandomDataset(seed=7).take(5),
        "sample": lambda: extra.sample_from_datasets(
            [count(9), count(100, 109), count(200, 209)], [0.5, 0.3, 0.2], seed=3),
        "sample evenly": lambda: extra.sample_from_datasets([count(5), count(100, 105)], seed=9),
        "resample": lambda: data.from_tensor_slices(np.arange(60) % 3).apply(extra.rejection_resample(
            lambda x: tf.cast(x, tf.int32), [0.5, 0.3, 0.2], [0.4, 0.3, 0.3], seed=3)).map(lambda c, x: x),
        "interleave": lambda: count(5).interleave(
            lambda x: data.from_tensors(x).repeat(x), cycle_length=3, block_length=2),
        "parallel interleave": lambda: count(6).apply(extra.parallel_interleave(
            lambda x: data.from_tensors(x).repeat(x), cycle_length=3, block_length=2)),
        "window": lambda: count(9).window(4, shift=3, stride=2).flat_map(lambda w: w.batch(4)),
        "window, full": lambda: count(9).window(4, shift=3, drop_remainder=True).flat_map(lambda w: w.batch(4)),
        "groups": lambda: count(11).apply(extra.group_by_window(lambda x: x % 3, lambda k, w: w.batch(2), 2)),
        "buckets": lambda: count(1, 12).map(lambda n: tf.fill([n % 5 + 1], n)).apply(
            extra.bucket_by_sequence_length(lambda x: tf.shape(x)[0], [3, 5], [2, 3, 2])),
        "reducers": lambda: count(11).apply(extra.group_by_reducer(lambda x: x % 3, extra.Reducer(
            lambda k: k, lambda s, x: s * 2 + x, lambda s: s))),
        "scan": lambda: count(6).apply(extra.scan(np.int64(1), lambda s, x: (s + x, s * x))),
        "take while": lambda: count(9).apply(extra.take_while(lambda x: x < 4)),
        "unique": lambda: data.from_tensor_slices([3, 1, 3, 2, 1]).apply(extra.unique()),
        "counter": lambda: extra.Counter(4, 3).take(3),
        "choose": lambda: extra.choose_from_datasets([count(4), count(10, 12)], data.from_tensor_slices(
            np.array([1, 0, 1, 1, 0, 0]))),
        "unbatch": lambda: data.from_tensor_slices(np.arange(12).reshape(3, 4)).unbatch(),
        "sparse": lambda: data.from_tensor_slices(tf.SparseTensor([[0, 0], [1, 2]], [1.0, 2.0], [2, 3])).batch(2).map(
            tf.sparse_tensor_to_dense),
        "padded": lambda: count(1, 6).map(lambda n: tf.fill([n], n)).padded_batch(2, [None], np.int64(-1)),
        "enumerate": lambda: count(5, 8).enumerate(2).map(lambda i, x: i * 100 + x),
        "cond": lambda: count(5).map(lambda x: tf.cond(tf.equal(x % 2, 0), lambda: x * 10, lambda: -x)),
        "while": lambda: count(5).map(lambda x: tf.while_loop(lambda i, s: i < x, lambda i, s: (i + 1, s + i),
                                                              (tf.constant(0, tf.int64), x))[1]),
        "numeric": lambda: data.from_tensor_slices(np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)).map(
            lambda x: tf.nn.softmax(tf.tanh(x) * 3) + tf.reduce_max(x, keepdims=True)),
        "picture": lambda: data.from_tensors(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).map(
            lambda x: tf.image.flip_left_right(tf.image.resize_images(x, [3, 5])) / 255.0),
    }  # fmt: skip


def walked(tf, make, most=40):
    """The elements of two walks as lists, from a graph and a session of their own."""
    out = []
    with tf.Graph().as_default():
        iterator = tf.data.make_initializable_iterator(make())
        following = iterator.get_next()
        with tf.Session() as session:
            for _ in range(2):
                session.run(iterator.initializer)
                elements = []
                try:
                    while len(elements) < most:
                        elements.append(np.asarray(session.run(following)).tolist())
                except tf.errors.OutOfRangeError:
                    elements.append("end")
                out.append(elements)
    return out
