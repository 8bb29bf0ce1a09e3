"""More programs with recurrent networks: ways to run a cell over time, the helpers of decoders, attention, sequence to sequence
of 0.x. They go into the table of `recurrent_programs`, and are recorded with it.

Kept to what Python 3.6 reads.
"""

import importlib

from oracle.recurrent_programs import PROGRAMS, numbers, program, result, unrolled

FIRST = frozenset(PROGRAMS)  # those of the other file

# -- cells that the first file has not


def inner(tf):
    """The cells of contrib, those too that TensorFlow has in an internal module only."""
    if hasattr(tf.contrib.rnn, "NTMCell"):
        return tf.contrib.rnn
    return importlib.import_module("tensorflow.contrib.rnn.python.ops.rnn_cell")


unrolled("normalized", lambda tf: inner(tf).LayerNormLSTMCell(
    4, use_peepholes=True, cell_clip=0.4, num_proj=3, proj_clip=0.3, layer_norm=True, norm_shift=0.1))  # fmt: skip
unrolled("peephole", lambda tf: inner(tf).LayerNormLSTMCell(4, use_peepholes=True))
unrolled("weight_norm", lambda tf: inner(tf).WeightNormLSTMCell(
    4, use_peepholes=True, cell_clip=0.4, num_proj=3, proj_clip=0.3))  # fmt: skip
unrolled("weights", lambda tf: inner(tf).WeightNormLSTMCell(4, norm=False))
unrolled("minimal", lambda tf: inner(tf).MinimalRNNCell(4))
unrolled("chaos_free", lambda tf: inner(tf).CFNCell(4, activation="relu"))


def turing(name, make):
    def run(tf, np):
        xs = tf.unstack(tf.constant(numbers(np, 3, 4, 6)), axis=1)
        outputs, state = tf.nn.static_rnn(make(tf), xs, dtype=tf.float32)
        return result(tf, np, [outputs, state[:-1]], outputs)  # the time is an integer of Python's

    PROGRAMS["cell_" + name] = run


turing("turing", lambda tf: inner(tf).NTMCell(tf.nn.rnn_cell.BasicLSTMCell(4), 5, 3, 2, 1, output_dim=4))
turing("one_head", lambda tf: inner(tf).NTMCell(tf.nn.rnn_cell.GRUCell(4), 6, 2, 1, 1, shift_range=2, clip_value=0.5))
unrolled("gru_block_v1", lambda tf: tf.contrib.rnn.GRUBlockCell(4))
unrolled("compiled", lambda tf: tf.contrib.rnn.CompiledWrapper(tf.nn.rnn_cell.GRUCell(4)))
unrolled("coupled_highway", lambda tf: tf.contrib.rnn.HighwayWrapper(tf.contrib.rnn.GRUCell(6), carry_bias_init=0.3))
unrolled("attention_over_states", lambda tf: tf.contrib.rnn.AttentionCellWrapper(
    tf.nn.rnn_cell.BasicLSTMCell(4), 2, attn_size=3, attn_vec_size=5, input_size=4))  # fmt: skip
unrolled("joined_attention", lambda tf: tf.contrib.rnn.AttentionCellWrapper(
    tf.nn.rnn_cell.GRUCell(4), 2, state_is_tuple=False))  # fmt: skip
unrolled("not_normalized", lambda tf: tf.contrib.rnn.LayerNormBasicLSTMCell(4, layer_norm=False, forget_bias=0.2))
unrolled("normalized_coupled", lambda tf: tf.contrib.rnn.CoupledInputForgetGateLSTMCell(4, layer_norm=True))
unrolled("residual_own", lambda tf: tf.nn.rnn_cell.ResidualWrapper(
    tf.nn.rnn_cell.GRUCell(6), lambda x, y: 2.0 * x - y))  # fmt: skip
