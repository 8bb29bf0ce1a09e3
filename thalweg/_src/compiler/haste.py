"""How hard XLA's CPU compiler is to try.

In full it takes a second for a few hundred operations, hastily a quarter of that; what comes out then runs somewhat slower. A step that
is run once, such as an initializer, an evaluation at the end, or a batch of a length of its own, is over before the full executable
would be ready. Whether it is compiled hastily first depends on what it is and on how often it has run, never on measured times: a program
gives the same numbers again.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.lazy import jax

_HASTILY = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 0}
_LIGHTLY = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 1}
FEW = 3  # runs of a cluster's first executable, after which it is compiled in full
SOME = 16  # of those for other shapes
MANY = 64  # of those for ever new shapes
LONG = 256  # of any step, training too, where arrays are small
_GAIN = 400_000  # numbers that may be given by slower code for every operation that is compiled hastily
_DRAWN = 1_000_000  # numbers that NumPy makes while XLA compiles one random operation
_TURNS = 100  # that a loop is taken to make where their number is not known


def options() -> dict[str, Any] | None:
    """Those of the options for hasty compilation that the installed XLA has: they come and go with its versions. None if it has none."""
    return {name: value for name, value in _HASTILY.items() if _is_known(name, value)} or None


def light_options() -> dict[str, Any] | None:
    """The options to compile in full what works on small arrays: two thirds of the time, for code that is as fast there."""
    return {name: value for name, value in _LIGHTLY.items() if _is_known(name, value)} or None


@functools.cache
def _is_known(name: str, value: Any) -> bool:
    try:
        jax.jit(lambda x: x, compiler_options={name: value}).lower(np.float32(0)).compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


def runs(jaxpr: Any, most: int) -> tuple[int, bool]:
    """How often a traced step may run on hastily compiled code, by the work it does, and whether its arrays are small.

    Where they are large, slower runs soon take longer than the compilation in full: such a step makes `most` of them, or `FEW`, or none.
    """
    equations, numbers = _work(jaxpr)
    found = _GAIN * equations // max(numbers, 1)
    if found >= LONG // 4:
        return min(found, LONG), True
    return next((n for n in (most, FEW) if n <= min(most, found)), 0), False


def is_slight(ops: Sequence[Operation], draws: int) -> bool:
    """Whether operations, of which `draws` are random, only give variables values, so few that NumPy is done before a compiler is."""
    total = 0
    for op in ops:
        if op.opdef.bodies is not None or any(arg.init and _refers(t) for arg, t in infer.flat_args(op)):
            return False
        for t in () if op.opdef.source else op.outputs:
            size = shapes.size_of(t._dims)
            if size is None:
                return False
            total += size
    return total <= _DRAWN * (1 + draws)


def _refers(t: Tensor) -> bool:
    return t.dtype._is_ref_dtype or t.dtype.base_dtype._name == "resource"


def _work(jaxpr: Any) -> tuple[int, int]:
    """How many equations `jaxpr` has, and how many numbers they give, turns of loops counted."""
    equations = numbers = 0
    for eqn in jaxpr.eqns:
        inner = list(_jaxprs(eqn.params))
        turns = eqn.params.get("length", 1) if eqn.primitive.name == "scan" else 1
        if eqn.primitive.name == "while":
            turns = _TURNS
        for part in inner:
            more, their = _work(part)
            equations += more
            numbers += turns * their
        if not inner:
            equations += 1
            numbers += sum(v.aval.size for v in eqn.outvars)
    return equations, numbers


def _jaxprs(params: dict[str, Any]) -> Iterator[Any]:
    for value in params.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            part = getattr(part, "jaxpr", part)  # of a ClosedJaxpr
            if hasattr(part, "eqns"):
                yield part
