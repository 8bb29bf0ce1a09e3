"""A stretch of the same operations again and again (`compiler/repeats.py`), traced as a loop of one turn."""

from __future__ import annotations

import functools
import logging
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.compiler.interpret import Interpreter
from thalweg._src.compiler.repeats import Carried, Names, Place, Repeat
from thalweg._src.core import apply, errors
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.scan.tape import scan
from thalweg._src.core.structured import Structured

log = logging.getLogger("thalweg")


class Rows(dict[Tensor, Any]):
    """The values of tensors, of which some are rows of a stack, and cut out when somebody asks. Other names have no values of their own."""

    def __init__(self, values: dict[Tensor, Any], names: Names):
        super().__init__(values)
        self._names = names
        self._places: dict[Tensor, tuple[Any, int]] = {}

    def __missing__(self, t: Tensor) -> Any:
        root = self._names(t)
        if root is not t:
            return self[root]
        stack, i = self._places[t]
        self[t] = lax.index_in_dim(stack, i, keepdims=False)
        return self[t]

    def add(self, tensors: Sequence[Tensor], stack: Any) -> None:
        """`tensors` are the rows of `stack`."""
        self._places.update((t, (stack, i)) for i, t in enumerate(tensors))

    def gather(self, tensors: Sequence[Tensor]) -> None:
        """Where `tensors` have been cut out of one array, side by side, make them the rows of a stack."""
        op = tensors[0].op
        if op.opdef.part is None or any(
            t.op.opdef is not op.opdef or t.op._inputs[0] is not op._inputs[0] for t in tensors
        ):
            return
        array = self[op._inputs[0]]
        if not isinstance(array, jax.Array):  # a variable, or what is known while tracing
            return
        parts = [op.opdef.part(t.op._attrs, *(self[i] for i in t.op._inputs)) for t in tensors]
        if None in parts or len(parts) < 2:
            return
        axis, first, size, kept = parts[0]
        step = size if parts[1][1] > first else -size
        if parts != [(axis, first + k * step, size, kept) for k in range(len(parts))]:
            return
        low, n = min(first, parts[-1][1]), len(parts)
        whole = lax.slice_in_dim(array, low, low + n * size, axis=axis)
        if kept:
            whole = whole.reshape(*whole.shape[:axis], n, size, *whole.shape[axis + 1 :])
        self.add(tensors if step > 0 else tensors[::-1], jnp.moveaxis(whole, axis, 0))

    def stacked(self, tensors: Sequence[Tensor]) -> Any:
        """The values of `tensors` as one array; rows of one stack that follow each other, or come in the other order, are not cut out."""
        parts: list[Any] = []
        k = 0
        while k < len(tensors):
            n = self._run(tensors[k:])
            if n < 2:
                parts.append(jnp.asarray(self[tensors[k]])[None])
            else:
                (stack, i), (_, j) = self._places[tensors[k]], self._places[tensors[k + n - 1]]
                parts.append(stack[i : j + 1] if j > i else lax.rev(stack[j : i + 1], (0,)))
            k += max(n, 1)
        return parts[0] if len(parts) == 1 else jnp.concatenate(parts)

    def has_stacked(self, tensors: Sequence[Tensor]) -> bool:
        """Whether `tensors` are the rows of a stack."""
        return len(tensors) > 1 and self._run(tensors) == len(tensors)

    def _run(self, tensors: Sequence[Tensor]) -> int:
        """How many of the first of `tensors` stand in one stack, each beside the one before."""
        places = [self._places.get(t) for t in tensors[:2]]
        if len(places) < 2 or None in places or places[0][0] is not places[1][0]:  # type: ignore[index]
            return 0
        (stack, i), (_, j) = places  # type: ignore[misc]
        if abs(j - i) != 1:
            return 0
        for k, t in enumerate(tensors):
            found = self._places.get(t)
            if found is None or found[0] is not stack or found[1] != i + k * (j - i):
                return k
        return len(tensors)


class _Turn(dict[Tensor, Any]):
    """The values of tensors in a turn; what is not of the turn stands in `outer`."""

    def __init__(self, values: dict[Tensor, Any], outer: dict[Tensor, Any], names: Names):
        super().__init__(values)
        self._outer, self._names = outer, names

    def __missing__(self, t: Tensor) -> Any:
        root = self._names(t)
        return self[root] if root is not t else self._outer[t]


class _NotRolled(Exception):
    """The turns are not the same after all, now that values and shapes are known."""


