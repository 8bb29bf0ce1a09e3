"""The workloads as TensorFlow 1 programs: one text, run by TensorFlow 1.15, TensorFlow 2.21 (compat.v1) and thalweg."""

import gc
import os
import shutil
import tempfile
import weakref

from benchmarks.workloads import texts


def programs(tf):
    """name -> function of a workload that returns its step."""

    def fresh():
        tf.reset_default_graph()
        tf.set_random_seed(1)

    def session():
        s = tf.Session()
        s.run(tf.global_variables_initializer())
        return s

    def placeholders(workload, *dtypes):
        return [tf.placeholder(d, (None,) + shape[1:]) for d, (shape, _) in zip(dtypes, workload.feeds)]

    def weights(*shape):
        return tf.Variable(tf.truncated_normal(shape, stddev=0.1))

    def biases(size):
        return tf.Variable(tf.constant(0.1, shape=[size]))

    def loss_of(logits, labels):
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits))

    def training(loss, *feeds, rate=1e-3):
        train = tf.train.AdamOptimizer(rate).minimize(loss)
        s = session()
        return lambda *arrays: float(s.run([train, loss], dict(zip(feeds, arrays)))[1])

    def add(workload):
        fresh()
        a, b = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
        c, s = tf.add(a, b), tf.Session()
        return lambda x, y: float(s.run(c, {a: x, b: y}))

    def dense(workload):
        fresh()
        x, labels = placeholders(workload, tf.float32, tf.float32)
        h, sizes = x, workload.size["sizes"]
        for m, n in zip(sizes[:-1], sizes[1:-1]):
            h = tf.nn.relu(tf.matmul(h, weights(m, n)) + biases(n))
        logits = tf.matmul(h, weights(*sizes[-2:])) + biases(sizes[-1])
        return training(loss_of(logits, labels), x, labels)

    def digits(workload):
        fresh()
        x, labels = placeholders(workload, tf.float32, tf.float32)
        h = x
        for channels, filters in ((1, 32), (32, 64)):
            h = tf.nn.conv2d(h, weights(5, 5, channels, filters), strides=[1, 1, 1, 1], padding="SAME")
            h = tf.nn.relu(h + biases(filters))
            h = tf.nn.max_pool(h, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
        h = tf.reshape(h, [-1, 7 * 7 * 64])
        h = tf.nn.relu(tf.matmul(h, weights(7 * 7 * 64, 1024)) + biases(1024))
        logits = tf.matmul(h, weights(1024, 10)) + biases(10)
        return training(loss_of(logits, labels), x, labels)

    def recurrent(workload):
        fresh()
        size = {"cell": "LSTM", "layers": 1, **workload.size}
        kind = {"LSTM": tf.nn.rnn_cell.BasicLSTMCell, "GRU": tf.nn.rnn_cell.GRUCell}[size["cell"]]
        text, following = [tf.placeholder(tf.int32, [None, None]) for _ in range(2)]
        cells = [kind(size["units"]) for _ in range(size["layers"])]
        x = tf.nn.embedding_lookup(weights(size["vocabulary"], size["units"]), text)
        cell = tf.nn.rnn_cell.MultiRNNCell(cells)
        if "turns" in size:
            h = tf.stack(tf.nn.static_rnn(cell, tf.unstack(x, size["turns"], 1), dtype=tf.float32)[0], 1)
        else:
            h, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
        h = tf.reshape(h, [-1, size["units"]])
        logits = tf.matmul(h, weights(size["units"], size["vocabulary"])) + biases(size["vocabulary"])
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(following, [-1]), logits=logits)
        )
        variables = tf.trainable_variables()
        gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 5.0)
        train = tf.train.AdamOptimizer(2e-3).apply_gradients(zip(gradients, variables))
        s = session()
        return lambda x, y: float(s.run([train, loss], {text: x, following: y})[1])

    def many_lengths(workload):
        step, batches = recurrent(workload), texts(workload.size)
        return lambda: [step(*batch) for batch in batches][-1]

    def dropout_mask(workload):
        fresh()
        kept = tf.nn.dropout(tf.Variable(tf.ones([workload.size["count"]])), 0.5)
        kept_as, s = tf.Variable(tf.zeros([workload.size["count"]])), session()
        draw = kept_as.assign(kept).op  # into memory, not only into a sum
        return lambda: s.run(draw) or 0.0

    def initial_weight(workload):
        fresh()
        w, s = weights(workload.size["count"]), tf.Session()
        return lambda: s.run(w.initializer) or 0.0

    def convolutions(workload):
        fresh()
        (x,) = placeholders(workload, tf.float32)
        channels, filters = workload.size["channels"], workload.size["filters"]
        h = tf.nn.relu(tf.nn.conv2d(x, weights(3, 3, channels, filters), strides=[1, 1, 1, 1], padding="SAME"))
        h = tf.nn.conv2d(h, weights(3, 3, filters, filters), strides=[1, 1, 1, 1], padding="SAME")
        loss = tf.reduce_mean(tf.square(h))
        if not workload.size["train"]:
            s = session()
            return lambda x_: float(s.run(loss, {x: x_}))
        train = tf.train.GradientDescentOptimizer(1e-3).minimize(loss)
        s = session()
        return lambda x_: float(s.run([train, loss], {x: x_})[1])

    def build(workload):
        def step():
            graph = tf.Graph()
            with graph.as_default():
                towers(tf, workload.size["blocks"])
            nodes = len(graph.get_operations())
            del graph
            gc.collect()  # dropping a graph costs time too, and the next one must not pay for it
            return nodes

        return step

    def checkpoint(workload):
        fresh()
        rows = workload.size["rows"]
        variables = [
            tf.get_variable(f"v{i}", initializer=tf.random_uniform([rows, rows]))
            for i in range(workload.size["variables"])
        ]
        saver, s = tf.train.Saver(max_to_keep=1), tf.Session()
        for v in variables:  # one at a time: the peak of memory is to be that of saving
            s.run(v.initializer)
        folder = tempfile.mkdtemp(prefix="checkpoints")
        weakref.finalize(s, shutil.rmtree, folder)
        path = saver.save(s, os.path.join(folder, "model"), write_meta_graph=False)

        def save():
            saver.save(s, path, write_meta_graph=False)
            return 0.0

        def restore():
            saver.restore(s, path)
            return 0.0

        return save if workload.name == "save" else restore

    def matmul(workload):
        fresh()
        a, b = [tf.Variable(tf.random_normal(shape)) for shape, _ in workload.feeds]
        c, s = tf.matmul(a, b), session()
        return lambda x, y: float(s.run(c)[0, 0])

    return {
        "add": add,
        "softmax": dense,
        "mlp": dense,
        "digits": digits,
        "lstm": recurrent,
        "gru": recurrent,
        "lstm-unrolled": recurrent,
        "many-lengths": many_lengths,
        "dropout-mask": dropout_mask,
        "initial-weight": initial_weight,
        "conv-forward": convolutions,
        "conv-train": convolutions,
        "build": build,
        "save": checkpoint,
        "restore": checkpoint,
        "matmul": matmul,
    }


