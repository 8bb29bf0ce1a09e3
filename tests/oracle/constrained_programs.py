"""Problems with constraints, a family of contrib_programs.py. Kept to what Python 3.6 reads."""

import numpy as np

from oracle.public import raised

OBJECTIVES = np.array([5.0, 1.0, 3.0, 2.0])
FEASIBLE = np.array([[-1.0, 0.5, -0.5, 2.0], [-2.0, 1.0, 0.0, -1.0]])


def problem(tf, x):
    """The least (x - 1)² with x0 <= 0.25, and x1 <= 0.5 that is told to gradients as 2 x1 <= 1."""

    class Problem(tf.contrib.constrained_optimization.ConstrainedMinimizationProblem):
        @property
        def objective(self):
            return tf.reduce_sum(tf.square(x - 1.0))

        @property
        def constraints(self):
            return x - tf.constant([0.25, 0.5])

        @property
        def proxy_constraints(self):
            return x * tf.constant([1.0, 2.0]) - tf.constant([0.25, 1.0])

    return Problem()


def steps(name, count=4, two=False, unconstrained=None, **options):
    """x, the state of the constraints and the global step after each of some steps."""

    def run(tf):
        with tf.Graph().as_default():
            x = tf.get_variable("x", initializer=[0.0, 0.5])
            step = tf.train.get_or_create_global_step()
            second = tf.train.GradientDescentOptimizer(2.0) if two else None
            optimizer = getattr(tf.contrib.constrained_optimization, name)(
                tf.train.GradientDescentOptimizer(0.25), constraint_optimizer=second, **options
            )
            train = optimizer.minimize(problem(tf, x), unconstrained_steps=unconstrained, global_step=step)
            found = []
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                for _ in range(count):
                    session.run(train)
                    found.append([value.tolist() for value in session.run(tf.global_variables())])
            return [sorted(v.op.name for v in tf.global_variables()), found]

    return run


def refused(tf):
    c = tf.contrib.constrained_optimization
    descent = tf.train.GradientDescentOptimizer(1.0)
    return [
        raised(c.find_best_candidate_distribution, OBJECTIVES, FEASIBLE, -1.0),
        raised(c.find_best_candidate_index, OBJECTIVES[:2], FEASIBLE),
        raised(c.MultiplicativeSwapRegretOptimizer, descent, None, 1.5),
        raised(c.AdditiveExternalRegretOptimizer, descent, None, -1.0),
        raised(c.AdditiveSwapRegretOptimizer(descent).minimize, problem(tf, tf.Variable([0.0, 0.0])), 3),
    ]


CONSTRAINED = {
    "refused": refused,
    "AdditiveExternalRegretOptimizer": steps("AdditiveExternalRegretOptimizer", two=True),
    "AdditiveExternalRegretOptimizer in a ball": steps(
        "AdditiveExternalRegretOptimizer", two=True, maximum_multiplier_radius=0.3
    ),
    "AdditiveSwapRegretOptimizer": steps("AdditiveSwapRegretOptimizer"),
    "MultiplicativeSwapRegretOptimizer": steps(
        "MultiplicativeSwapRegretOptimizer", two=True, initial_multiplier_radius=0.5
    ),
    "unconstrained first": steps("AdditiveExternalRegretOptimizer", unconstrained=2),
}