unrolled("device", lambda tf: tf.nn.rnn_cell.DeviceWrapper(tf.nn.rnn_cell.LSTMCell(4, name="own"), "/cpu:0"))
unrolled("nas_of_states", lambda tf: tf.contrib.rnn.NASCell(4))
unrolled("ugrnn_biased", lambda tf: tf.contrib.rnn.UGRNNCell(4, forget_bias=0.3, activation=tf.nn.relu))
unrolled("intersection_other", lambda tf: tf.contrib.rnn.IntersectionRNNCell(6, forget_bias=0.2, y_activation=tf.tanh))
unrolled("lstm_block_plain", lambda tf: tf.contrib.rnn.LSTMBlockCell(4, forget_bias=0.5))
unrolled("frequency_clipped", lambda tf: tf.contrib.rnn.TimeFreqLSTMCell(
    4, cell_clip=0.4, num_unit_shards=2, forget_bias=0.5, feature_size=6))  # fmt: skip


@program
def cell_embedded(tf, np):
    cell = tf.contrib.rnn.EmbeddingWrapper(tf.nn.rnn_cell.BasicLSTMCell(4), embedding_classes=7, embedding_size=3)
    inputs = [tf.constant([[i], [6 - i]]) for i in range(3)]
    outputs, state = tf.nn.static_rnn(cell, inputs, dtype=tf.float32)
    return result(tf, np, [outputs, state], outputs, dense=True)


def convolved(name, make, *shape, **more):
    def run(tf, np):
        x = tf.constant(numbers(np, *shape))
        outputs, state = tf.nn.static_rnn(make(tf), [x] * more.get("steps", 2), dtype=tf.float32)
        return result(tf, np, [outputs, state], outputs)

    PROGRAMS["cell_convolved_" + name] = run


convolved("1d", lambda tf: tf.contrib.rnn.Conv1DLSTMCell(
    input_shape=[5, 2], output_channels=3, kernel_shape=[3], use_bias=False), 2, 5, 2)  # fmt: skip
convolved("3d", lambda tf: tf.contrib.rnn.Conv3DLSTMCell(
    input_shape=[3, 4, 2, 2], output_channels=3, kernel_shape=[2, 3, 1], forget_bias=0.5), 2, 3, 4, 2, 2)  # fmt: skip
convolved("skip", lambda tf: tf.contrib.rnn.ConvLSTMCell(
    2, [5, 4, 2], 3, [2, 2], skip_connection=True), 2, 5, 4, 2, steps=1)  # fmt: skip


# -- ways to run a cell over time


class Saver(object):
    """States by name, as a queue of sequences keeps them."""

    def __init__(self, tf, np):
        self.tf, self.np, self.saved = tf, np, {}

    def state(self, name):
        return self.tf.constant(numbers(self.np, 3, 4) * (2.0 if name == "c" else 1.0))

    def save_state(self, name, value):
        self.saved[name] = value * 10.0
        return self.saved[name]


@program
def states_saved(tf, np):
    saver = Saver(tf, np)
    xs = tf.unstack(tf.constant(numbers(np, 3, 4, 6)), axis=1)
    cell = tf.nn.rnn_cell.LSTMCell(4)
    outputs, state = tf.nn.static_state_saving_rnn(cell, xs, saver, ("c", "h"), sequence_length=[4, 1, 0])
    return result(tf, np, [outputs, state, saver.saved["c"], saver.saved["h"]], outputs)


@program
def stacked_both_ways(tf, np):
    nn, x = tf.nn.rnn_cell, tf.constant(numbers(np, 3, 4, 6))
    stack = tf.contrib.rnn.stack_bidirectional_dynamic_rnn
    first = [tf.constant(numbers(np, 3, 2))] * 2
    a = stack(
        [nn.GRUCell(2), nn.LSTMCell(3)], [nn.GRUCell(2), nn.GRUCell(4)], x, dtype=tf.float32, sequence_length=[4, 0, 2]
    )
    with tf.variable_scope("again"):
        cells = [[nn.GRUCell(2) for _ in range(2)] for _ in range(2)]
        b = stack(cells[0], cells[1], x, first, first, time_major=False)
    return result(tf, np, [a, b], [a[0], b[0]])