def towers(tf, blocks):
    """A classifier of `blocks` Inception blocks with its loss, gradients and Adam: about 460 nodes a block."""

    def convolution(x, name, filters, kernel):
        with tf.variable_scope(name):
            channels = x.get_shape().as_list()[-1]
            w = tf.get_variable("weights", [kernel, kernel, channels, filters])
            scale = tf.get_variable("gamma", [filters], initializer=tf.ones_initializer())
            offset = tf.get_variable("beta", [filters], initializer=tf.zeros_initializer())
            h = tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME")
            h, _, _ = tf.nn.fused_batch_norm(h, scale, offset, epsilon=1e-3)
            return tf.nn.relu(h)

    def block(x, name):
        with tf.variable_scope(name):
            one = convolution(x, "one", 32, 1)
            three = convolution(convolution(x, "three_reduce", 24, 1), "three", 32, 3)
            five = convolution(convolution(x, "five_reduce", 16, 1), "five", 32, 5)
            pool = tf.nn.max_pool(x, ksize=[1, 3, 3, 1], strides=[1, 1, 1, 1], padding="SAME")
            pool = convolution(pool, "pool", 32, 1)
            return tf.concat([one, three, five, pool], 3)

    x = tf.placeholder(tf.float32, [None, 28, 28, 64])
    labels = tf.placeholder(tf.float32, [None, 10])
    h = x
    for i in range(blocks):
        h = block(h, f"block_{i}")
    h = tf.reduce_mean(h, axis=[1, 2])
    w = tf.get_variable("weights", [h.get_shape().as_list()[-1], 10])
    logits = tf.matmul(h, w) + tf.get_variable("biases", [10], initializer=tf.zeros_initializer())
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    tf.train.AdamOptimizer(1e-3).minimize(loss)
