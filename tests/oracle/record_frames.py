"""Record graphs with control-flow frames, as TensorFlow writes them, and what they compute.

    oracle 0.12 tests/oracle/record_frames.py [program ...]    (also 1.15 and 2.21)

writes tests/golden/frames-<version>.npz: for each program the GraphDef, what is fed, and the values of the fetches, run after run.
"""

import os
import struct
import sys
import zlib

import numpy as np
import tensorflow

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from oracle import sequence_frames

VERSION = ".".join(tensorflow.__version__.split(".")[:2])
tf = tensorflow
if int(VERSION.split(".")[0]) > 1:
    tf = tensorflow.compat.v1
    tf.disable_eager_execution()
    tf.disable_control_flow_v2()
    tf.disable_resource_variables()
RNG = np.random.RandomState(7)


def normal(*shape):
    return RNG.standard_normal(shape).astype("float32")


def branches():
    x = tf.placeholder(tf.float32, [3], name="x")
    p = tf.placeholder(tf.bool, [], name="p")
    y, s = tf.cond(
        p,
        lambda: (tf.tanh(x) * 2.0, tf.reduce_sum(x)),
        lambda: (x - 1.0, tf.cond(x[0] > 0.0, lambda: x[1], lambda: x[2] * 3.0)),
    )
    g = tf.gradients(tf.reduce_sum(y * y) + s, [x])[0]
    out = [tf.identity(t, name=n) for t, n in ((y, "y"), (s, "s"), (g, "g"))]
    a, b = normal(3), np.abs(normal(3))
    return out, [{x: a, p: True}, {x: a, p: False}, {x: b, p: False}, {x: b, p: True}]


def branches_on_one_condition():
    """Several branches under one condition, with others between them that use their results."""
    x = tf.placeholder(tf.float32, [2, 3], name="x")
    p = tf.placeholder(tf.bool, [], name="p")
    q = tf.placeholder(tf.bool, [], name="q")
    a = tf.cond(p, lambda: x * 2.0, lambda: tf.exp(x))
    b = tf.cond(q, lambda: a + 1.0, lambda: a * a)
    c = tf.cond(p, lambda: tf.reduce_mean(b * a), lambda: tf.reduce_max(b))
    g = tf.gradients(c, [x])[0]
    out = [tf.identity(t, name=n) for t, n in ((b, "b"), (c, "c"), (g, "g"))]
    v = normal(2, 3)
    return out, [{x: v, p: i & 1 > 0, q: i & 2 > 0} for i in range(4)]


def effects():
    p = tf.placeholder(tf.bool, [], name="p")
    v = tf.Variable(1.0, name="v")
    w = tf.Variable([1.0, 2.0], name="w")
    y = tf.cond(p, lambda: tf.assign_add(v, 2.0), lambda: tf.identity(v) * 10.0)
    with tf.control_dependencies([y]):
        z = tf.identity(w.read_value() if hasattr(w, "read_value") else w + 0.0, name="z")
    out = [tf.identity(y, name="y"), z]
    return out, [{p: True}, {p: False}, {p: True}]


def powers():
    x = tf.placeholder(tf.float32, [], name="x")
    n = tf.placeholder(tf.int32, [], name="n")
    i, y = tf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * x + tf.cast(i, tf.float32)), [0, x])
    out = [tf.identity(i, name="i"), tf.identity(y, name="y"), tf.identity(tf.gradients(y, [x])[0], name="g")]
    return out, [{x: 1.5, n: k} for k in (0, 1, 5, 23)]


def by_value():
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.while_loop(lambda a: tf.reduce_sum(tf.abs(a)) < 50.0, lambda a: a * tf.exp(x) + 1.0, [x])
    out = [tf.identity(y, name="y"), tf.identity(tf.gradients(y, [x])[0], name="g")]
    return out, [{x: v} for v in ([0.1, 0.2], [40.0, 20.0], [0.01, 0.3])]


def nested():
    x = tf.placeholder(tf.float32, [3], name="x")

    def outer(i, a):
        _, b = tf.while_loop(lambda j, b: j < i, lambda j, b: (j + 1, tf.tanh(b) + a), [0, a])
        return i + 1, b

    _, y = tf.while_loop(lambda i, a: i < 4, outer, [0, x])
    out = [tf.identity(y, name="y"), tf.identity(tf.gradients(y, [x])[0], name="g")]
    return out, [{x: normal(3)}, {x: normal(3)}]


