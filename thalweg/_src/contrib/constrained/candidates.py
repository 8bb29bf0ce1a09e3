"""The best of several trained models: of their objectives [n] and constraints [m, n]."""

from __future__ import annotations

from typing import Any

import numpy as np


def _check(objectives: Any, constraints: Any) -> None:
    if np.shape(objectives) != np.shape(constraints)[1:]:
        raise ValueError(
            "objective_vector must have shape (n,), and constraints_matrix (m, n), where n is the number of candidates, "
            "and m is the number of constraints"
        )


def _mixture(objectives: Any, constraints: Any, violation: float) -> np.ndarray | None:
    """The best distribution over candidates whose mean constraints are at most `violation`, if there is one."""
    import scipy.optimize

    count = np.shape(constraints)[1]
    found = scipy.optimize.linprog(
        objectives,
        A_ub=constraints,
        b_ub=np.full(len(constraints), violation),
        A_eq=np.ones((1, count)),
        b_eq=[1.0],
        bounds=(0, None),
    )
    return found.x if found.success else None


def find_best_candidate_distribution(objective_vector: Any, constraints_matrix: Any, epsilon: float = 0.0) -> Any:
    """The distribution of least mean objective among those that violate the constraints least, to within `epsilon`.

    Raises ValueError for a negative `epsilon` and for arrays that do not fit.
    """
    if epsilon < 0.0:
        raise ValueError("epsilon must be nonnegative")
    _check(objective_vector, constraints_matrix)
    best = _mixture(objective_vector, constraints_matrix, 0.0)
    if best is not None:
        return best
    low, high = 0.0, float(np.min(np.amax(constraints_matrix, axis=0)))
    best = _mixture(objective_vector, constraints_matrix, high)
    while True:
        middle = 0.5 * (low + high)
        if middle - low <= epsilon or high - middle <= epsilon:
            return best
        found = _mixture(objective_vector, constraints_matrix, middle)
        if found is None:
            low = middle
        else:
            best, high = found, middle


def find_best_candidate_index(objective_vector: Any, constraints_matrix: Any, rank_objectives: bool = False) -> int:
    """The candidate whose worst rank, over all constraints (and the objective), is best; the later one among equals.

    Raises ValueError for arrays that do not fit.
    """
    _check(objective_vector, constraints_matrix)
    objectives = np.asarray(objective_vector)
    rows = [np.maximum(0.0, row) for row in np.asarray(constraints_matrix)]
    if rank_objectives:
        rows.append(objectives)
    worst = np.max([_ranks(row) for row in rows], axis=0) if rows else np.zeros(len(objectives))
    equals = np.flatnonzero(worst == worst.min())
    least = objectives[equals].min()
    return int(equals[np.flatnonzero(objectives[equals] == least)[-1]])


def _ranks(values: np.ndarray) -> np.ndarray:
    """How many numbers are below each one, plus 1."""
    return 1 + np.searchsorted(np.sort(values), values, side="left")
