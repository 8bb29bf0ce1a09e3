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

_OPTIONS = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 0}
FEW = 3  # runs of a cluster's first executable, after which it is compiled in full
SOME = 16  # of those for other shapes
MANY = 64  # of those for ever new shapes
EARLY = 64  # runs of a huge step, at most, that NumPy makes before it is compiled
_PER_RUN = 100  # operations of it for each of those runs
_HUGE = 1_500  # operations of a huge step
_NUMBERS = 2_000_000  # that NumPy makes in the time in which XLA compiles one operation
_HELD = 1_000_000_000  # numbers that it makes in one run of a huge step
_GAIN = 400_000  # numbers that may be given by slower code for every operation that is compiled hastily
_DRAWN = 1_000_000  # numbers that NumPy makes while XLA compiles one random operation
_TURNS = 100  # that a loop is taken to make where their number is not known


@functools.cache
def options() -> dict[str, Any] | None:
    """Those of the options that the installed XLA has: they come and go with its versions. None if it has none."""
    found = {}
    for name, value in _OPTIONS.items():
        try:
            jax.jit(lambda x: x, compiler_options={name: value}).lower(np.float32(0)).compile()
        except jax.errors.JaxRuntimeError:
            continue
        found[name] = value
    return found or None


def runs(jaxpr: Any, most: int) -> int:
    """How often a traced step may run on hastily compiled code: `most` times, `FEW` times, or not at all, by the work it does.

    Where arrays are large, slower runs soon take longer than the compilation in full.
    """
    equations, numbers = _work(jaxpr)
    return next((n for n in (most, FEW) if n * numbers <= _GAIN * equations), 0)


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


def is_huge(ops: Sequence[Operation]) -> bool:
    """Whether operations are so many that XLA compiles for as long as NumPy takes for hundreds of runs of them.

    What NumPy has not is left to a compiler: loops, convolutions.
    """
    return len(ops) >= _HUGE and not any(
        op.opdef.bodies is not None or op.opdef.forward_of is not None or op.opdef.convolves for op in ops
    )


def most_early(ops: Sequence[Operation]) -> int:
    """How many numbers a run of a huge step by NumPy may give: a few such runs are over before it would be compiled."""
    return min(len(ops) * _NUMBERS // FEW, _HELD)


def early_runs(ops: Sequence[Operation], numbers: int) -> int:
    """How many runs of a huge step, which gives that many numbers in one, NumPy makes before it is compiled."""
    return min(EARLY, len(ops) // _PER_RUN, len(ops) * _NUMBERS // max(numbers, 1))


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