def branch_in_loop():
    x = tf.placeholder(tf.float32, [3], name="x")

    def body(i, a):
        return i + 1, tf.cond(tf.reduce_sum(a) > 0.0, lambda: a * 0.5 - 1.0, lambda: a + x * x)

    _, y = tf.while_loop(lambda i, a: i < 6, body, [0, x])
    out = [tf.identity(y, name="y"), tf.identity(tf.gradients(y, [x])[0], name="g")]
    return out, [{x: normal(3)}, {x: normal(3)}]


def loop_in_branch():
    x = tf.placeholder(tf.float32, [3], name="x")
    p = tf.placeholder(tf.bool, [], name="p")
    y = tf.cond(p, lambda: tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * a), [0, x])[1], lambda: tf.sin(x))
    out = [tf.identity(y, name="y"), tf.identity(tf.gradients(y, [x])[0], name="g")]
    v = normal(3)
    return out, [{x: v, p: True}, {x: v, p: False}]


def effects_in_loop():
    v = tf.Variable(0.0, name="v")

    def body(i):
        with tf.control_dependencies([tf.assign_add(v, tf.cast(i, tf.float32))]):
            return i + 1

    i = tf.while_loop(lambda i: i < 5, body, [0])
    with tf.control_dependencies([i]):
        out = [tf.identity(i, name="i"), tf.add(v, 0.0, name="z")]
    return out[:1], [{}, {}]


def scanned():
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    w = tf.Variable(normal(3, 3), name="w")
    step = lambda a, r: tf.tanh(tf.matmul(tf.expand_dims(a, 0), w)[0] + r)
    y = tf.scan(step, x, tf.zeros([3]))
    m = tf.map_fn(lambda r: r * tf.reduce_sum(r), x)
    f = tf.foldl(lambda a, r: a * 0.5 + r, x)
    loss = tf.reduce_sum(y * y) + tf.reduce_sum(m) + tf.reduce_sum(f * f)
    gx, gw = tf.gradients(loss, [x, w])
    out = [tf.identity(t, name=n) for t, n in ((y, "y"), (m, "m"), (f, "f"), (gx, "gx"), (gw, "gw"))]
    return out, [{x: normal(4, 3)}, {x: normal(7, 3)}]


def recurrent():
    """Training of an LSTM over sequences of their own lengths."""
    x = tf.placeholder(tf.float32, [None, 5, 4], name="x")
    n = tf.placeholder(tf.int32, [None], name="n")
    if VERSION == "0.12" or VERSION == "1.15":
        cell = tf.nn.rnn_cell.BasicLSTMCell(3)
        y, _ = tf.nn.dynamic_rnn(cell, x, n, dtype=tf.float32)
    else:
        return None
    loss = tf.reduce_mean(y * y)
    train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    with tf.control_dependencies([train]):
        out = [tf.identity(loss, name="loss"), tf.identity(y, name="y")]
    feed = {x: normal(2, 5, 4), n: [3, 5]}
    return out[:1], [feed] * 4


def array():
    x = tf.placeholder(tf.float32, [4], name="x")
    a = tf.TensorArray(tf.float32, size=4, clear_after_read=False)
    for i in range(4):
        a = a.write(i, x[i] * (i + 1.0))
    total = a.read(0) + a.read(3)
    b = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    _, b = tf.while_loop(lambda i, b: i < 3, lambda i, b: (i + 1, b.write(i, a.read(i) * x)), [0, b])
    y = (b.stack if hasattr(b, "stack") else b.pack)()
    g = tf.gradients(tf.reduce_sum(y * y) + total, [x])[0]
    out = [tf.identity(t, name=n) for t, n in ((total, "total"), (y, "y"), (g, "g"))]
    return out, [{x: normal(4)}]