@program
def stacked_lists(tf, np):
    nn = tf.nn.rnn_cell
    xs = tf.unstack(tf.constant(numbers(np, 3, 4, 6)), axis=1)
    found = tf.contrib.rnn.stack_bidirectional_rnn(
        [nn.GRUCell(2), nn.LSTMCell(3)], [nn.GRUCell(2), nn.GRUCell(4)], xs, dtype=tf.float32, sequence_length=[4, 0, 2])  # fmt: skip
    return result(tf, np, found, found[0])


@program
def adapted(tf, np):
    """Cells as fused ones, forwards and backwards, in a loop and unrolled."""
    r, x = tf.contrib.rnn, tf.constant(numbers(np, 4, 3, 6))
    lengths, found = tf.constant([1, 4, 3]), []
    for i, dynamic in enumerate((False, True)):
        with tf.variable_scope("way%d" % i):
            cell = r.FusedRNNCellAdaptor(tf.nn.rnn_cell.GRUCell(4), use_dynamic_rnn=dynamic)
            found.append(cell(x, dtype=tf.float32))
            back = r.TimeReversedFusedRNN(r.FusedRNNCellAdaptor(tf.nn.rnn_cell.LSTMCell(4), dynamic))
            found.append(back(x, sequence_length=lengths, dtype=tf.float32))
    block = r.TimeReversedFusedRNN(r.LSTMBlockFusedCell(4, forget_bias=0.5))
    found.append(block(x, sequence_length=lengths, dtype=tf.float32))
    first = (tf.constant(numbers(np, 3, 4)), tf.constant(numbers(np, 3, 4)))
    found.append(r.LSTMBlockFusedCell(4, name="own")(x, initial_state=first))
    return result(tf, np, found, [f[0] for f in found])


@program
def phased_over_time(tf, np):
    cell = tf.contrib.rnn.PhasedLSTMCell(4, leak=0.1, ratio_on=0.3)
    time = tf.constant(np.cumsum(np.abs(numbers(np, 3, 5, 1)), 1))
    outputs, state = tf.nn.dynamic_rnn(cell, (time, tf.constant(numbers(np, 3, 5, 6))), [5, 2, 0], dtype=tf.float32)
    return result(tf, np, [outputs, state], [outputs], shift=1.0)


@program
def structures_over_time(tf, np):
    """A cell whose inputs, states and outputs are structures of other ranks."""

    class Pairs(tf.nn.rnn_cell.RNNCell):
        @property
        def state_size(self):
            return (tf.TensorShape([2, 2]), 3)

        @property
        def output_size(self):
            return (tf.TensorShape([2, 2]), 3)

        def call(self, inputs, state):
            a, b = tf.tanh(inputs[0] + state[0]), inputs[1] * 0.5 + state[1]
            return (a, b), (a, b)

    x = (tf.constant(numbers(np, 3, 4, 2, 2)), tf.constant(numbers(np, 3, 4, 3)))
    outputs, state = tf.nn.dynamic_rnn(Pairs(), x, [4, 1, 2], dtype=tf.float32)
    listed = list(zip(tf.unstack(x[0], axis=1), tf.unstack(x[1], axis=1)))
    unrolled_outputs, last = tf.nn.static_rnn(Pairs(), listed, dtype=tf.float32, sequence_length=[4, 1, 2])
    slopes = tf.gradients([tf.reduce_sum(o * o) for o in outputs], list(x))
    return result(tf, np, [outputs, state, unrolled_outputs, last, slopes])


# -- helpers of decoders


