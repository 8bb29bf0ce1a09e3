"""Clusters of a few sums and products of a few numbers. NumPy's functions are done before an executable is even called.

Only operations whose results are exact, or rounded once, are taken, so that numbers do not depend on who computes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.compiler.stage import Cluster
from thalweg._src.core.graph import Operation, Tensor

MOST_OPERATIONS = 8
MOST_NUMBERS = 64  # in an array that comes in

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "RealDiv": np.divide,
    "Neg": np.negative,
    "Abs": np.abs,
    "Square": np.square,
    "Sqrt": np.sqrt,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Less": np.less,
    "LessEqual": np.less_equal,
    "Greater": np.greater,
    "GreaterEqual": np.greater_equal,
    "LogicalAnd": np.logical_and,
    "LogicalOr": np.logical_or,
    "LogicalNot": np.logical_not,
}
_OF_FLOATS = frozenset({"RealDiv", "Sqrt"})
_FLOATS = frozenset({"float32", "float64"})
_TYPES = _FLOATS | {"int32", "int64", "bool"}


class Tiny:
    """The functions of a cluster in their order, on values with numbers of their own: those that come in, constants, those made."""

    def __init__(self, cluster: Cluster, constants: list[Operation], working: list[Operation]):
        self.inputs = cluster.inputs
        self._constants = [op._attrs["value"] for op in constants]
        at = {t: i for i, t in enumerate([*cluster.inputs, *(op.outputs[0] for op in [*constants, *working])])}
        places = [[at[t] for t in op._inputs] for op in working]
        self._calls = [
            (_FUNCTIONS[op.type], p[0], p[1] if p[1:] else None) for op, p in zip(working, places, strict=True)
        ]
        self._outputs = [(t, at[t]) for t in cluster.outputs]

    def run(self, env: dict[Tensor, Any]) -> bool:
        """Put what the cluster gives into `env`; False, and nothing is done, where what comes in is too large, not on the host or of shapes
        that do not go together: the compiler says what is wrong then.
        """
        values = [env[t] for t in self.inputs]
        for v in values:
            if type(v) is not np.ndarray or v.size > MOST_NUMBERS:
                return False
        values += self._constants
        try:
            with np.errstate(all="ignore"):
                for function, i, j in self._calls:
                    values.append(function(values[i]) if j is None else function(values[i], values[j]))
        except ValueError:
            return False
        for t, i in self._outputs:
            env[t] = values[i]
        return True


def tiny(cluster: Cluster) -> Tiny | None:
    """How to run `cluster` without an executable, if it is of this kind."""
    if cluster.statics or cluster.sources or cluster.randoms or cluster.kept or cluster.replayed or cluster.stands:
        return None
    constants = [op for op in cluster.ops if op.opdef.constant]
    working = [op for op in cluster.ops if not op.opdef.constant]
    if len(working) > MOST_OPERATIONS or not all(map(_fits, working)):
        return None
    values = [op._attrs["value"] for op in constants]
    if not all(isinstance(v, np.ndarray) and v.size <= MOST_NUMBERS for v in values):
        return None
    return Tiny(cluster, constants, working)


def _fits(op: Operation) -> bool:
    types = _FLOATS if op.type in _OF_FLOATS else _TYPES
    return op.type in _FUNCTIONS and all(t.dtype._name in types for t in (*op._inputs, *op.outputs))
