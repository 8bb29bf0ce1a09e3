"""Softmax regression: for each digit a weighted sum of the pixels, and the softmax of the ten sums."""

from data import Digits
from train import Model, Plan, main

import thalweg as tf


def softmax(side: int) -> Model:
    """Builds the graph for pictures of `side` x `side` pixels."""
    x = tf.placeholder(tf.float32, [None, side * side], name="pixels")
    y_ = tf.placeholder(tf.float32, [None, 10], name="labels")

    with tf.name_scope("inference"):
        W = tf.Variable(tf.zeros([side * side, 10]), name="weights")
        b = tf.Variable(tf.zeros([10]), name="biases")
        y = tf.matmul(x, W) + b

    with tf.name_scope("cross_entropy"):
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y_, logits=y))

    with tf.name_scope("train"):
        train_step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)

    with tf.name_scope("evaluation"):
        correct_prediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))
        accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

    return Model(x, y_, y, loss, accuracy, train_step)


def plan(digits: Digits) -> Plan:
    """About 200 passes over the small digits, 20 over MNIST."""
    return Plan(steps=3000 if digits.side == 8 else 12000)


if __name__ == "__main__":
    main(softmax, plan)