def helped(name, make_helper, limit=None, time_major=False):
    def run(tf, np):
        s2s = tf.contrib.seq2seq
        tf.set_random_seed(11)
        table = tf.constant(numbers(np, 8, 6))
        decoder = s2s.BasicDecoder(
            tf.nn.rnn_cell.GRUCell(4),
            make_helper(tf, np, s2s, table),
            tf.constant(numbers(np, 3, 4)),
            tf.layers.Dense(8),
        )
        # One turn after the other: TensorFlow draws the random numbers of turns that run side by side in any order.
        outputs, state, lengths = s2s.dynamic_decode(decoder, time_major, True, limit, parallel_iterations=1)
        shapes = [outputs.rnn_output.get_shape().as_list(), outputs.sample_id.get_shape().as_list()]
        return shapes, result(tf, np, [outputs, state, lengths], [outputs.rnn_output])

    PROGRAMS["helper_" + name] = run


def steps(tf, np, width=6):
    return tf.constant(numbers(np, 3, 4, width))


helped("training", lambda tf, np, s, t: s.TrainingHelper(
    tf.transpose(steps(tf, np), [1, 0, 2]), [4, 2, 0], time_major=True), time_major=True)  # fmt: skip
helped("scheduled_embedding", lambda tf, np, s, t: s.ScheduledEmbeddingTrainingHelper(
    steps(tf, np), [4, 2, 3], t, 0.6, seed=3, scheduling_seed=4))  # fmt: skip
helped("scheduled_embedding_of_truth", lambda tf, np, s, t: s.ScheduledEmbeddingTrainingHelper(
    steps(tf, np), [4, 2, 3], lambda ids: tf.nn.embedding_lookup(t, ids), 0.0))  # fmt: skip
helped("scheduled_output", lambda tf, np, s, t: s.ScheduledOutputTrainingHelper(
    steps(tf, np, 8), [4, 2, 3], 0.5, seed=5))  # fmt: skip
helped("scheduled_output_further", lambda tf, np, s, t: s.ScheduledOutputTrainingHelper(
    steps(tf, np), [4, 2, 3], 0.5, seed=5, next_inputs_fn=lambda y: tf.tanh(y[:, :6]), auxiliary_inputs=steps(tf, np, 2)))  # fmt: skip
helped(
    "sampled", lambda tf, np, s, t: s.SampleEmbeddingHelper(t, [1, 2, 3], 0, softmax_temperature=0.7, seed=6), limit=7
)
helped("greedy_function", lambda tf, np, s, t: s.GreedyEmbeddingHelper(
    lambda ids: tf.nn.embedding_lookup(t, ids), [1, 2, 3], 0), limit=5)  # fmt: skip
helped("inference", lambda tf, np, s, t: s.InferenceHelper(
    lambda y: y[:, :6], [6], tf.float32, tf.constant(numbers(np, 3, 6)), lambda x: x[:, 0] > 0.4), limit=5)  # fmt: skip
helped("custom", lambda tf, np, s, t: s.CustomHelper(
    initialize_fn=lambda: (tf.tile([False], [3]), tf.constant(numbers(np, 3, 6))),
    sample_fn=lambda time, outputs, state: tf.cast(tf.argmin(outputs, 1), tf.int32),
    next_inputs_fn=lambda time, outputs, state, sample_ids: (
        sample_ids > time + 3, tf.gather(t, sample_ids), state)), limit=6)  # fmt: skip


# -- attention


def attended(name, make_cell, shape=(3, 5, 4)):
    def run(tf, np):
        tf.set_random_seed(12)
        s2s = tf.contrib.seq2seq
        cell = make_cell(tf, s2s, tf.constant(numbers(np, *shape)), tf.nn.rnn_cell.LSTMCell(4))
        outputs, state = tf.nn.dynamic_rnn(cell, steps(tf, np), dtype=tf.float32)
        fetched = [outputs, state.cell_state, state.attention, state.alignments, state.attention_state]
        return result(tf, np, fetched, [outputs])

    PROGRAMS["attention_" + name] = run


