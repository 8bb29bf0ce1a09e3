"""The decoders of TensorFlow 1.0, against the same steps by hand."""

import numpy as np
import pytest

import thalweg as tf

BATCH, UNITS, SYMBOLS, DEPTH = 2, 5, 7, 5
seq2seq = tf.contrib.seq2seq


@pytest.fixture
def network():
    """(encoder states, their end, embeddings, cell, projection): weights come from a seed."""
    with tf.Graph().as_default():
        random = np.random.RandomState(3)
        states = tf.constant(random.randn(BATCH, 4, UNITS), tf.float32)
        embeddings = tf.constant(random.randn(SYMBOLS, DEPTH), tf.float32)
        tf.get_variable_scope().set_initializer(tf.random_uniform_initializer(-0.8, 0.8, seed=4))
        project = tf.constant(random.randn(UNITS, SYMBOLS), tf.float32)
        yield states, states[:, -1], embeddings, tf.nn.rnn_cell.GRUCell(UNITS), lambda x: tf.matmul(x, project)


def run(fetches):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches)


def test_training_is_the_network_over_the_inputs(network):
    _, end, _, cell, _ = network
    inputs = tf.constant(np.random.RandomState(5).randn(BATCH, 6, DEPTH), tf.float32)
    length = tf.constant([6, 3])
    with tf.variable_scope("decoder") as scope:
        outputs, state, context = seq2seq.dynamic_rnn_decoder(
            cell, seq2seq.simple_decoder_fn_train(end), inputs, length, scope=scope
        )
        scope.reuse_variables()
        plain, plain_state = tf.nn.dynamic_rnn(cell, inputs, length, end, scope=scope)
    assert context is None
    got = run([outputs, state, plain, plain_state])
    np.testing.assert_allclose(got[0], got[2], rtol=1e-5)
    np.testing.assert_allclose(got[1], got[3], rtol=1e-5)


def test_decoding_takes_the_likeliest_symbol_until_the_length(network):
    _, end, embeddings, cell, project = network
    decoder = seq2seq.simple_decoder_fn_inference(project, end, embeddings, 1, SYMBOLS + 1, 3, SYMBOLS)
    with tf.variable_scope("decoder") as scope:
        outputs, state, _ = seq2seq.dynamic_rnn_decoder(cell, decoder, scope=scope)
        scope.reuse_variables()
        chosen, by_hand, expected = tf.ones([BATCH], tf.int32), end, []
        with tf.variable_scope(scope):
            for _ in range(4):
                _, by_hand = cell(tf.gather(embeddings, chosen), by_hand)
                expected.append(project(by_hand))
                chosen = tf.argmax(expected[-1], 1)
    got = run([outputs, state, tf.stack(expected, 1), by_hand])
    assert got[0].shape == (BATCH, 4, SYMBOLS)
    np.testing.assert_allclose(got[0], got[2], rtol=1e-5)
    np.testing.assert_allclose(got[1], got[3], rtol=1e-5)


def test_decoding_ends_with_the_symbol_for_the_end(network):
    _, end, embeddings, cell, _ = network
    always = lambda x: tf.one_hot([2, 2], SYMBOLS) + 0.0 * tf.reduce_sum(x)
    decoder = seq2seq.simple_decoder_fn_inference(always, end, embeddings, 1, 2, 9, SYMBOLS)
    outputs, _, _ = seq2seq.dynamic_rnn_decoder(cell, decoder, time_major=True)
    assert run(outputs).shape == (1, BATCH, SYMBOLS)


@pytest.mark.parametrize("option", ["bahdanau", "luong"])
def test_attention_stands_beside_the_inputs(network, option):
    states, end, embeddings, cell, project = network
    inputs = tf.constant(np.random.RandomState(5).randn(BATCH, 3, DEPTH), tf.float32)
    with tf.variable_scope("decoder") as scope:
        attention = seq2seq.prepare_attention(states, option, UNITS)
        trained, _, _ = seq2seq.dynamic_rnn_decoder(
            cell, seq2seq.attention_decoder_fn_train(end, *attention), inputs, tf.constant([3, 3]), scope=scope
        )
        scope.reuse_variables()
        decoder = seq2seq.attention_decoder_fn_inference(project, end, *attention, embeddings, 1, 99, 1, SYMBOLS)
        decoded, _, _ = seq2seq.dynamic_rnn_decoder(cell, decoder, scope=scope)
        with tf.variable_scope(scope):
            _, state = cell(tf.concat([inputs[:, 0], tf.zeros_like(end)], 1), end)
        keys, values, score, construct = attention
        first = construct(state, keys, values)
        weights = tf.get_variable("attention_construct/weights", [2 * UNITS, UNITS])
        again = tf.matmul(tf.concat([state, score(state, keys, values)], 1), weights)
    got = run([trained, first, again, decoded])
    assert got[3].shape == (BATCH, 2, SYMBOLS)
    np.testing.assert_allclose(got[0][:, 0], got[1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(got[1], got[2], rtol=1e-4, atol=1e-6)


def test_what_is_refused(network):
    states, end, _, cell, _ = network
    with pytest.raises(ValueError, match="two dimensions"):
        seq2seq.dynamic_rnn_decoder(cell, seq2seq.simple_decoder_fn_train(end), tf.zeros([3]))
    _, values, score, _ = seq2seq.prepare_attention(states, "other", UNITS)
    with pytest.raises(ValueError, match="Unknown attention option"):
        score(end, values, values)
