"""Optimizers, averages, clipping and schedules against TensorFlow 1.15: names, and values over 20 steps."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle.recorded import recorded, same
from oracle.training_programs import PROGRAMS

import thalweg as tf

RECORDED = recorded("training-1.15")


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_program(name):
    with tf.Graph().as_default():
        same(PROGRAMS[name](tf, np), RECORDED[name], 2e-4, 1e-5)


@pytest.fixture
def hill():
    """(a loss whose lowest point is at 1, 2 and 3, its variables: [2] and, with rows of which one counts, [2, 1])."""
    pytest.importorskip("scipy")
    v = tf.Variable([0.0, 0.5], name="v")
    w = tf.get_variable("w", initializer=tf.constant([[4.0], [9.0]]), use_resource=True)
    return tf.reduce_sum(tf.square(v - [1.0, 2.0])) + tf.reduce_sum(tf.square(tf.gather(w, [0]) - 3.0)), v, w


@pytest.mark.parametrize(
    ("arguments", "end"),
    [
        (lambda v, w: {}, [1.0, 2.0, 3.0, 9.0]),
        (lambda v, w: {"var_to_bounds": {v: ([0.2, -np.inf], 0.8), w: (3.5, np.inf)}}, [0.8, 0.8, 3.5, 9.0]),
        (lambda v, w: {"var_list": [v], "method": "CG"}, [1.0, 2.0, 4.0, 9.0]),
        (
            lambda v, w: {"method": "SLSQP", "equalities": [v[0] - v[1]], "inequalities": [1.0 - w[0, 0]]},
            [1.5, 1.5, 1.0, 9.0],
        ),
    ],
    ids=["plain", "bounds", "variables", "constraints"],
)
def test_scipy_minimizes(hill, arguments, end):
    loss, v, w = hill
    steps, losses = [], []
    optimizer = tf.contrib.opt.ScipyOptimizerInterface(loss, **arguments(v, w))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        optimizer.minimize(session, fetches=[loss], step_callback=steps.append, loss_callback=losses.append)
        np.testing.assert_allclose(np.concatenate([x.ravel() for x in session.run([v, w])]), end, atol=1e-4)
        assert losses[-1] == pytest.approx(session.run(loss), abs=1e-3)
    assert len(steps[-1]) == (2 if "var_list" in arguments(v, w) else 4)


def test_scipy_takes_no_arguments_that_are_set_for_it(hill):
    optimizer = tf.contrib.opt.ScipyOptimizerInterface(hill[0], bounds=[(0, 1)])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        with pytest.raises(ValueError, match="Bounds must be set using the var_to_bounds argument"):
            optimizer.minimize(session)


def test_slots_of_scopes_that_were_entered_again():
    """A second optimizer gets slots of its own, and scopes that find variables do not look for slots."""

    def net(x, reuse):
        with tf.variable_scope("net", reuse=reuse):
            return x * tf.get_variable("w", [])

    with tf.Graph().as_default(), tf.Session() as sess:
        steps = [tf.train.AdamOptimizer().minimize(net(1.0, False)), tf.train.AdamOptimizer().minimize(net(2.0, True))]
        with tf.variable_scope("", reuse=True):
            steps.append(tf.train.MomentumOptimizer(0.1, 0.9).minimize(net(3.0, True)))
        names = [v.op.name for v in tf.global_variables() if v.op.name.startswith("net/w/")]
        assert names == [f"net/w/{slot}" for slot in ("Adam", "Adam_1", "Adam_2", "Adam_3", "Momentum")]
        sess.run(tf.global_variables_initializer())
        for step in steps:
            sess.run(step)
