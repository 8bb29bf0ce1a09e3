"""The lecture's first LSTM, as a cell of one's own: selective writing, reading and forgetting, without a bound on the state.

i = sigmoid(W_i s + U_i x + b_i)        what to write
o = sigmoid(W_o s + U_o x + b_o)        what to read
f = sigmoid(W_f s + U_f x + b_f)        what to keep
s~ = tanh(W (o * s) + U x + b)
s' = f * s + i * s~
"""

from __future__ import annotations

import thalweg as tf


class FirstLSTM(tf.nn.rnn_cell.RNNCell):
    """The prototype: its state is its output. The state may grow without bound, which is what its successor mended."""

    def __init__(self, num_units: int):
        super().__init__()
        self._num_units = num_units

    @property
    def state_size(self) -> int:
        return self._num_units

    @property
    def output_size(self) -> int:
        return self._num_units

    def __call__(self, inputs, state, scope=None):
        n = self._num_units
        with tf.variable_scope(scope or "first_lstm"):
            shape = [inputs.get_shape()[-1].value + n, n]
            b = tf.get_variable("gates_bias", [3 * n], initializer=tf.zeros_initializer())
            W = tf.get_variable("gates", [shape[0], 3 * n])
            i, o, f = tf.split(tf.sigmoid(tf.matmul(tf.concat([inputs, state], 1), W) + b), 3, 1)
            W_s = tf.get_variable("state", shape)
            b_s = tf.get_variable("state_bias", [n], initializer=tf.zeros_initializer())
            new = tf.tanh(tf.matmul(tf.concat([inputs, o * state], 1), W_s) + b_s)
            state = f * state + i * new
        return state, state


CELLS = {
    "rnn": tf.nn.rnn_cell.BasicRNNCell,
    "first": FirstLSTM,
    "gru": tf.nn.rnn_cell.GRUCell,
    "lstm": tf.nn.rnn_cell.BasicLSTMCell,
}