attended("two", lambda tf, s, m, c: s.AttentionWrapper(
    c, [s.LuongAttention(4, m), s.BahdanauAttention(5, m, [5, 1, 2])], attention_layer_size=[3, 2]))  # fmt: skip
attended("without_layer", lambda tf, s, m, c: s.AttentionWrapper(
    c, s.BahdanauAttention(5, m, [5, 1, 2], score_mask_value=-3.0), output_attention=False))  # fmt: skip
attended("own_layer", lambda tf, s, m, c: s.AttentionWrapper(
    c, s.LuongAttention(4, m, probability_fn=tf.sigmoid), attention_layer=tf.layers.Dense(3, tf.tanh, name="own"),
    cell_input_fn=lambda x, a: tf.concat([x, a, a], -1)))  # fmt: skip
attended("first_state", lambda tf, s, m, c: s.AttentionWrapper(
    c, s.LuongAttention(4, m, scale=True), 3, initial_cell_state=tf.nn.rnn_cell.LSTMStateTuple(m[:, 0], m[:, 1])))  # fmt: skip
attended("hard_monotonic", lambda tf, s, m, c: s.AttentionWrapper(
    c, s.LuongMonotonicAttention(4, m, [5, 1, 2], scale=True, score_bias_init=0.2, mode="hard"), 3))  # fmt: skip
attended("noisy_monotonic", lambda tf, s, m, c: s.AttentionWrapper(
    c, s.BahdanauMonotonicAttention(5, m, normalize=True, sigmoid_noise=0.5, sigmoid_noise_seed=7), 3))  # fmt: skip


@program
def parts_of_attention(tf, np):
    s2s = tf.contrib.seq2seq
    p, before = tf.sigmoid(tf.constant(numbers(np, 3, 5))), tf.nn.softmax(tf.constant(numbers(np, 3, 5)))
    found = [s2s.monotonic_attention(p, before, mode) for mode in ("recursive", "parallel")]
    found.append(s2s.monotonic_attention(tf.round(p), s2s.hardmax(before), "hard"))
    found += [s2s.hardmax(before), s2s.safe_cumprod(p, axis=1, exclusive=True)]
    nested = s2s.tile_batch({"a": p, "b": (before, tf.constant([1, 2, 3]))}, 2)
    found += [nested["a"], nested["b"][0], nested["b"][1]]
    step_ids = tf.constant(np.arange(24, dtype="int32").reshape(4, 2, 3) % 7)
    parents = tf.constant(np.arange(24, dtype="int32").reshape(4, 2, 3)[:, :, ::-1] % 3)
    found.append(s2s.gather_tree(step_ids, parents, [4, 2], 6))
    return result(tf, np, found)


def beams_with_history(length_weight, reorder, end):
    def run(tf, np):
        s2s = tf.contrib.seq2seq
        memory = s2s.tile_batch(tf.constant(numbers(np, 3, 5, 4)), 2)
        cell = s2s.AttentionWrapper(
            tf.nn.rnn_cell.LSTMCell(4), s2s.LuongAttention(4, memory), 4, alignment_history=True, name="reader"
        )
        table = tf.constant(numbers(np, 8, 6))
        decoder = s2s.BeamSearchDecoder(
            cell, lambda ids: tf.nn.embedding_lookup(table, ids), [1, 2, 3], end, cell.zero_state(6, tf.float32), 2,
            tf.layers.Dense(8, use_bias=False), length_penalty_weight=length_weight, reorder_tensor_arrays=reorder)  # fmt: skip
        outputs, state, lengths = s2s.dynamic_decode(decoder, output_time_major=True, maximum_iterations=6)
        history = state.cell_state.alignment_history
        history = history.stack() if hasattr(history, "stack") else history
        fetched = [outputs, lengths, history, decoder.batch_size]
        size = decoder.output_size
        return [[str(size.scores), str(size.predicted_ids)], result(tf, np, fetched)]

    PROGRAMS["beams_%d_%s" % (reorder, end)] = run


