"""tensorflow.python.ops.linalg.linear_operator_addition: sums of linear operators."""

from collections.abc import Sequence
from typing import Any

from thalweg._src.lib.linear_operators.simple import (
    LinearOperatorDiag,
    LinearOperatorFullMatrix,
    LinearOperatorIdentity,
    LinearOperatorLowerTriangular,
    LinearOperatorScaledIdentity,
)

DIAGONAL = (LinearOperatorDiag, LinearOperatorIdentity, LinearOperatorScaledIdentity)


def add_operators(
    operators: Sequence[Any], operator_name: str | None = None, addition_tiers: Any = None, name: str | None = None
) -> list[Any]:
    """One operator, the sum of `operators`, of the narrowest kind that holds it: diagonal, triangular, full.

    TypeError for tiers of addition, which would choose the kinds.
    """
    if addition_tiers is not None:
        raise TypeError("add_operators chooses the kinds of its results by itself: `addition_tiers` must be None.")
    if len(operators) == 1:
        return list(operators)
    kind: Any = LinearOperatorFullMatrix
    if all(isinstance(o, DIAGONAL) for o in operators):
        kind = LinearOperatorDiag
        total = operators[0].diag_part()
        for o in operators[1:]:
            total = total + o.diag_part()
    else:
        if all(isinstance(o, (*DIAGONAL, LinearOperatorLowerTriangular)) for o in operators):
            kind = LinearOperatorLowerTriangular
        total = operators[0].to_dense()
        for o in operators[1:]:
            total = o.add_to_tensor(total)
    positive = True if all(o.is_positive_definite for o in operators) else None
    return [kind(total, is_positive_definite=positive, name=operator_name or "add_operators")]
