"""A network with one hidden layer: 512 rectified sums of the pixels, and softmax regression on those."""

from data import Digits
from train import Model, Plan, main

import thalweg as tf

HIDDEN1_UNITS = 512


def weight_variable(inputs: int, outputs: int, name: str = "weights") -> tf.Variable:
    """Small random weights, so that no two units start alike; the more inputs, the smaller."""
    return tf.Variable(tf.truncated_normal([inputs, outputs], stddev=inputs**-0.5), name=name)


def bias_variable(outputs: int, name: str = "biases") -> tf.Variable:
    """Slightly positive biases, so that most rectified units start awake."""
    return tf.Variable(tf.constant(0.1, shape=[outputs]), name=name)


def hidden(side: int) -> Model:
    """Builds the graph for pictures of `side` x `side` pixels."""
    x = tf.placeholder(tf.float32, [None, side * side], name="pixels")
    y_ = tf.placeholder(tf.float32, [None, 10], name="labels")

    with tf.name_scope("hidden1"):
        weights1 = weight_variable(side * side, HIDDEN1_UNITS)
        biases1 = bias_variable(HIDDEN1_UNITS)
        hidden1 = tf.nn.relu(tf.matmul(x, weights1) + biases1)

    with tf.name_scope("readout"):
        weights2 = weight_variable(HIDDEN1_UNITS, 10)
        biases2 = bias_variable(10)
        y = tf.matmul(hidden1, weights2) + biases2

    with tf.name_scope("cross_entropy"):
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y_, logits=y))

    with tf.name_scope("train"):
        train_step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)

    with tf.name_scope("evaluation"):
        correct_prediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))
        accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

    return Model(x, y_, y, loss, accuracy, train_step)


def plan(digits: Digits) -> Plan:
    """About 200 passes over the small digits, 15 over MNIST."""
    return Plan(steps=3000 if digits.side == 8 else 9000)


if __name__ == "__main__":
    main(hidden, plan)
