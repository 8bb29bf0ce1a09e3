"""A convolutional network: twice convolution, rectification and pooling, then a dense layer with dropout, and softmax.

It is the talks' network. Three things of how it is trained are not, and together they halve its mistakes: the pictures
are moved, turned and stretched a little, at random, so that it hardly sees the same one twice; it is not asked to be
entirely sure of them; and the learning rate halves every 2,000 steps.
"""

import numpy as np
from data import Digits, Wobble
from train import Model, Plan, main

import thalweg as tf


def weight_variable(shape: list[int]) -> tf.Variable:
    """Random weights such that a rectified layer hands on what comes in as strongly as it came (He et al. 2015)."""
    inputs = float(np.prod(shape[:-1]))
    return tf.Variable(tf.truncated_normal(shape, stddev=(2 / inputs) ** 0.5), name="weights")


def bias_variable(shape: list[int]) -> tf.Variable:
    return tf.Variable(tf.constant(0.1, shape=shape), name="biases")


def conv2d(x: tf.Tensor, W: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding="SAME")


def max_pool_2x2(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


def convnet(side: int) -> Model:
    """Builds the graph for pictures of `side` x `side` pixels.

    For 28 it has the talks' sizes. After a pooling a picture of 8 is only 4 wide: there the second convolution is 3x3
    in place of 5x5, and the dense layer has 256 units in place of 1,024.
    """
    size, units = (3, 256) if side == 8 else (5, 1024)
    x = tf.placeholder(tf.float32, [None, side * side], name="pixels")
    y_ = tf.placeholder(tf.float32, [None, 10], name="labels")
    keep_prob = tf.placeholder_with_default(1.0, [], name="keep_prob")

    with tf.name_scope("conv1"):
        x_image = tf.reshape(x, [-1, side, side, 1])
        h_conv1 = tf.nn.relu(conv2d(x_image, weight_variable([5, 5, 1, 32])) + bias_variable([32]))
        h_pool1 = max_pool_2x2(h_conv1)

    with tf.name_scope("conv2"):
        h_conv2 = tf.nn.relu(conv2d(h_pool1, weight_variable([size, size, 32, 64])) + bias_variable([64]))
        h_pool2 = max_pool_2x2(h_conv2)

    with tf.name_scope("dense"):
        flat = h_pool2.get_shape()[1:].num_elements()
        h_pool2_flat = tf.reshape(h_pool2, [-1, flat])
        h_fc1 = tf.nn.relu(tf.matmul(h_pool2_flat, weight_variable([flat, units])) + bias_variable([units]))
        h_fc1_drop = tf.nn.dropout(h_fc1, keep_prob)

    with tf.name_scope("readout"):
        y = tf.matmul(h_fc1_drop, weight_variable([units, 10])) + bias_variable([10])

    with tf.name_scope("cross_entropy"):
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y_, logits=y))

    with tf.name_scope("train"):
        # Towards 0.91 for the digit and 0.01 for each other one: label smoothing, as in Szegedy et al. 2015.
        targets = 0.9 * y_ + 0.01
        error = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=y))
        step = tf.Variable(0, trainable=False, name="step")
        learning_rate = tf.train.exponential_decay(1e-3, step, decay_steps=2000, decay_rate=0.5)
        train_step = tf.train.AdamOptimizer(learning_rate).minimize(error, global_step=step)

    with tf.name_scope("evaluation"):
        correct_prediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))
        accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

    return Model(x, y_, y, loss, accuracy, train_step, keep_prob)


def plan(digits: Digits) -> Plan:
    """About 175 passes over the small digits, 15 over MNIST."""
    if digits.side == 8:
        return Plan(steps=2500, wobble=Wobble(shift=0.5, turn=10, stretch=0.1), keep_prob=0.5)
    return Plan(steps=9000, wobble=Wobble(shift=2, turn=10, stretch=0.1), keep_prob=0.5)


if __name__ == "__main__":
    main(convnet, plan)
