"""Graphs with control-flow frames from recurrent networks and nested loops: programs for record_frames.py.

Each is a function of (tf, version of TensorFlow, normal random numbers of a shape). Kept to what Python 3.6 reads.
"""


def named(tf, tensors):
    return [tf.identity(t, name=n) for n, t in sorted(tensors.items())]


def cells(tf):
    return tf.nn.rnn_cell


def trained(tf, loss, rate=0.3):
    """The loss, after a step of training."""
    step = tf.train.AdamOptimizer(rate / 10).minimize(loss)
    with tf.control_dependencies([step]):
        return tf.identity(loss, name="loss")


def dropped_lstm(tf, version, normal):
    """Training of an LSTM with dropout, whose masks are drawn in the loop."""
    if version == "2.21":
        return None
    x = tf.placeholder(tf.float32, [None, 5, 4], name="x")
    n = tf.placeholder(tf.int32, [None], name="n")
    cell = cells(tf).DropoutWrapper(cells(tf).LSTMCell(3, use_peepholes=True), output_keep_prob=0.6, seed=4)
    y, _ = tf.nn.dynamic_rnn(cell, x, n, dtype=tf.float32, swap_memory=True)
    loss = trained(tf, tf.reduce_mean(tf.square(y - 0.3)))
    return [loss], [{x: normal(2, 5, 4), n: [3, 5]}, {x: normal(3, 5, 4), n: [5, 1, 4]}] * 2


def both_directions(tf, version, normal):
    """Training of a network that reads in both directions, over another number of steps each time."""
    if version == "2.21":
        return None
    x = tf.placeholder(tf.float32, [2, None, 3], name="x")
    n = tf.placeholder(tf.int32, [2], name="n")
    outputs, states = tf.nn.bidirectional_dynamic_rnn(
        cells(tf).GRUCell(3), cells(tf).BasicRNNCell(2), x, sequence_length=n, dtype=tf.float32
    )
    loss = sum(tf.reduce_sum(tf.square(o - 0.1)) for o in outputs) + tf.reduce_sum(states[1])
    return [trained(tf, loss)], [{x: normal(2, k, 3), n: [k - 1, k]} for k in (4, 2, 6)]


def by_hand(tf, version, normal):
    """An LSTM written as a loop over TensorArrays, every version's own way; its gradients."""
    x = tf.placeholder(tf.float32, [None, 2, 3], name="x")
    w = tf.Variable(normal(7, 16), name="w")
    steps = tf.shape(x)[0]
    new = lambda: tf.TensorArray(tf.float32, size=steps)
    rows = new()
    rows = rows.unstack(x) if hasattr(rows, "unstack") else rows.unpack(x)

    def turn(t, c, h, out):
        both = tf.concat([rows.read(t), h], 1) if version != "0.12" else tf.concat(1, [rows.read(t), h])
        z = tf.matmul(both, w)
        i, j, f, o = [z[:, 4 * k : 4 * k + 4] for k in range(4)]
        c = tf.sigmoid(f + 1.0) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * tf.tanh(c)
        return t + 1, c, h, out.write(t, h)

    begin = [tf.constant(0), tf.zeros([2, 4]), tf.zeros([2, 4]), new()]
    _, c, h, out = tf.while_loop(lambda t, *_: t < steps, turn, begin, parallel_iterations=1)
    y = (out.stack if hasattr(out, "stack") else out.pack)()
    gx, gw = tf.gradients(tf.reduce_sum(y * y) + tf.reduce_sum(c), [x, w])
    return named(tf, {"y": y, "h": h, "gx": gx, "gw": gw}), [{x: normal(k, 2, 3)} for k in (3, 1, 5)]