class Rolled:
    """Runs `pieces` as `Interpreter.run` does operations, each Repeat among them as a loop."""

    def __init__(self, pieces: Sequence[Operation | Repeat], names: Names):
        self.pieces = [p for p in pieces if isinstance(p, Repeat) or not p.opdef.alias or names.is_root(p.outputs[0])]
        self.names = names
        self._totals: dict[Operation, list[Any]] = {}  # of loops, by the operation that adds them up
        self._summed: set[Tensor] = set()  # what is in those
        self._in_rows = {t for p in pieces if isinstance(p, Repeat) for ts in p.rows.values() for t in ts}

    def run(self, runner: Interpreter, env: Rows) -> None:
        """Run everything, adding the values of all outputs to `env`."""
        runner.prepare(op for piece in self.pieces for op in _operations(piece))
        for piece in self.pieces:
            if isinstance(piece, Repeat):
                self._roll(piece, runner, env)
            elif piece in self._totals:
                rest = [env[t] for t in piece._inputs if self.names(t) not in self._summed]
                env[piece.outputs[0]] = functools.reduce(operator.add, [*self._totals[piece], *rest])
            elif not (self._cut(piece, runner, env) or self._joined(piece, env)):
                runner.run_one(piece, env)

    def _cut(self, op: Operation, runner: Interpreter, env: Rows) -> bool:
        """Whether the outputs of `op` are rows of one array now."""
        if op.opdef.as_rows is None or self._in_rows.isdisjoint(op.outputs):
            return False
        values = [runner.value(env[t], op) for t in op._inputs]
        stack = op.opdef.as_rows(op._attrs, *values) if any(isinstance(v, jax.Array) for v in values) else None
        if stack is not None:
            env.add(op.outputs, stack)
        return stack is not None

    def _joined(self, op: Operation, env: Rows) -> bool:
        """Whether `op` has been given rows of one array at once."""
        if op.opdef.of_rows is None:
            return False
        n = op._attrs[op.opdef.inputs[0].number]
        tensors = [self.names(t) for t in op._inputs[:n]]
        if not env.has_stacked(tensors):
            return False
        value = op.opdef.of_rows(op._attrs, env.stacked(tensors), *(env[t] for t in op._inputs[n:]))
        if value is not None:
            env[op.outputs[0]] = value
        return value is not None

    def _roll(self, repeat: Repeat, runner: Interpreter, env: Rows) -> None:
        try:
            loop = _Loop(repeat, runner, env, self.names)
        except (_NotRolled, apply.Replan, errors.OpError, TypeError, ValueError) as error:
            log.debug("%d turns of %s are traced one by one: %s", len(repeat.turns), repeat.turns[0][0].name, error)
            for op in _operations(repeat):
                runner.run_one(op, env)
            return
        for op, total in loop.run().items():
            self._totals.setdefault(op, []).append(total)
            self._summed.update(repeat.instances(repeat.sums[op]))


