"""A small training whose numbers depend on its weights, its momentum, its noise and its place in a shuffled input.

python training.py FOLDER END: prints the step and the weight, in hexadecimal, after each step. The third argument may be
`kill=N` or `term=N`: the process gets that signal while step N runs.
"""

import os
import signal
import sys

import thalweg as tf


def build():
    """(global step, weight, what a step runs): random ops and the iterator are in the checkpoints."""
    tf.set_random_seed(7)
    iterator = tf.data.Dataset.range(10).shuffle(10, seed=3).repeat().make_one_shot_iterator()
    x = tf.to_float(iterator.get_next()) / 10.0
    step = tf.train.get_or_create_global_step()
    weight = tf.get_variable("weight", [], initializer=tf.ones_initializer())
    loss = tf.square(weight * x - tf.random_normal([]))
    train = tf.train.MomentumOptimizer(0.05, 0.9).minimize(loss, global_step=step)
    for saveable in (tf.random.make_saveable(), tf.data.experimental.make_saveable_from_iterator(iterator)):
        tf.add_to_collection(tf.GraphKeys.SAVEABLE_OBJECTS, saveable)
    return step, weight, train


class Steps(tf.train.SessionRunHook):
    """Keeps a line for each step, and sends the process a signal before step `at`."""

    def __init__(self, watched, arrives=None, at=None):
        self.watched, self.arrives, self.at, self.lines = watched, arrives, at, []

    def before_run(self, run_context):
        if self.arrives is not None and run_context.session.run(self.watched[0]) + 1 == self.at:
            os.kill(os.getpid(), self.arrives)

    def after_run(self, run_context, run_values):
        number, value = run_context.session.run(self.watched)
        self.lines.append(f"{number} {float(value).hex()}")


def train(folder, end, arrives=None, at=None):
    """The lines of the steps that ran."""
    with tf.Graph().as_default():
        step, weight, run = build()
        steps = Steps([step, weight], arrives, at)
        with tf.train.MonitoredTrainingSession(
            checkpoint_dir=folder,
            hooks=[tf.train.StopAtStepHook(last_step=end), steps],
            save_checkpoint_steps=3,
            save_summaries_steps=None,
            log_step_count_steps=0,
        ) as session:
            while not session.should_stop():
                session.run(run)
    return steps.lines


if __name__ == "__main__":
    what, _, number = sys.argv[3].partition("=") if len(sys.argv) > 3 else ("", "", "0")
    arriving = {"kill": signal.SIGKILL, "term": signal.SIGTERM}.get(what)
    print("\n".join(train(sys.argv[1], int(sys.argv[2]), arriving, int(number))))
