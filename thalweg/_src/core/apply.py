"""Calling an op's lowering: on NumPy arrays, on JAX arrays, or on tracers. The compiler and shape inference both do it here."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.opdef import OpDef


class Replan(Exception):
    """An operation can't be part of an executable after all: the next plan runs it op by op. `op` is filled in on the way."""

    def __init__(self, op: Any, why: str):
        super().__init__(why)
        self.op = op


class _Checks(threading.local):
    """Where `check` reports to: None checks at once, a list collects (condition, message) of a trace, False ignores."""

    def __init__(self) -> None:
        self.collector: Any = None
        self.rooms: dict[str, int] = {}
        self.limits: dict[str, tuple[int, Any]] = {}
        self.kernels = True
        self.in_turn = False


_checks = _Checks()


@contextlib.contextmanager
def collect_checks(collector: Any) -> Iterator[Any]:
    """Within the block, `check` appends to `collector` (a list), or does nothing (False)."""
    old = _checks.collector
    _checks.collector = collector
    try:
        yield collector
    finally:
        _checks.collector = old


_KNOWN = (bool, np.bool_, np.ndarray)  # quicker to ask for than whether a value is none of JAX's


def check(
    ok: Any, message: str | Callable[[], str], error: Callable[..., Exception] = errors.InvalidArgumentError
) -> None:
    """Fail the step unless `ok` holds: at once where its value is known, after the executable has run where it is traced.

    A step that fails leaves all variables as they were.
    """
    if ok is True:
        return
    if _checks.collector is False:
        return
    if type(ok) not in _KNOWN and isinstance(ok, jax.core.Tracer):
        if _checks.collector is not None:
            _checks.collector.append(jnp.all(ok))
        return
    if np.count_nonzero(ok) == ok.size if type(ok) is np.ndarray else np.all(ok):  # quicker than all()
        return
    if _checks.collector is not None:  # what the message shows may not be known before the executable runs
        _checks.collector.append(jnp.bool_(False))
    else:
        raise error(None, None, message() if callable(message) else message)


def is_checked() -> bool:
    """Whether the step that is traced has conditions so far, so that it may have to keep the old values of variables."""
    return bool(_checks.collector)


class Need:
    """That `n` (traced) elements are to be kept under `key`, where there is room for `room`: in a list of collected checks."""

    def __init__(self, key: str, n: Any, room: int):
        self.key, self.n, self.room = key, n, room


class Cramped(Exception):
    """A step had too little room for what it kept: it is to be compiled again, now that is known how much it needs."""


@contextlib.contextmanager
def kernels(allowed: bool) -> Iterator[None]:
    """Within the block, lowerings may use kernels of machine code (`thalweg._src.kernels`), or may not."""
    old = _checks.kernels
    _checks.kernels = allowed
    try:
        yield
    finally:
        _checks.kernels = old


def kernels_allowed() -> bool:
    return _checks.kernels


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Within the block, one turn of a loop is traced, which `core/scan/` looks into: products are to be seen there as they are."""
    old = _checks.in_turn
    _checks.in_turn = True
    try:
        yield
    finally:
        _checks.in_turn = old


def in_turn() -> bool:
    """Whether a turn of a loop is traced."""
    return _checks.in_turn


@contextlib.contextmanager
def rooms(given: dict[str, int]) -> Iterator[None]:
    """Within the block, `room` gives what is in `given`."""
    old = _checks.rooms
    _checks.rooms = given
    try:
        yield
    finally:
        _checks.rooms = old


def room(key: str, least: int) -> int:
    """How many elements to make room for under `key`: `least`, or what an earlier run of the executable turned out to need."""
    return max(_checks.rooms.get(key, 0), least)


@contextlib.contextmanager
def limits(given: dict[str, tuple[int, Any]]) -> Iterator[None]:
    """Within the block, `limit` gives what is in `given`."""
    old = _checks.limits
    _checks.limits = given
    try:
        yield
    finally:
        _checks.limits = old


def limit(key: str) -> tuple[int, Any] | None:
    """For how many turns to make room in the loop `key`, and how many it makes, where both are known beforehand."""
    return _checks.limits.get(key)


def need(key: str, n: Any, room: int) -> None:
    """Say that `n` elements are needed under `key`, where there is room for `room`. If that is too little, the step runs again."""
    if _checks.collector is not None and _checks.collector is not False:
        _checks.collector.append(Need(key, n, room))


def summary(collected: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
    """What was collected, as arrays that a loop or a branch can return: (whether all checks held, room that was missing, by key).

    Where there was enough room, zero stands.
    """
    oks = [jnp.asarray(c) for c in collected if not isinstance(c, Need)]
    needs: dict[str, Any] = {}
    for c in collected:
        if isinstance(c, Need):
            n = jnp.where(jnp.asarray(c.n) > c.room, c.n, 0).astype(jnp.int32)
            needs[c.key] = jnp.maximum(needs[c.key], n) if c.key in needs else n
    return jnp.all(jnp.stack(oks)) if oks else jnp.bool_(True), needs


def report(found: tuple[Any, dict[str, Any]], message: str) -> None:
    """Pass a summary on to whoever collects here."""
    ok, needs = found
    check(ok, message)
    for key, n in needs.items():
        need(key, n, 0)


def is_traced(x: Any) -> bool:
    """Whether `x` is a JAX array or tracer (NumPy arrays are values that are known)."""
    return isinstance(x, jax.Array)


def xp(*values: Any) -> Any:
    """The array module for `values`: jax.numpy if one of them is a JAX array, numpy otherwise."""
    for v in values:
        if type(v) is not np.ndarray and isinstance(v, jax.Array):
            return jnp
    return np


def call(
    opdef: OpDef,
    attrs: dict[str, Any],
    values: Sequence[Any],
    *,
    rng: Any = None,
    ctx: Any = None,
    run: Any = None,
    platform: str | None = None,
) -> Any:
    """The raw result of the lowering of `opdef` on the flat list of its input values."""
    fn = opdef.platforms.get(platform, opdef.fn) if platform is not None and opdef.platforms else opdef.fn
    kwargs = {param: attrs[name] for param, name in opdef.lower_attrs}
    if opdef.wants_rng:
        kwargs["rng"] = rng
    if opdef.wants_ctx:
        kwargs["ctx"] = ctx
    if opdef.wants_run:
        kwargs["run"] = run
    return fn(*(values if opdef.simple else grouped(opdef, attrs, values)), **kwargs)


def grouped(opdef: OpDef, attrs: dict[str, Any], values: Sequence[Any]) -> list[Any]:
    """The flat inputs of a node, list inputs gathered to lists."""
    out: list[Any] = []
    at = 0
    for arg in opdef.inputs:
        if arg.kind == "one":
            out.append(values[at])
            at += 1
        else:
            count = attrs[arg.number] if arg.kind == "many" else len(attrs[arg.types])
            out.append(list(values[at : at + count]))
            at += count
    return out


def flat_outputs(opdef: OpDef, result: Any) -> list[Any]:
    """The outputs of a lowering as a flat list."""
    if not opdef.outputs:
        return []
    if opdef.simple_out:
        return [result] if len(opdef.outputs) == 1 else list(result)
    if len(opdef.outputs) == 1:
        return list(result)
    out: list[Any] = []
    for arg, part in zip(opdef.outputs, result, strict=True):
        out += [part] if arg.kind == "one" else list(part)
    return out