class _Loop:
    """One Repeat while it is traced. What it carries: values of earlier turns, sums, last values, and whether all checks held."""

    def __init__(self, repeat: Repeat, runner: Interpreter, env: Rows, names: Names):
        self.repeat, self.runner, self.env, self.names = repeat, runner, env, names
        self.carried: list[Carried] = list(dict.fromkeys(repeat.carried.values()))
        self.sums = list(repeat.sums.items())
        self.wanted: list[Any] = []  # places, keys of random operations, "ok": in the order in which a turn gives them
        self.known: dict[Place, Any] = {}  # what is the same in all turns, and known while tracing
        self.is_checked = False
        self.same: dict[Tensor, Any] = {}
        self.rows: dict[Any, Any] = {}  # by the tensor, or the random operation's key, that they stand for
        for t, tensors in repeat.rows.items():
            if not env.has_stacked(tensors):
                env.gather(tensors)
            values = [env.get(x) for x in tensors]
            if all(type(v) is np.ndarray and np.array_equal(v, values[0]) for v in values):  # type: ignore[arg-type]
                self.same[t] = values[0]
            elif self.carried or env.has_stacked(tensors):
                self.rows[t] = env.stacked(tensors)
            else:
                raise _NotRolled("turns that do not hang together take what lies apart")
        self.draws = [i for i, op in enumerate(repeat.turns[-1]) if op.opdef.wants_rng]
        for i in self.draws:
            self.rows[self._key(i)] = jnp.stack([runner.state["rng", turn[i].name] for turn in repeat.turns])
        start = [self._array(env[t]) for c in self.carried for t in c.first]
        row = [jax.ShapeDtypeStruct(r.shape[1:], r.dtype) for r in self.rows.values()]
        new, outlines = jax.eval_shape(self._values, start, row)
        self.shapes = dict(zip(self.wanted, outlines, strict=True))
        if any(a.shape != b.shape or a.dtype != b.dtype for a, b in zip(start, new, strict=True)):
            raise _NotRolled("what is carried changes its shape")
        self.start = start

    @staticmethod
    def _array(value: Any) -> Any:
        if isinstance(value, Structured) or not hasattr(value, "dtype") or value.dtype == object:
            raise _NotRolled(f"a {type(value).__name__} is carried")
        return jnp.asarray(value)

    def _values(self, held: Sequence[Any], row: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """One turn: the values of earlier turns that the next one takes, and what others want of this one, which is in `wanted`."""
        repeat = self.repeat
        given: dict[Any, Any] = dict(self.same)
        given.update(zip(self.rows, row, strict=True))
        streams = {self._key(i): given.pop(self._key(i)) for i in self.draws}
        at = 0
        heads = {}
        for c in self.carried:
            heads[c] = held[at]
            at += c.lag
        given.update((t, heads[c]) for t, c in repeat.carried.items())
        env = _Turn(given, self.env, self.names)
        child = self.runner.child(self.runner.state | streams)
        child.fold, child.tries = self.runner.fold, True
        with apply.collect_checks([]) as checks, apply.turn():
            child.run(repeat.turns[-1], env)
        new: list[Any] = []
        at = 0
        for c in self.carried:
            new += [*held[at + 1 : at + c.lag], self._array(self._at(env, c.source))]
            at += c.lag
        found: dict[Any, Any] = {}
        for place in (*repeat.stacked, *repeat.last, *(place for _, place in self.sums)):
            value = self._at(env, place)
            if type(value) is np.ndarray and place not in (p for _, p in self.sums):
                self.known[place] = value
            else:
                found[place] = self._array(value)
        found.update((key, child.state[key]) for key in streams)
        self.is_checked = bool(checks)
        if checks:
            ok, needs = apply.summary(checks)
            if needs:
                raise _NotRolled("a turn makes room for what it keeps")
            found["ok"] = ok
        self.wanted = list(found)
        return new, list(found.values())

    def _key(self, i: int) -> tuple[str, str]:
        """Where the state of a random operation of the turn that is traced stands."""
        return "rng", self.repeat.turns[-1][i].name

    def _at(self, env: Any, place: Place) -> Any:
        return env[self.repeat.turns[-1][place[0]].outputs[place[1]]]

    def run(self) -> dict[Operation, Any]:
        """Run the loop, and give its tensors values; the sums over all turns, by who asks for them."""
        repeat, env = self.repeat, self.env
        stacked = [*(p for p in repeat.stacked if p not in self.known), *map(self._key, self.draws)]
        last = [p for p in repeat.last if p not in self.known]
        zeros = [jnp.zeros(self.shapes[p].shape, self.shapes[p].dtype) for p in (*last, *(p for _, p in self.sums))]
        flags = [jnp.bool_(True)] if self.is_checked else []
        held, width = len(self.start), len(self.start) + len(last)

        def step(carry: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
            new, values = self._values(carry[:held], row)
            found = dict(zip(self.wanted, values, strict=True))
            new += [found[p] for p in last]
            new += [total + found[p] for total, (_, p) in zip(carry[width:], self.sums, strict=False)]
            new += [carry[-1] & found["ok"]] if self.is_checked else []
            return new, [found[p] for p in stacked]

        start, rows = [*self.start, *zeros, *flags], list(self.rows.values())
        end, stacks = scan(step, start, rows, len(repeat.turns), platform=self.runner.platform)
        if self.is_checked:
            apply.check(end[-1], "a check in one of many turns failed")
        found: dict[Any, Any] = dict(zip(stacked, stacks, strict=True))
        for i in self.draws:
            states = found.pop(self._key(i))
            for k, turn in enumerate(repeat.turns):
                self.runner.write(("rng", turn[i].name), states[k])
        for place, stack in found.items():
            env.add(repeat.instances(place), stack)
        for place, value in zip(last, end[held:width], strict=True):
            env[repeat.instances(place)[-1]] = value
        for place, value in self.known.items():
            env.update((t, value) for t in repeat.instances(place))
        return {op: total for total, (op, _) in zip(end[width:], self.sums, strict=False)}


def _operations(piece: Operation | Repeat) -> list[Operation]:
    return [op for turn in piece.turns for op in turn] if isinstance(piece, Repeat) else [piece]
