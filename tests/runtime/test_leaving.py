"""A program that ends while its threads are in the middle of steps: its own exit code, at once, and no abort."""

import subprocess
import sys

PROGRAM = """
import sys, threading
import thalweg as tf

x = tf.random_normal([200, 200])
y = tf.reduce_sum(tf.tanh(tf.matmul(tf.tanh(tf.matmul(x, x)), x)))
queue = tf.FIFOQueue(4, tf.float32, [[]])
tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(y)] * 3))
data = tf.data.Dataset.range(10**9).map(lambda i: tf.reduce_sum(tf.random_normal([50, 50]))).prefetch(2)
element = data.make_one_shot_iterator().get_next()
sess = tf.Session()
tf.train.start_queue_runners(sess)

def busy():
    while True:
        sess.run(y)

threading.Thread(target=busy, daemon=True).start()
for _ in range(5):
    sess.run([queue.dequeue(), element])
print("done", flush=True)
sys.exit(3)
"""


def test_threads_in_the_middle_of_steps_do_not_abort_the_process():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert (ran.stdout.strip(), ran.returncode) == ("done", 3), ran.stderr
    assert "terminate" not in ran.stderr