def own_steps(tf, version, normal):
    """raw_rnn, whose loop decides for each row when it ends; its gradients."""
    if version == "2.21":
        return None
    x = tf.placeholder(tf.float32, [4, 3, 2], name="x")
    n = tf.placeholder(tf.int32, [3], name="n")
    cell = cells(tf).GRUCell(4)
    rows = tf.TensorArray(tf.float32, size=4)
    rows = rows.unstack(x) if hasattr(rows, "unstack") else rows.unpack(x)

    def step(time, output, state, loop_state):
        ended = time >= n
        inputs = tf.cond(tf.reduce_all(ended), lambda: tf.zeros([3, 2]), lambda: rows.read(time))
        return ended, inputs, cell.zero_state(3, tf.float32) if output is None else state, output, None

    outputs, state, _ = tf.nn.raw_rnn(cell, step)
    y = (outputs.stack if hasattr(outputs, "stack") else outputs.pack)()
    loss = tf.reduce_sum(y * y) + tf.reduce_sum(state)
    return named(tf, {"y": y, "g": tf.gradients(loss, [x])[0]}), [
        {x: normal(4, 3, 2), n: v} for v in ([2, 4, 1], [1, 1, 3], [4, 4, 4])
    ]


def lengths_of_steps(tf, version, normal):
    """An unrolled network with lengths: conditions at every step, and their gradients."""
    if version == "2.21":
        return None
    xs = [tf.placeholder(tf.float32, [3, 2], name="x%d" % i) for i in range(4)]
    n = tf.placeholder(tf.int32, [3], name="n")
    unroll = tf.nn.rnn if hasattr(tf.nn, "rnn") else tf.nn.static_rnn
    outputs, state = unroll(cells(tf).BasicLSTMCell(3), xs, dtype=tf.float32, sequence_length=n)
    loss = sum(tf.reduce_sum(o * o) for o in outputs) + tf.reduce_sum(state[0])
    out = {"g%d" % i: g for i, g in enumerate(tf.gradients(loss, xs))}
    out["last"] = outputs[-1]
    values = [normal(3, 2) for _ in xs]
    return named(tf, out), [dict(list(zip(xs, values)) + [(n, v)]) for v in ([2, 4, 1], [1, 1, 1], [3, 3, 2])]


def rows_of_rows(tf, version, normal):
    """Functions over rows inside of functions over rows; their gradients."""
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    y = tf.map_fn(lambda row: tf.map_fn(lambda e: tf.tanh(e) * tf.reduce_sum(row), row), x)
    z = tf.scan(lambda a, row: tf.foldl(lambda b, e: b * 0.5 + e * a, row, tf.zeros([3])), x, tf.ones([3]))
    g = tf.gradients(tf.reduce_sum(y * y) + tf.reduce_sum(z), [x])[0]
    return named(tf, {"y": y, "z": z, "g": g}), [{x: normal(4, 3)}, {x: normal(2, 3)}]


def deep(tf, version, normal):
    """A loop with a condition in a loop with a condition, whose turns depend on values; its gradient."""
    x = tf.placeholder(tf.float32, [3], name="x")
    w = tf.Variable(normal(3), name="w")

    def inner(j, b):
        return j + 1, tf.cond(b[0] > 0.0, lambda: b * 0.7 - w, lambda: tf.tanh(b) + w * x)

    def outer(i, a):
        _, b = tf.while_loop(lambda j, b: tf.logical_and(j < i + 1, tf.reduce_sum(b * b) < 30.0), inner, [0, a * 1.5])
        # 0.12 waits for ever where a loop in a branch in a loop is differentiated.
        last = lambda: tf.while_loop(lambda k, c: k < 2, lambda k, c: (k + 1, c * tf.sigmoid(w)), [0, b])[1]
        return i + 1, tf.cond(tf.reduce_sum(b) > 0.5, lambda: b - a, last if version != "0.12" else lambda: b * w)

    _, y = tf.while_loop(lambda i, a: tf.logical_and(i < 6, tf.reduce_sum(a * a) < 40.0), outer, [0, x])
    gx, gw = tf.gradients(tf.reduce_sum(y * y), [x, w])
    return named(tf, {"y": y, "gx": gx, "gw": gw}), [{x: normal(3)} for _ in range(4)]