def normalized():
    """Training with batch normalization whose mode is fed."""
    if VERSION != "1.15":
        return None
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    training = tf.placeholder(tf.bool, [], name="training")
    y = tf.layers.batch_normalization(tf.layers.dense(x, 4), training=training, momentum=0.5)
    y = tf.layers.dropout(y, 0.5, training=training, seed=5)
    loss = tf.reduce_mean(tf.square(tf.layers.dense(y, 1) - 1.0))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    with tf.control_dependencies([train]):
        done = tf.identity(loss, name="done")
    out = [tf.identity(loss, name="loss")]
    v = normal(6, 3)
    return [done] + out, [{x: v, training: True}] * 3 + [{x: v, training: False}]


def embedded():
    """Rows of a table that a loop looks up: gradients as IndexedSlices, random numbers in every turn."""
    n = tf.placeholder(tf.int32, [4], name="n")
    table = tf.Variable(normal(5, 3), name="table")
    # 2.21 draws other numbers.
    noise = lambda a: a + (tf.random_uniform([3], seed=9) if VERSION != "2.21" else 0.5)

    def body(i, a):
        return i + 1, tf.tanh(noise(a) + tf.nn.embedding_lookup(table, n[i]))

    _, y = tf.while_loop(lambda i, a: i < 4, body, [0, tf.zeros([3])])
    g = tf.convert_to_tensor(tf.gradients(y, [table])[0])
    out = [tf.identity(y, name="y"), tf.identity(g, name="g")]
    return out, [{n: [1, 3, 3, 0]}, {n: [4, 4, 4, 4]}]


def translated():
    """A decoder with attention: one training step, and what it says by itself."""
    if VERSION != "1.15":
        return None
    seq2seq = tf.contrib.seq2seq
    x = tf.placeholder(tf.int32, [2, None], name="x")
    y = tf.placeholder(tf.int32, [2, None], name="y")
    n = tf.placeholder(tf.int32, [2], name="n")
    table = tf.get_variable("table", [7, 4], initializer=tf.random_normal_initializer(seed=1))
    encoded, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(4), tf.nn.embedding_lookup(table, x), n, dtype=tf.float32)
    cell = seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(4), seq2seq.LuongAttention(4, encoded, n))
    begin = cell.zero_state(2, tf.float32).clone(cell_state=state)
    head = tf.layers.Dense(7, use_bias=False)
    with tf.variable_scope("decoder"):
        helper = seq2seq.TrainingHelper(tf.nn.embedding_lookup(table, y), [3, 4])
        told, _, _ = seq2seq.dynamic_decode(seq2seq.BasicDecoder(cell, helper, begin, head))
    weights = tf.sequence_mask([3, 4], tf.shape(told.rnn_output)[1], tf.float32)
    loss = seq2seq.sequence_loss(told.rnn_output, y[:, : tf.shape(told.rnn_output)[1]], weights)
    train = tf.train.AdamOptimizer(0.1).minimize(loss)
    with tf.variable_scope("decoder", reuse=True):
        helper = seq2seq.GreedyEmbeddingHelper(table, [1, 2], 0)
        said, _, _ = seq2seq.dynamic_decode(seq2seq.BasicDecoder(cell, helper, begin, head), maximum_iterations=6)
    with tf.control_dependencies([said.sample_id, loss]):
        with tf.control_dependencies([train]):
            done = tf.identity(loss, name="loss")
    out = [tf.identity(said.sample_id, name="said"), done]
    feed = {x: [[1, 2, 3], [4, 5, 0]], y: [[3, 2, 1, 0], [6, 5, 4, 0]], n: [3, 2]}
    return out[1:], [feed] * 3


def encoded():
    """The same small picture as PNG and, where TensorFlow reads it, as BMP."""
    picture = (np.arange(4 * 5 * 3).reshape(4, 5, 3) * 4 % 256).astype("uint8")

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) & 0xFFFFFFFF)

    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 5, 4, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)
    pixels = b"".join(row[:, ::-1].tobytes() + b"\0" for row in picture[::-1])
    header = struct.pack("<IiiHHIIiiII", 40, 5, 4, 1, 24, 0, len(pixels), 0, 0, 0, 0)
    bmp = b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + header + pixels
    return tf.constant([png, bmp] if VERSION.startswith("1.") else [png, png])


