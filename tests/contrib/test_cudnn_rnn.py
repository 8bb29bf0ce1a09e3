"""`tf.contrib.cudnn_rnn`: its checkpoints fit the cells that are compatible, which then compute the same; and back again."""

import numpy as np
import pytest

import thalweg as tf
from thalweg.contrib import cudnn_rnn

TIME, BATCH, WIDTH, UNITS = 3, 2, 3, 4
X = np.random.RandomState(0).standard_normal((TIME, BATCH, WIDTH)).astype(np.float32)
LENGTHS = np.array([3, 2], np.int32)

KINDS = {
    "lstm": (cudnn_rnn.CudnnLSTM, cudnn_rnn.CudnnCompatibleLSTMCell),
    "gru": (cudnn_rnn.CudnnGRU, cudnn_rnn.CudnnCompatibleGRUCell),
}


def by_layer(kind, layers, direction, path, restored):
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.set_random_seed(3)
        bias = tf.random_uniform_initializer(-1, 1)
        layer = KINDS[kind][0](layers, UNITS, direction=direction, bias_initializer=bias)
        outputs, states = layer(tf.constant(X), sequence_lengths=LENGTHS)
        saver = tf.train.Saver([layer.saveable])
        if restored:
            saver.restore(sess, path)
        else:
            sess.run(tf.global_variables_initializer())
            saver.save(sess, path, write_meta_graph=False)
        gradient = tf.gradients(tf.reduce_sum(tf.square(outputs)), layer.kernel)[0]
        assert [v.name for v in layer.trainable_variables] == [f"cudnn_{kind}/opaque_kernel:0"]
        assert outputs.shape.as_list() == [TIME, BATCH, layer.num_dirs * UNITS]
        return sess.run([outputs, states, gradient])


def by_cells(kind, layers, direction, path):
    with tf.Graph().as_default(), tf.variable_scope(f"cudnn_{kind}"), tf.Session() as sess:
        cells = [[KINDS[kind][1](UNITS) for _ in range(layers)] for _ in range(2)]
        if direction == "unidirectional":
            cell = tf.nn.rnn_cell.MultiRNNCell(cells[0])
            outputs, _ = tf.nn.dynamic_rnn(cell, X, LENGTHS, dtype=tf.float32, time_major=True)
        else:
            outputs, _, _ = tf.contrib.rnn.stack_bidirectional_dynamic_rnn(
                *cells, X, dtype=tf.float32, sequence_length=LENGTHS, time_major=True
            )
        saver = tf.train.Saver()
        saver.restore(sess, path)
        saver.save(sess, path + "-again", write_meta_graph=False)
        return sess.run(outputs)


@pytest.mark.parametrize(("kind", "layers", "direction"), [("lstm", 2, "unidirectional"), ("gru", 1, "bidirectional")])
def test_compatible_cells_read_the_layer_and_the_layer_reads_them(kind, layers, direction, tmp_path):
    path = str(tmp_path / "model")
    outputs, states, gradient = by_layer(kind, layers, direction, path, restored=False)
    np.testing.assert_allclose(by_cells(kind, layers, direction, path), outputs, atol=1e-5)
    again, states_again, gradient_again = by_layer(kind, layers, direction, path + "-again", restored=True)
    np.testing.assert_allclose(again, outputs, atol=1e-5)
    np.testing.assert_allclose(states_again, states, atol=1e-5)
    if kind != "gru":  # the halves of a bias come together in the cells
        np.testing.assert_allclose(gradient_again, gradient, atol=1e-4)
    assert np.abs(outputs[2, 1]).max() == 0
    assert states[0].shape == (layers * (2 if direction == "bidirectional" else 1), BATCH, UNITS)


def test_batches_first_and_dropout_between_layers():
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.set_random_seed(1)
        layer = cudnn_rnn.CudnnLSTM(2, UNITS, dropout=0.5)
        there, (h, _) = layer(tf.constant(X), training=False)
        first, (h_first, _) = layer(tf.constant(X.transpose(1, 0, 2)), time_major=False, training=False)
        trained, _ = layer(tf.constant(X))
        sess.run(tf.global_variables_initializer())
        there, h, first, h_first, trained = sess.run([there, h, first, h_first, trained])
    np.testing.assert_allclose(first.transpose(1, 0, 2), there, atol=1e-6)
    np.testing.assert_allclose(h_first.transpose(1, 0, 2), h, atol=1e-6)
    assert np.abs(trained - there).max() > 1e-3


def test_what_it_refuses():
    with pytest.raises(ValueError, match="Invalid direction"):
        cudnn_rnn.CudnnGRU(1, 2, direction="sideways")
    with pytest.raises(NotImplementedError, match="skip"):
        cudnn_rnn.CudnnGRU(1, 2, input_mode="skip_input")
    with pytest.raises(RuntimeError, match="before input shape is known"):
        _ = cudnn_rnn.CudnnGRU(1, 2).canonical_weight_shapes
    with pytest.raises(TypeError, match="expecting tuple"):
        cudnn_rnn.CudnnGRU(1, 2)(tf.zeros([1, 1, 3]), initial_state=[tf.zeros([1, 1, 2])])
