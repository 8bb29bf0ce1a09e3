"""Programs with recurrent networks, run under TensorFlow 1.15 and under thalweg: cells, ways to run them, decoders, and losses
over 50 steps of training. Each is a function of (tf, np); what it gives is compared.

Kept to what Python 3.6 reads.
"""

PROGRAMS = {}
TRACES = ("trace_lecture", "trace_characters", "trace_classifier", "trace_attention", "trace_legacy_attention")


def program(f):
    PROGRAMS[f.__name__] = f
    return f


def digest(np, value):
    """What is compared of nested arrays: shape, mean, mean of squares, the first four numbers."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [digest(np, v) for v in value]
    a = np.asarray(value).astype("float64")
    return [list(a.shape), float(a.mean()), float((a * a).mean()), [float(x) for x in a.ravel()[:4]]]


def waves(tf, np, sess, shift=0.0):
    """Give every variable values that depend on nothing but its shape."""
    for v in tf.global_variables():
        shape = v.get_shape().as_list()
        n = int(np.prod(shape))
        sess.run(v.assign((shift + 0.8 * np.sin(np.arange(n) * 1.7)).reshape(shape)))


def result(tf, np, outputs, gradients_of=None, shift=0.0, dense=False):
    """(names of the variables, a digest of the outputs, one of the gradients of their sum)."""
    fetched = [outputs]
    if gradients_of is not None:
        total = tf.add_n([tf.reduce_sum(t * t) for t in gradients_of])
        gradients = [g for g in tf.gradients(total, tf.trainable_variables()) if g is not None]
        fetched.append([tf.convert_to_tensor(g) for g in gradients] if dense else gradients)
    with tf.Session() as sess:
        waves(tf, np, sess, shift)
        return [v.name for v in tf.global_variables()], digest(np, sess.run(fetched))


def numbers(np, *shape):
    return np.random.RandomState(len(shape) + shape[0]).randn(*shape).astype("float32")


def unrolled(name, make, width=6, seeds=None):
    def run(tf, np):
        xs = tf.unstack(tf.constant(numbers(np, 3, 4, width)), axis=1)
        outputs, state = tf.nn.static_rnn(make(tf), xs, dtype=tf.float32)
        return result(tf, np, [outputs, state], outputs)

    PROGRAMS["cell_" + name] = run


def both(tf):
    nn = tf.nn.rnn_cell
    return nn.MultiRNNCell([nn.BasicLSTMCell(4), nn.ResidualWrapper(nn.GRUCell(4))])


def dropped(tf):
    cell = tf.nn.rnn_cell.BasicLSTMCell(4)
    return tf.nn.rnn_cell.DropoutWrapper(cell, 0.5, 0.6, 0.7, seed=3)


def same_mask(tf):
    cell = tf.nn.rnn_cell.GRUCell(4)
    return tf.nn.rnn_cell.DropoutWrapper(cell, 0.5, 0.6, 0.7, True, 6, tf.float32, seed=3)


unrolled("basic", lambda tf: tf.nn.rnn_cell.BasicRNNCell(4))
unrolled("gru", lambda tf: tf.nn.rnn_cell.GRUCell(4))
unrolled("basic_lstm", lambda tf: tf.nn.rnn_cell.BasicLSTMCell(4, state_is_tuple=False, activation=tf.nn.relu))
unrolled(
    "lstm",
    lambda tf: tf.nn.rnn_cell.LSTMCell(
        4, use_peepholes=True, num_proj=3, num_unit_shards=2, cell_clip=0.5, proj_clip=0.2
    ),
)
unrolled("stack", both)
unrolled("dropout", dropped)
unrolled("variational", same_mask)
unrolled("projections", lambda tf: tf.contrib.rnn.OutputProjectionWrapper(
    tf.contrib.rnn.InputProjectionWrapper(tf.nn.rnn_cell.GRUCell(4), 5), 3, activation=tf.tanh))  # fmt: skip
unrolled("coupled", lambda tf: tf.contrib.rnn.CoupledInputForgetGateLSTMCell(
    4, use_peepholes=True, num_proj=3, proj_clip=0.3, num_unit_shards=2))  # fmt: skip
unrolled("layer_norm", lambda tf: tf.contrib.rnn.LayerNormBasicLSTMCell(4, dropout_keep_prob=0.5, dropout_prob_seed=3))
unrolled("nas", lambda tf: tf.contrib.rnn.NASCell(4, num_proj=3, use_bias=True))
unrolled("groups", lambda tf: tf.contrib.rnn.GLSTMCell(4, number_of_groups=2, num_proj=2))
unrolled("indy_lstm", lambda tf: tf.contrib.rnn.IndyLSTMCell(4))
unrolled("indy_gru", lambda tf: tf.contrib.rnn.IndyGRUCell(4))
unrolled("ind", lambda tf: tf.contrib.rnn.IndRNNCell(4))
unrolled("ugrnn", lambda tf: tf.contrib.rnn.UGRNNCell(4))
unrolled("intersection", lambda tf: tf.contrib.rnn.IntersectionRNNCell(4, num_in_proj=4))
unrolled("sru", lambda tf: tf.contrib.rnn.SRUCell(4))
unrolled("gru_block", lambda tf: tf.contrib.rnn.GRUBlockCellV2(4))
unrolled("lstm_block", lambda tf: tf.contrib.rnn.LSTMBlockCell(4, use_peephole=True, cell_clip=0.4))
unrolled("attention", lambda tf: tf.contrib.rnn.AttentionCellWrapper(tf.contrib.rnn.GRUCell(4), 3))
unrolled("highway", lambda tf: tf.contrib.rnn.HighwayWrapper(tf.contrib.rnn.GRUCell(6), False))
unrolled("time_frequency", lambda tf: tf.contrib.rnn.TimeFreqLSTMCell(4, use_peepholes=True, feature_size=6))
unrolled("grid", lambda tf: tf.contrib.rnn.GridLSTMCell(
    4, use_peepholes=True, feature_size=2, frequency_skip=1, num_frequency_blocks=[5]))  # fmt: skip
unrolled("shared_grid", lambda tf: tf.contrib.rnn.GridLSTMCell(
    4, True, True, 1.0, feature_size=2, frequency_skip=1, num_frequency_blocks=[2, 1], start_freqindex_list=[0, 3],
    end_freqindex_list=[3, 5], couple_input_forget_gates=True))  # fmt: skip
unrolled("two_way_grid", lambda tf: tf.contrib.rnn.BidirectionalGridLSTMCell(
    4, feature_size=2, frequency_skip=1, num_frequency_blocks=[5], backward_slice_offset=1))  # fmt: skip


@program
def cell_convolutional(tf, np):
    cell = tf.contrib.rnn.Conv2DLSTMCell(input_shape=[5, 4, 2], output_channels=3, kernel_shape=[2, 2])
    outputs, state = tf.nn.static_rnn(cell, [tf.constant(numbers(np, 2, 5, 4, 2))] * 2, dtype=tf.float32)
    return result(tf, np, [outputs, state], outputs)


@program
def cell_phased(tf, np):
    cell = tf.contrib.rnn.PhasedLSTMCell(4, use_peepholes=True)
    time = tf.constant([[0.3], [1.2], [7.0]])
    output, state = cell((time, tf.constant(numbers(np, 3, 6))), cell.zero_state(3, tf.float32))
    return result(tf, np, [output, state], [output], shift=1.0)


@program
def seeds_of_first_weights(tf, np):
    tf.set_random_seed(1)
    cell = both(tf)
    outputs, _ = tf.nn.static_rnn(cell, [tf.constant(numbers(np, 3, 4))], dtype=tf.float32)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return digest(np, sess.run([outputs, tf.trainable_variables()]))


# -- ways to run a cell over time


@program
def fused(tf, np):
    cell = tf.contrib.rnn.LSTMBlockFusedCell(4, use_peephole=True, cell_clip=0.5)
    x = tf.constant(numbers(np, 4, 3, 6))
    outputs, state = cell(x, dtype=tf.float32, sequence_length=[1, 4, 3])
    return result(tf, np, [outputs, state], [outputs])


def over_time(time_major, lengths, known):
    def run(tf, np):
        x = tf.placeholder(tf.float32, [3, 4, 6] if known else [None, None, 6])
        rows = 4 if time_major else 3
        sequence_length = [1, 3, 2, 0][:rows] if lengths else None
        nn = tf.nn.rnn_cell
        outputs, state = tf.nn.dynamic_rnn(
            both(tf), tf.layers.dense(x, 4), sequence_length=sequence_length, dtype=tf.float32, time_major=time_major
        )
        two, states = tf.nn.bidirectional_dynamic_rnn(
            nn.GRUCell(3),
            nn.BasicRNNCell(2),
            x,
            sequence_length=sequence_length,
            dtype=tf.float32,
            time_major=time_major,
        )
        shapes = [t.get_shape().as_list() for t in [outputs] + list(two)]
        total = tf.add_n([tf.reduce_sum(t * t) for t in [outputs] + list(two)])
        gradients = tf.gradients(total, tf.trainable_variables())
        with tf.Session() as sess:
            waves(tf, np, sess)
            fetched = [outputs, state, two, states, gradients]
            found = digest(np, sess.run(fetched, {x: numbers(np, 3, 4, 6)}))
        return [v.name for v in tf.global_variables()], shapes, found

    PROGRAMS["dynamic_%d%d%d" % (time_major, lengths, known)] = run


over_time(False, False, True)
over_time(False, True, False)
over_time(True, True, True)


@program
def static_ways(tf, np):
    xs = tf.unstack(tf.constant(numbers(np, 3, 4, 6)), axis=1)
    nn = tf.nn.rnn_cell
    lengths = [1, 4, 2]
    a = tf.nn.static_rnn(nn.LSTMCell(4), xs, dtype=tf.float32, sequence_length=lengths)
    b = tf.nn.static_bidirectional_rnn(nn.GRUCell(3), nn.GRUCell(2), xs, dtype=tf.float32, sequence_length=lengths)
    c = tf.contrib.rnn.stack_bidirectional_rnn([nn.GRUCell(3)] * 1, [nn.GRUCell(2)] * 1, xs, dtype=tf.float32)
    return result(tf, np, [a, b, c], a[0] + b[0] + c[0])


@program
def raw(tf, np):
    x = tf.constant(numbers(np, 4, 3, 6))
    cell, lengths = tf.nn.rnn_cell.LSTMCell(4), tf.constant([2, 4, 0])
    store = tf.TensorArray(tf.float32, size=4).unstack(x)

    def step(time, output, state, loop_state):
        finished = time >= lengths
        new = cell.zero_state(3, tf.float32) if output is None else state
        x_next = tf.cond(tf.reduce_all(finished), lambda: tf.zeros([3, 6]), lambda: store.read(time))
        return finished, x_next, new, output, tf.constant(0) if loop_state is None else loop_state + 1

    emitted, state, turns = tf.nn.raw_rnn(cell, step)
    emitted = emitted.stack()
    return result(tf, np, [emitted, state, turns], [emitted])


# -- sequence to sequence


def decoded(name, mechanism, make_helper, limit=None, impute=False):
    def run(tf, np):
        s2s = tf.contrib.seq2seq
        memory = tf.constant(numbers(np, 3, 5, 4))
        cell = s2s.AttentionWrapper(
            tf.nn.rnn_cell.LSTMCell(4),
            mechanism(s2s, memory, [5, 3, 2]),
            attention_layer_size=4,
            alignment_history=True,
        )
        helper = make_helper(tf, np)
        decoder = s2s.BasicDecoder(cell, helper, cell.zero_state(3, tf.float32), output_layer=tf.layers.Dense(8))
        outputs, state, lengths = s2s.dynamic_decode(decoder, impute_finished=impute, maximum_iterations=limit)
        shapes = [outputs.rnn_output.get_shape().as_list(), outputs.sample_id.get_shape().as_list()]
        fetched = [outputs, state.cell_state, state.attention, state.alignment_history.stack(), lengths]
        return shapes, result(tf, np, fetched, [outputs.rnn_output])

    PROGRAMS["decode_" + name] = run


def table(np):
    return numbers(np, 8, 6)


def truth(tf, np):
    return tf.contrib.seq2seq.TrainingHelper(tf.constant(numbers(np, 3, 4, 6)), [4, 2, 3])


def greedy(tf, np):
    return tf.contrib.seq2seq.GreedyEmbeddingHelper(tf.constant(table(np)), [1, 2, 3], 2)


decoded("luong", lambda s, m, n: s.LuongAttention(4, m, n, scale=True), truth)
decoded("bahdanau", lambda s, m, n: s.BahdanauAttention(3, m, n, normalize=True), truth, impute=True)
decoded("monotonic", lambda s, m, n: s.BahdanauMonotonicAttention(3, m, n, score_bias_init=0.3), truth)
decoded("recursive", lambda s, m, n: s.LuongMonotonicAttention(4, m, n, mode="recursive"), truth)
decoded("greedy", lambda s, m, n: s.LuongAttention(4, m, n), greedy, limit=6)


def beam(length_weight, coverage_weight):
    def run(tf, np):
        s2s = tf.contrib.seq2seq
        memory = s2s.tile_batch(tf.constant(numbers(np, 3, 5, 4)), 3)
        lengths = s2s.tile_batch(tf.constant([5, 3, 2]), 3)
        attention = s2s.BahdanauAttention(4, memory, lengths)
        cell = s2s.AttentionWrapper(tf.nn.rnn_cell.GRUCell(4), attention, 4, alignment_history=True)
        decoder = s2s.BeamSearchDecoder(
            cell, tf.constant(table(np)), [1, 2, 3], 0, cell.zero_state(9, tf.float32), 3, tf.layers.Dense(8),
            length_penalty_weight=length_weight, coverage_penalty_weight=coverage_weight)  # fmt: skip
        outputs, state, lengths = s2s.dynamic_decode(decoder, maximum_iterations=7)
        read = state.cell_state.alignments
        return result(tf, np, [outputs, state.log_probs, state.lengths, state.finished, lengths, read])

    PROGRAMS["beam_%d%d" % (bool(length_weight), bool(coverage_weight))] = run


beam(0.0, 0.0)
beam(1.0, 0.3)


@program
def losses_of_sequences(tf, np):
    logits, weights = tf.constant(numbers(np, 3, 4, 6)), tf.constant((numbers(np, 3, 4) > -0.5).astype("float32"))
    targets = tf.constant([[0, 1, 2, 3], [4, 5, 0, 1], [2, 3, 4, 5]])
    found = []
    for over_steps in (False, True):
        for over_batch in (False, True):
            found.append(tf.contrib.seq2seq.sequence_loss(logits, targets, weights, over_steps, over_batch))
            found.append(
                tf.contrib.seq2seq.sequence_loss(logits, targets, weights, False, False, over_steps, over_batch)
            )
    lists = [tf.unstack(t, axis=1) for t in (logits, targets, weights)]
    found.append(tf.contrib.legacy_seq2seq.sequence_loss(*lists))
    found.append(tf.contrib.legacy_seq2seq.sequence_loss_by_example(*lists, average_across_timesteps=False))
    return result(tf, np, found)


def legacy(name, model):
    def run(tf, np):
        encoder = [tf.constant([i, 2, 1]) for i in range(3)]
        decoder = [tf.constant([3, i, 0]) for i in range(4)]
        outputs, state = model(tf, tf.contrib.legacy_seq2seq, encoder, decoder, tf.nn.rnn_cell.GRUCell(4))
        return result(tf, np, [outputs, state], outputs, dense=True)

    PROGRAMS["legacy_" + name] = run


legacy("embedding", lambda tf, s, e, d, c: s.embedding_rnn_seq2seq(e, d, c, 5, 6, 3))
legacy("embedding_fed", lambda tf, s, e, d, c: s.embedding_rnn_seq2seq(e, d, c, 5, 6, 3, feed_previous=True))
legacy("embedding_either", lambda tf, s, e, d, c: s.embedding_rnn_seq2seq(
    e, d, c, 5, 6, 3, feed_previous=tf.constant(True)))  # fmt: skip
legacy("tied", lambda tf, s, e, d, c: s.embedding_tied_rnn_seq2seq(e, d, c, 6, 3))
legacy("attention", lambda tf, s, e, d, c: s.embedding_attention_seq2seq(
    e, d, c, 5, 6, 3, num_heads=2, initial_state_attention=True))  # fmt: skip
legacy("attention_fed", lambda tf, s, e, d, c: s.embedding_attention_seq2seq(e, d, c, 5, 6, 3, feed_previous=True))
legacy("many", lambda tf, s, e, d, c: tuple(
    list(x.values())[0] for x in s.one2many_rnn_seq2seq(e, {"a": d}, c, {"a": tf.nn.rnn_cell.GRUCell(4)}, 5, {"a": 6}, 3)
))  # fmt: skip


# -- losses over 50 steps of training


def trace(tf, loss, optimizer, feeds):
    """The loss before each of 50 steps; `feeds(i)` is what step i is fed."""
    step = optimizer.minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return [float(sess.run([loss, step], feeds(i))[0]) for i in range(50)]


def uniform(tf, seed):
    return tf.variable_scope("model", initializer=tf.random_uniform_initializer(-0.3, 0.3, seed=seed))


@program
def trace_lecture(tf, np):
    """The lecture's program: a plain cell, unrolled, on a sequence with two dependencies; its seeds are the graph's."""
    batch_size, num_steps, num_classes, state_size = 20, 5, 2, 4
    r = np.random.RandomState(0)
    X = r.choice(2, 20000)
    odds = 0.5 + 0.5 * np.roll(X, 3) - 0.25 * np.roll(X, 8)
    Y = (r.rand(20000) < odds).astype("int32")
    tf.set_random_seed(1)
    x = tf.placeholder(tf.int32, [batch_size, num_steps])
    y = tf.placeholder(tf.int32, [batch_size, num_steps])
    init_state = tf.zeros([batch_size, state_size])
    rnn_inputs = tf.unstack(tf.one_hot(x, num_classes), axis=1)
    cell = tf.nn.rnn_cell.BasicRNNCell(state_size)
    rnn_outputs, _ = tf.nn.static_rnn(cell, rnn_inputs, initial_state=init_state)
    with tf.variable_scope("softmax"):
        W = tf.get_variable("W", [state_size, num_classes])
        b = tf.get_variable("b", [num_classes], initializer=tf.constant_initializer(0.0))
    logits = [tf.matmul(rnn_output, W) + b for rnn_output in rnn_outputs]
    y_as_list = [tf.squeeze(i, axis=[1]) for i in tf.split(y, num_steps, 1)]
    loss_weights = [tf.ones([batch_size]) for i in range(num_steps)]
    losses = tf.contrib.legacy_seq2seq.sequence_loss_by_example(logits, y_as_list, loss_weights)

    def feeds(i):
        at = np.arange(batch_size)[:, None] * 900 + i * num_steps + np.arange(num_steps)
        return {x: X[at], y: Y[at]}

    return trace(tf, tf.reduce_mean(losses), tf.train.AdagradOptimizer(0.1), feeds)


@program
def trace_characters(tf, np):
    """Two layers of LSTM over characters, clipped gradients, Adam."""
    letters = 12
    ids = (np.cumsum(np.random.RandomState(1).randint(1, 4, 4000)) % letters).astype("int32")
    x, y = tf.placeholder(tf.int32, [None, None]), tf.placeholder(tf.int32, [None, None])
    tf.set_random_seed(7)
    with uniform(tf, 3):
        cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(8) for _ in range(2)])
        outputs, _ = tf.nn.dynamic_rnn(cell, tf.one_hot(x, letters), dtype=tf.float32)
        logits = tf.layers.dense(outputs, letters, name="logits")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    variables = tf.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 1.0)
    step = tf.train.AdamOptimizer(0.02).apply_gradients(zip(gradients, variables))
    at = np.arange(5)[:, None] * 700 + np.arange(9)
    found = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(50):
            rows = ids[at + i * 9]
            found.append(float(sess.run([loss, step], {x: rows[:, :-1], y: rows[:, 1:]})[0]))
    return found


@program
def trace_classifier(tf, np):
    """Sequences of unequal lengths, read in both directions by GRUs."""
    r = np.random.RandomState(2)
    x, n = tf.placeholder(tf.float32, [None, 7, 3]), tf.placeholder(tf.int32, [None])
    y = tf.placeholder(tf.int32, [None])
    tf.set_random_seed(7)
    with uniform(tf, 4):
        cells = tf.nn.rnn_cell.GRUCell(5), tf.nn.rnn_cell.GRUCell(5)
        _, states = tf.nn.bidirectional_dynamic_rnn(cells[0], cells[1], x, sequence_length=n, dtype=tf.float32)
        logits = tf.layers.dense(tf.concat(states, 1), 3, name="logits")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    rows, lengths = r.randn(60, 7, 3).astype("float32"), r.randint(1, 8, 60)
    labels = np.array([int(row[:k].sum() > 0) + int(row[0, 0] > 0) for row, k in zip(rows, lengths)])

    def feeds(i):
        at = (np.arange(20) + 20 * i) % 60
        return {x: rows[at], n: lengths[at], y: labels[at]}

    return trace(tf, loss, tf.train.MomentumOptimizer(0.1, 0.9), feeds)


@program
def trace_attention(tf, np):
    """Numbers read by a GRU and written backwards by an LSTM with attention, taught with the truth."""
    digits = np.random.RandomState(3).randint(1, 9, (12, 6)).astype("int32")
    s2s = tf.contrib.seq2seq
    source, target = tf.placeholder(tf.int32, [None, 6]), tf.placeholder(tf.int32, [None, 6])
    lengths = tf.constant([6] * 12)
    tf.set_random_seed(7)
    with uniform(tf, 5):
        letters = tf.get_variable("letters", [9, 6])
        memory, _ = tf.nn.dynamic_rnn(
            tf.nn.rnn_cell.GRUCell(6), tf.nn.embedding_lookup(letters, source), dtype=tf.float32
        )
        cell = s2s.AttentionWrapper(tf.nn.rnn_cell.BasicLSTMCell(6), s2s.LuongAttention(6, memory), 6)
        before = tf.concat([tf.zeros([12, 1], tf.int32), target[:, :-1]], 1)
        helper = s2s.TrainingHelper(tf.nn.embedding_lookup(letters, before), lengths)
        decoder = s2s.BasicDecoder(cell, helper, cell.zero_state(12, tf.float32), tf.layers.Dense(9, name="logits"))
        outputs, _, _ = s2s.dynamic_decode(decoder)
    loss = s2s.sequence_loss(outputs.rnn_output, target, tf.ones([12, 6]))
    return trace(tf, loss, tf.train.AdamOptimizer(0.02), lambda i: {source: digits, target: digits[:, ::-1]})


@program
def trace_legacy_attention(tf, np):
    """The same with the lists of 0.x, and plain descent."""
    digits = np.random.RandomState(3).randint(1, 9, (12, 4)).astype("int32")
    source = [tf.placeholder(tf.int32, [None]) for _ in range(4)]
    target = [tf.placeholder(tf.int32, [None]) for _ in range(4)]
    tf.set_random_seed(7)
    with uniform(tf, 6):
        cell = tf.nn.rnn_cell.GRUCell(6)
        before = [tf.zeros_like(target[0])] + target[:-1]
        outputs, _ = tf.contrib.legacy_seq2seq.embedding_attention_seq2seq(source, before, cell, 9, 9, 6)
    loss = tf.contrib.legacy_seq2seq.sequence_loss(outputs, target, [tf.ones([12])] * 4)

    def feeds(i):
        fed = dict(zip(source, digits.T))
        fed.update(zip(target, digits[:, ::-1].T))
        return fed

    return trace(tf, loss, tf.train.GradientDescentOptimizer(0.5), feeds)
