"""The derivative of a loop of known length: what its way back needs is kept, and no more; what it sums over the turns leaves the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.scan.body import Known, array_of, evaluate, sort, traced
from thalweg._src.core.scan.limits import live_turns, scan_up_to
from thalweg._src.core.scan.run import Run, Step

# What is made again on the way back rather than kept: it costs less than reading it from memory.
_CHEAP = """
    abs add add_any and broadcast_in_dim ceil clamp concatenate convert_element_type copy eq expand_dims floor ge gt imag integer_pow
    iota is_finite le lt max min mul ne neg not or pad real reshape rev round select_n sign slice split square squeeze stop_gradient
    sub transpose xor
"""
_MADE_AGAIN = frozenset(_CHEAP.split())

# By platform, who may run a loop in the place of `scan_up_to`: (step, start, rows, length, reverse, limit) -> (last carry, stacked
# outputs), or None where it is not for that. Kernels join.
machines: dict[str | None, Callable[..., Any]] = {}


def _in_turns(
    step: Any, start: list[Any], rows: list[Any], length: int, reverse: bool, platform: str | None, limit: Any
) -> Any:
    machine = machines.get(platform)
    found = machine(step, start, rows, length, reverse, limit) if machine is not None else None
    return scan_up_to(limit, step, start, rows, length, reverse) if found is None else found


def _kept(primitive: Any, *avals: Any, **params: Any) -> bool:
    return primitive.name not in _MADE_AGAIN


class Tape:
    """A scan of `step` in `length` turns, as a function that JAX differentiates by these rules. Of the turns, `limit` may count."""

    def __init__(self, step: Step, length: int, reverse: bool, platform: str | None):
        self.step, self.length, self.reverse, self.platform = step, length, reverse, platform
        self._call = jax.custom_vjp(self._floats)
        self._call.defvjp(self._forward, self._backward, symbolic_zeros=True)
        self._dtypes: list[Any] = []

    def __call__(self, fixed: list[Any], start: list[Any], rows: list[Any], limit: Any) -> tuple[list[Any], list[Any]]:
        end, out = self._call(fixed, start, rows, limit)
        return [_restored(x, s.dtype) for x, s in zip(end, start, strict=True)], list(map(_restored, out, self._dtypes))

    def plain(self, fixed: list[Any], start: list[Any], rows: list[Any], limit: Any) -> tuple[list[Any], list[Any]]:
        """The same, without these rules."""
        return self._scan(lambda carry, row: self.step(fixed, carry, row), start, rows, limit)

    def _scan(self, step: Any, start: list[Any], rows: list[Any], limit: Any) -> tuple[list[Any], list[Any]]:
        return _in_turns(step, start, rows, self.length, self.reverse, self.platform, limit)

    def _floats(self, fixed: Any, start: Any, rows: Any, limit: Any) -> Any:
        end, out = self.plain(fixed, start, rows, limit)
        return self._as_floats(end, out)

    def _as_floats(self, end: list[Any], out: list[Any]) -> tuple[list[Any], list[Any]]:
        """Integers and flags as numbers: what comes out of a custom rule has a derivative for JAX, though they can't have one."""
        self._dtypes = [x.dtype for x in out]
        return list(map(_as_float, end)), list(map(_as_float, out))

    def _forward(self, *facts: Any) -> Any:
        """The scan, which also gives out what each turn's derivative needs."""
        *primals, last = facts
        limit = None if last is None else last.value
        fixed, start, rows = ([p.value for p in part] for part in primals)
        wanted = [[p.perturbed and _is_float(p.value) for p in part] for part in primals]
        wanted[1] = [_is_float(x) for x in start]
        pulled: list[Any] = []

        def turn(carry: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
            parts = [fixed, carry, row]

            def of_floats(floats: list[list[Any]]) -> Any:
                return self.step(*[_merged(*three) for three in zip(wanted, floats, parts, strict=True)])

            again = jax.checkpoint(of_floats, policy=_kept, prevent_cse=False)
            (new, out), pull = jax.vjp(again, [_chosen(w, p) for w, p in zip(wanted, parts, strict=True)])
            leaves, tree = jax.tree.flatten(pull)
            pulled[:] = [tree, new, out]
            return new, [*out, *leaves]

        found = traced(turn, start, [_row(r) for r in rows])
        if found is None:
            raise NotImplementedError("a loop with effects is differentiated")
        body, arrays = found
        tree, new, out = pulled
        kept = body.out[len(out) :]
        inputs = set(body.fixed) | set(body.rows)
        wanted_out = dict.fromkeys(v for v in body.out if not isinstance(v, Known) and v not in inputs)
        made = wanted_out.keys() - set(body.carry)
        before = {v: new for v, new in zip(body.carry, body.new, strict=True) if v in wanted_out and new in made}
        given = [v for v in wanted_out if v not in before]
        nodes = sort([*body.new, *given], lambda v: False)

        def go(carry: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
            env = dict(zip([*body.fixed, *body.carry, *body.rows], [*arrays, *carry, *row], strict=True))
            evaluate(nodes, env)
            return [jnp.asarray(array_of(v, env)) for v in body.new], [array_of(v, env) for v in given]

        end, stacks = self._scan(go, start, rows, limit)
        fixed_env = dict(zip(body.fixed, arrays, strict=True))
        row_env = dict(zip([*given, *body.rows], [*stacks, *rows], strict=True))
        for v, new in before.items():
            row_env[v] = self._shifted(start[body.carry.index(v)], row_env[new])
        stacked = [_stack(v, fixed_env, row_env, self.length) for v in body.out[: len(out)]]
        saved = [row_env[v] if v in row_env else array_of(v, fixed_env) for v in kept]
        shapes = [[(x.shape, x.dtype) for x in part] for part in (fixed, start, [_row(y) for y in stacked])]
        back = _Back(tree, [v in row_env for v in kept], wanted, shapes, self.length, self.reverse, self.platform)
        return self._as_floats(end, stacked), jax.tree_util.Partial(back, saved, limit)

    def _shifted(self, start: Any, stack: Any) -> Any:
        """What stood in each turn where `stack` holds what stands there after it."""
        parts = [stack[1:], start[None]] if self.reverse else [start[None], stack[:-1]]
        return jnp.concatenate(parts)

    @staticmethod
    def _backward(back: Any, grads: Any) -> Any:
        return back(*grads)


class _Back:
    """The way back of a loop: `tree` makes the derivative of a turn of what was kept of it, of which some is `stacked`."""

    def __init__(
        self,
        tree: Any,
        stacked: list[bool],
        wanted: list[list[bool]],
        shapes: list[list[Any]],
        length: int,
        reverse: bool,
        platform: str | None,
    ):
        self.tree, self.stacked, self.wanted, self.shapes = tree, stacked, wanted, shapes
        self.length, self.reverse, self.platform = length, reverse, platform

    def __call__(self, leaves: list[Any], limit: Any, of_end: list[Any], of_out: list[Any]) -> tuple[Any, ...]:
        """The gradients of fixed values, of the start and of the rows, and of the limit; None where nobody wants one."""
        wanted, (fixed, start, out) = self.wanted, self.shapes
        seen = [not _is_zero(g) and jnp.issubdtype(o[1], jnp.inexact) for g, o in zip(of_out, out, strict=True)]
        carried = [jnp.zeros(*s) if _is_zero(g) else g for g, s, w in zip(of_end, start, wanted[1], strict=True) if w]
        sums = [jnp.zeros(*s) for s, w in zip(fixed, wanted[0], strict=True) if w]
        stacked = [x for x, s in zip(leaves, self.stacked, strict=True) if s]

        def turn(carry: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
            now = iter(row)
            own = [next(now) if s else x for x, s in zip(leaves, self.stacked, strict=True)]
            found = iter(carry)
            of_new = [next(found) if w else _no(s) for s, w in zip(start, wanted[1], strict=True)]
            ours = [next(now) if s else _zero(o) for s, o in zip(seen, out, strict=True)]
            ((f, c, r),) = jax.tree.unflatten(self.tree, own)((of_new, ours))
            return [*c, *(a + b for a, b in zip(found, f, strict=True))], list(r)

        given = [*stacked, *(g for g, s in zip(of_out, seen, strict=True) if s)]
        back, platform = not self.reverse, self.platform
        how: dict[str, Any] = {"reverse": back, "repeated": True, "platform": platform, "limit": limit}
        end, of_rows = scan(turn, [*carried, *sums], given, self.length, **how)
        of_start, of_fixed = end[: len(carried)], end[len(carried) :]
        found = zip(wanted, (of_fixed, of_start, of_rows), strict=True)
        return *(_merged(w, g, [None] * len(w)) for w, g in found), None


def scan(
    step: Any,
    start: list[Any],
    rows: list[Any],
    length: int,
    *,
    reverse: bool = False,
    taped: bool = False,
    repeated: bool = False,
    platform: str | None = None,
    limit: Any = None,
) -> tuple[list[Any], list[Any]]:
    """`lax.scan` over flat lists, by parts; `taped` where it will be differentiated. `platform` may have a machine for loops.

    Where `limit` is given, an integer of 32 bits, only so many turns count.
    """
    found = traced(step, start, [_row(r) for r in rows], repeated=repeated)
    if found is None:
        return scan_up_to(limit, step, start, rows, length, reverse)

    def loop(step: Step, fixed: list[Any], carry: list[Any], rows: list[Any]) -> Any:
        tape = Tape(step, length, reverse, platform)
        return (tape if taped else tape.plain)(fixed, carry, rows, limit)

    body, arrays = found
    live = None if limit is None or reverse else live_turns(limit, length)
    return Run(body, arrays, start, rows, length, loop, live).finish()


def _row(stack: Any) -> Any:
    return jax.ShapeDtypeStruct(stack.shape[1:], stack.dtype)


def _is_float(x: Any) -> bool:
    return bool(jnp.issubdtype(x.dtype, jnp.inexact))


def _as_float(x: Any) -> Any:
    if _is_float(x):
        return x
    if x.dtype.itemsize < 4:
        return x.astype(jnp.float32)
    return lax.bitcast_convert_type(x, jnp.float32 if x.dtype.itemsize == 4 else jnp.float64)


def _restored(x: Any, dtype: Any) -> Any:
    if x.dtype == dtype:
        return x
    if np.dtype(dtype).itemsize >= 4:
        return lax.bitcast_convert_type(x, dtype)
    return x != 0 if dtype == bool else x.astype(dtype)


def _is_zero(g: Any) -> bool:
    return isinstance(g, jax.custom_derivatives.SymbolicZero) or g.dtype == jax.dtypes.float0


def _no(facts: Any) -> Any:
    return np.zeros(facts[0], jax.dtypes.float0)


def _zero(facts: Any) -> Any:
    shape, dtype = facts
    return jnp.zeros(shape, dtype) if jnp.issubdtype(dtype, jnp.inexact) else np.zeros(shape, jax.dtypes.float0)


def _chosen(flags: list[bool], values: list[Any]) -> list[Any]:
    return [v for v, f in zip(values, flags, strict=True) if f]


def _merged(flags: list[bool], chosen: list[Any], others: list[Any]) -> list[Any]:
    found = iter(chosen)
    return [next(found) if f else o for f, o in zip(flags, others, strict=True)]


def _stack(v: Any, fixed: dict[Any, Any], rows: dict[Any, Any], length: int) -> Any:
    if v in rows:
        return rows[v]
    x = jnp.asarray(array_of(v, fixed))
    return jnp.broadcast_to(x, (length, *x.shape))