def which(tf, version, normal):
    """Several cases in a loop, with variables that one of them changes."""
    k = tf.placeholder(tf.int32, [], name="k")
    x = tf.placeholder(tf.float32, [2], name="x")
    v = tf.Variable([1.0, 2.0], name="v")

    def body(i, a):
        cases = [
            (tf.equal(tf.mod(i + k, 3), 0), lambda: a + x),
            (tf.equal(tf.mod(i + k, 3), 1), lambda: a * tf.assign_add(v, x)),
        ]
        new = tf.case(cases, default=lambda: tf.sin(a))
        new.set_shape([2])
        return i + 1, new

    _, y = tf.while_loop(lambda i, a: i < 5, body, [0, x], parallel_iterations=1)
    return named(tf, {"y": y}), [{k: j, x: normal(2)} for j in range(3)]


def growing(tf, version, normal):
    """A loop variable that grows, and one that stays; the gradient through both."""
    if version == "0.12":
        return None
    x = tf.placeholder(tf.float32, [2], name="x")
    n = tf.placeholder(tf.int32, [], name="n")

    def body(i, rows, last):
        new = tf.tanh(last * x + 0.1)
        return i + 1, tf.concat([rows, tf.expand_dims(new, 0)], 0), new

    shapes = [tf.TensorShape([]), tf.TensorShape([None, 2]), tf.TensorShape([2])]
    _, rows, _ = tf.while_loop(lambda i, *_: i < n, body, [0, tf.expand_dims(x, 0), x], shape_invariants=shapes)
    g = tf.gradients(tf.reduce_sum(rows * rows), [x])[0]
    return named(tf, {"rows": rows, "g": g}), [{x: normal(2), n: k} for k in (0, 3, 1)]


def beams(tf, version, normal):
    """What a beam search finds with attention, over another number of steps each time."""
    if version != "1.15":
        return None
    seq2seq = tf.contrib.seq2seq
    memory = tf.placeholder(tf.float32, [2, None, 4], name="memory")
    n = tf.placeholder(tf.int32, [2], name="n")
    table = tf.Variable(normal(6, 4), name="table")
    many = seq2seq.tile_batch(memory, 3)
    attention = seq2seq.BahdanauAttention(4, many, seq2seq.tile_batch(n, 3), normalize=True)
    cell = seq2seq.AttentionWrapper(tf.nn.rnn_cell.BasicLSTMCell(4), attention, attention_layer_size=4)
    decoder = seq2seq.BeamSearchDecoder(
        cell, table, [1, 1], 0, cell.zero_state(6, tf.float32), 3, tf.layers.Dense(6), length_penalty_weight=0.7
    )
    found, _, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=7)
    out = {"ids": found.predicted_ids, "scores": found.beam_search_decoder_output.scores, "lengths": lengths}
    return named(tf, out), [{memory: normal(2, k, 4), n: [k, k - 1]} for k in (3, 5)]


def of_0(tf, version, normal):
    """Attention over an embedded sequence as 0.x has it, its decoder fed with what it says; its training."""
    if version != "1.15":  # what 0.12 writes of it can't be made functional yet: the error names the lookup
        return None
    s2s = tf.nn.seq2seq if hasattr(tf.nn, "seq2seq") else tf.contrib.legacy_seq2seq
    xs = [tf.placeholder(tf.int32, [3], name="x%d" % i) for i in range(2)]
    ys = [tf.placeholder(tf.int32, [3], name="y%d" % i) for i in range(2)]
    alone = tf.placeholder(tf.bool, [], name="alone")
    outputs, _ = s2s.embedding_attention_seq2seq(xs, ys, cells(tf).GRUCell(4), 6, 5, 4, feed_previous=alone)
    loss = s2s.sequence_loss(outputs, ys, [tf.ones([3])] * 2)
    feed = dict(zip(xs + ys, [[1, 2, 3], [4, 5, 0], [1, 1, 1], [2, 4, 3]]))
    return [trained(tf, loss)], [dict(list(feed.items()) + [(alone, b)]) for b in (False, True, False)]


PROGRAMS = [
    dropped_lstm, both_directions, by_hand, own_steps, lengths_of_steps, rows_of_rows, deep, which, growing, beams, of_0,
]  # fmt: skip