beams_with_history(0.6, True, 3)
beams_with_history(0.0, False, 0)


# -- lists of 0.x


def listed(name, model):
    def run(tf, np):
        first = [tf.constant(numbers(np, 3, 6) * k) for k in (1.0, -0.5)]
        second = [tf.constant(numbers(np, 3, 6) * k) for k in (0.3, 2.0, 1.0)]
        outputs, state = model(tf, tf.contrib.legacy_seq2seq, first, second, tf.nn.rnn_cell.GRUCell(6))
        return result(tf, np, [outputs, state], outputs)

    PROGRAMS["listed_" + name] = run


def further(tf):
    return lambda output, i: output * 0.5


listed("decoder", lambda tf, s, a, b, c: s.rnn_decoder(b, a[0], c))
listed("decoder_loop", lambda tf, s, a, b, c: s.rnn_decoder(b, a[0], c, loop_function=further(tf), scope="own"))
listed("basic", lambda tf, s, a, b, c: s.basic_rnn_seq2seq(a, b, c))
listed("tied", lambda tf, s, a, b, c: s.tied_rnn_seq2seq(a, b, c, loop_function=further(tf)))
listed("attention", lambda tf, s, a, b, c: s.attention_decoder(
    b, a[0], tf.stack(a, 1), c, output_size=3, num_heads=2))  # fmt: skip
listed("attention_loop", lambda tf, s, a, b, c: s.attention_decoder(
    b, a[0], tf.stack(a, 1), c, loop_function=further(tf), initial_state_attention=True))  # fmt: skip


def chosen(name, model):
    def run(tf, np):
        ids = [tf.constant([3, i, 0]) for i in range(4)]
        first = tf.constant(numbers(np, 3, 4))
        outputs, state = model(tf, tf.contrib.legacy_seq2seq, ids, first, tf.nn.rnn_cell.GRUCell(4))
        return result(tf, np, [outputs, state], outputs, dense=True)

    PROGRAMS["chosen_" + name] = run


def projection(tf):
    return tf.get_variable("W", [4, 6]), tf.get_variable("b", [6])


chosen("embedding", lambda tf, s, ids, first, c: s.embedding_rnn_decoder(ids, first, c, 6, 3))
chosen("embedding_fed", lambda tf, s, ids, first, c: s.embedding_rnn_decoder(
    ids, first, c, 6, 3, output_projection=projection(tf), feed_previous=True, update_embedding_for_previous=False))  # fmt: skip
chosen("attention", lambda tf, s, ids, first, c: s.embedding_attention_decoder(
    ids, first, tf.stack([first, first * 0.5], 1), c, 6, 3, output_projection=projection(tf), feed_previous=True))  # fmt: skip


@program
def buckets(tf, np):
    s2s, softmax = tf.contrib.legacy_seq2seq, tf.nn.sparse_softmax_cross_entropy_with_logits
    ids = [tf.constant([i % 5, 2, 1]) for i in range(4)]
    weights = [tf.constant([1.0, 0.5, float(i < 2)]) for i in range(4)]
    model = lambda a, b: s2s.embedding_attention_seq2seq(a, b, tf.nn.rnn_cell.GRUCell(4), 5, 6, 3)
    twice = lambda labels, logits: softmax(labels=labels, logits=logits) * 2.0
    found = []
    for each, loss in ((False, twice), (True, None)):
        with tf.variable_scope("way%d" % each):
            found.append(s2s.model_with_buckets(ids, ids, ids, weights, [(2, 2), (3, 4)], model, loss, each))
    return result(tf, np, found)


# Those that every run of the tests goes through.
ALWAYS = frozenset(
    "attention_hard_monotonic attention_two beams_1_3 cell_chaos_free cell_embedded "
    "cell_minimal cell_normalized cell_turing cell_weight_norm helper_sampled helper_scheduled_embedding_of_truth "
    "helper_scheduled_output listed_attention parts_of_attention states_saved structures_over_time".split()
)
