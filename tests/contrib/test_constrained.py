"""tf.contrib.constrained_optimization: the best of several candidates (the oracle has no SciPy to record them with)."""

import numpy as np
import pytest

import thalweg as tf

constrained = tf.contrib.constrained_optimization
OBJECTIVES = np.array([5.0, 1.0, 3.0, 2.0])
FEASIBLE = np.array([[-1.0, 0.5, -0.5, 2.0], [-2.0, 1.0, 0.0, -1.0]])
INFEASIBLE = np.array([[1.0, 0.5, 0.25, 2.0], [0.5, 1.0, 3.0, 1.0]])


def mixtures():
    """Distributions over the candidates in steps of a twentieth."""
    steps = np.arange(21) / 20
    grid = np.stack(np.meshgrid(steps, steps, steps, steps, indexing="ij"), -1).reshape(-1, 4)
    return grid[np.isclose(grid.sum(1), 1)]


def test_the_best_distribution_that_satisfies_all():
    best = constrained.find_best_candidate_distribution(OBJECTIVES, FEASIBLE)
    assert best.sum() == pytest.approx(1)
    assert (FEASIBLE @ best <= 1e-6).all()
    allowed = [p for p in mixtures() if (FEASIBLE @ p <= 1e-9).all()]
    assert best @ OBJECTIVES <= min(p @ OBJECTIVES for p in allowed) + 1e-6


def test_the_least_violation_where_none_satisfies_all():
    best = constrained.find_best_candidate_distribution(OBJECTIVES, INFEASIBLE, epsilon=1e-6)
    assert best.sum() == pytest.approx(1)
    assert (INFEASIBLE @ best).max() <= min((INFEASIBLE @ p).max() for p in mixtures()) + 1e-5


def test_the_best_index_has_the_best_worst_rank():
    assert constrained.find_best_candidate_index(OBJECTIVES, FEASIBLE) == 2  # both satisfy all; the better objective
    # Ranks by constraint: 3 2 1 4 and 1 2 4 2, so the worst are 3 2 4 4; with those of the objective, 4 2 4 4.
    assert constrained.find_best_candidate_index(OBJECTIVES, INFEASIBLE) == 1
    assert constrained.find_best_candidate_index(OBJECTIVES, INFEASIBLE, rank_objectives=True) == 1
