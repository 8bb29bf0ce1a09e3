"""A program that waits for an element of a queue of the server at argv[1], after it has said so, until somebody ends it."""

import sys

import thalweg as tf

queue = tf.FIFOQueue(10, tf.float32, (), shared_name="waited")
print("ready", flush=True)
with tf.Session(sys.argv[1]) as sess:
    sess.run(queue.dequeue())