def picture_in(file):
    """What conditions find the format of; TensorFlow 2 has an op for it that 1.x lacks."""
    return tf.image.decode_image(file, channels=3) if tf is tensorflow else tf.image.decode_png(file, channels=3)


def pictures():
    """Turns by a number that is fed, flips of an image of unknown rank, files of a kind that is found when they are read."""
    x = tf.placeholder(tf.float32, name="x")
    k = tf.placeholder(tf.int32, [], name="k")
    i = tf.placeholder(tf.int32, [], name="i")
    turned = tf.image.rot90(tf.placeholder_with_default(x, [None, None, 2]), k)
    out = [turned]
    if not VERSION.startswith("0."):  # which asks for rank 3
        out += [tf.image.flip_left_right(x), tf.image.flip_up_down(x)]
        out += [tf.image.random_flip_left_right(x, seed=3)]
    if hasattr(tf.image, "decode_image"):
        out += [picture_in(tf.gather(encoded(), i))]
    named = [tf.identity(t, name="out%d" % n) for n, t in enumerate(out)]
    return named, [{x: normal(3, 4, 2), k: n, i: n % 2} for n in range(5)]


def pictures_in_a_data_set():
    """The same inside the functions of a data set."""
    if not hasattr(tf, "data"):
        return None
    images = tf.constant(np.arange(4 * 3 * 4 * 2).reshape(4, 3, 4, 2).astype("float32"))

    def change(x, k, i, files):
        unknown = tf.placeholder_with_default(x, None)
        return tf.image.rot90(x, k), tf.image.flip_left_right(unknown), picture_in(files[i])

    files = tf.tile(tf.expand_dims(encoded(), 0), [4, 1])
    d = tf.data.Dataset.from_tensor_slices((images, tf.constant([0, 1, 2, 7]), tf.constant([0, 1, 1, 0]), files)).map(
        change
    )
    iterator = tf.data.make_initializable_iterator(d) if hasattr(tf.data, "make_initializable_iterator") else None
    turned, flipped, read = iterator.get_next()
    with tf.control_dependencies([iterator.initializer]):
        start = tf.constant(1, name="start")
    out = [tf.identity(t, name=n) for n, t in (("turned", turned), ("flipped", flipped), ("read", read))]
    return [[start], out, out, out], [{}] * 4


PROGRAMS = [
    branches, branches_on_one_condition, effects, powers, by_value, nested, branch_in_loop, loop_in_branch, effects_in_loop, scanned,
    recurrent, array, normalized, embedded, translated, pictures, pictures_in_a_data_set,
]  # fmt: skip


def main(names):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "frames-%s.npz" % VERSION)
    kept = {}
    if names:
        with np.load(path) as file:
            kept = {key: file[key] for key in file.files if key.split("/")[0] not in names}
    for program in PROGRAMS + sequence_frames.PROGRAMS:
        if names and program.__name__ not in names:
            continue
        with tf.Graph().as_default() as graph:
            tf.set_random_seed(3)
            RNG.seed(len(program.__name__))
            made = program() if program in PROGRAMS else program(tf, VERSION, normal)
            if made is None:
                continue
            out, feeds = made
            with tf.Session() as sess:
                variables = tf.global_variables() if hasattr(tf, "global_variables") else tf.all_variables()
                sess.run(
                    tf.variables_initializer(variables)
                    if hasattr(tf, "variables_initializer")
                    else tf.initialize_variables(variables)
                )
                name = program.__name__
                for v in variables:
                    kept["%s/variable/%s" % (name, v.op.name)] = sess.run(v)
                for i, feed in enumerate(feeds):
                    for t, value in feed.items():
                        kept["%s/feed/%d/%s" % (name, i, t.name)] = np.asarray(value, t.dtype.as_numpy_dtype)
                    wanted = out[i] if isinstance(out[0], list) else out
                    for t, value in zip(wanted, sess.run(wanted, feed)):
                        kept["%s/fetch/%d/%s" % (name, i, t.name)] = value
            data = graph.as_graph_def().SerializeToString()
            kept["%s/graph" % name] = np.frombuffer(data, np.uint8)
            print(name, len(data))
    np.savez_compressed(path, **kept)


main(sys.argv[1:])
