"""While, compiled: how many turns a loop makes, what it carries from turn to turn, and what its derivatives need.

A loop whose turns can be counted while tracing is a scan. Another one is a `lax.while_loop`; where it is differentiated, it is a
scan too, with room for more turns than it has made so far: the turns behind its end are played on the first values and thrown
away. When there was too little room, the step reports it and is compiled again with more. So memory and time grow with the turns
that are made, rounded up, and what is compiled does not grow with them at all.
"""

import numpy as np

from thalweg._src.core import apply, infer
from thalweg._src.core.apply import Replan
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.structured import Structured

# A loop whose turns can be counted while tracing is counted up to this many.
_MAX_COUNTED = 1_000_000
# The turns for which a differentiated loop of unknown length has room at first.
_FIRST_ROOM = 8


def compiled_loop(cond, body, variables, captured, run):
    """The last loop variables. Raises Replan for loops whose variables change their shape."""
    loop = _Loop(cond, body, captured, run)
    turns = trip_count(cond, body, variables, captured)
    start = loop.settled(variables)
    if turns is not None:
        end, _ = lax.scan(lambda c, _: (loop.step(c), None), start, None, length=turns)
    elif run.taped:
        end = loop.taped(start)
    else:
        end = lax.while_loop(loop.goes_on, loop.step, start)
    return loop.finish(end)


class _Loop:
    """One loop while it is traced. What it carries: (values, variables that it writes, (checks held, room that was missing))."""

    def __init__(self, cond, body, captured, run):
        self.cond, self.body, self.run = cond, body, run
        self.captured = [v.in_loop() if isinstance(v, Structured) else v for v in captured]
        self.name = run.current.name if run.current is not None else "loop"
        self.keys = []

    def settled(self, variables):
        """The first values in the form of all later ones."""
        run = self.run
        values = [v.in_loop() if isinstance(v, Structured) else v for v in variables]
        self.keys = run.written_by((self.cond, [*values, *self.captured]), (self.body, [*values, *self.captured]))
        start = ([carried(v) for v in values], [carried(run.state[k]) for k in self.keys], (jnp.bool_(True), {}))
        for _ in range(4):
            with apply.collect_checks(False):
                after = jax.eval_shape(self.step, start)
            start, changed = _towards(start, after)
            if not changed:
                return start
        raise Replan(None, "a loop variable changes its structure")

    def step(self, carry, active=None):
        values, old, (ok, needs) = carry
        child = self._child(old, active)
        with apply.collect_checks([]) as checks:
            new = child.call_graph(self.body, [*values, *self.captured])
        held, missing = apply.summary(checks)
        if active is not None:
            held |= ~active
            missing = {k: jnp.where(active, n, 0) for k, n in missing.items()}
        merged = {k: jnp.maximum(needs.get(k, 0), missing.get(k, 0)) for k in {**needs, **missing}}
        return [carried(v) for v in new], [carried(child.state[k]) for k in self.keys], (ok & held, merged)

    def goes_on(self, carry):
        values, old, _ = carry
        child = self._child(old)
        with apply.collect_checks(False):
            return truth(child.call_graph(self.cond, [*values, *self.captured])[0])

    def _child(self, old, active=None):
        child = self.run.child({**self.run.state, **dict(zip(self.keys, old, strict=True))})
        if active is not None:
            child.active = active if child.active is None else child.active & active
        return child

    def taped(self, start):
        """The loop as a scan of more turns than it makes."""
        key = f"loop {self.name}"
        room = apply.room(key, _FIRST_ROOM)

        def turn(carry, _):
            carry, live = carry
            live &= self.goes_on(carry)
            new = self.step(_chosen(live, carry, start), live)
            return (_chosen(live, new, carry), live), None

        (end, live), _ = lax.scan(turn, (start, jnp.bool_(True)), None, length=room)
        more = live & self.goes_on(end)
        if self.run.active is not None:
            more &= self.run.active
        apply.need(key, jnp.where(more, 2 * room, 0), room)
        return end

    def finish(self, end):
        values, new, found = end
        for key, value in zip(self.keys, new, strict=True):
            self.run.write(key, value)
        apply.report(found, "a check in a loop failed")
        return list(values)


def _chosen(flag, yes, no):
    """`yes` where `flag` holds, else `no`; but structured values are those of `yes`: a turn that is only played writes nothing."""

    def choose(a, b):
        if isinstance(a, Structured):
            return a
        return jnp.where(flag, a, b)

    return jax.tree.map(choose, yes, no, is_leaf=lambda v: isinstance(v, Structured))


def _towards(start, after):
    """The first carry with the structure and types of the one after a turn, and whether that made a difference."""
    changed = False
    values = []
    for a, b in zip(start[0], after[0], strict=True):
        if isinstance(b, Structured) and jax.tree.structure(a) != jax.tree.structure(b):
            a = a.like(b) if isinstance(a, Structured) else b.blank()
            changed = True
        values.append(a)
    needs = dict(start[2][1])
    for k in after[2][1]:
        if k not in needs:
            needs[k] = jnp.int32(0)
            changed = True
    start = (values, start[1], (start[2][0], needs))
    if changed:
        return start, True
    flat, tree = jax.tree.flatten(start)
    flat_after, tree_after = jax.tree.flatten(after)
    if tree != tree_after:
        raise Replan(None, "a loop variable changes its structure")
    out = []
    for a, b in zip(flat, flat_after, strict=True):
        if a.shape != b.shape:
            raise Replan(None, f"a loop variable changes its shape from {a.shape} to {b.shape}")
        out.append(a.astype(b.dtype) if a.dtype != b.dtype else a)
    return jax.tree.unflatten(tree, out), False


# -- how many turns


def trip_count(cond, body, variables, captured):
    """The number of turns of a loop, where it follows from values that are known while tracing; else None.

    Only what the condition depends on is followed: typically a counter.
    """
    needed = _loop_variables_of(cond, body)
    if needed is None or any(is_tracer(variables[i]) for i in needed):
        return None
    cond_env = _known(cond, variables, captured, len(body.outputs))
    body_env = _known(body, variables, captured, len(body.outputs))
    values = {i: np.asarray(variables[i]) for i in needed}
    for turn in range(_MAX_COUNTED):
        go = _fold(cond.outputs[0], {**cond_env, **{cond.inputs[i]: v for i, v in values.items()}})
        if go is None:
            return None
        if not truth(go):
            return turn
        memo = {**body_env, **{body.inputs[i]: v for i, v in values.items()}}
        new = {i: _fold(body.outputs[i], memo) for i in needed}
        if any(v is None for v in new.values()):
            return None
        values = new
    return None


def _loop_variables_of(cond, body):
    """The loop variables that the condition depends on, through all turns; None where that can't be told."""
    count = len(body.outputs)
    needed: set[int] = set()
    frontier = _inputs_of(cond, cond.outputs[:1], count)
    while frontier - needed:
        needed |= frontier
        frontier = _inputs_of(body, [body.outputs[i] for i in needed], count)
    return needed


def _inputs_of(graph, tensors, count):
    at = {t: i for i, t in enumerate(graph.inputs[:count])}
    seen = set()
    stack = list(tensors)
    out = set()
    while stack:
        t = stack.pop()
        if t in seen:
            continue
        seen.add(t)
        if t in at:
            out.add(at[t])
        else:
            stack += t.op.inputs
    return out


def _known(graph, variables, captured, count):
    return {
        t: np.asarray(v)
        for t, v in zip(graph.inputs[count:], captured, strict=True)
        if not is_tracer(v) and hasattr(v, "dtype")
    }


def _fold(t, env):
    """The value of `t` in a body, if `env` and constants decide it."""
    if t in env:
        return env[t]
    node = t.op
    opdef = node.opdef
    if opdef.effect is not None or opdef.source or opdef.name == "_Arg" or not (opdef.foldable or opdef.alias):
        return None
    if opdef.needs_only_shapes(node):
        return infer.constant_value(t)
    values = []
    for s in node.inputs:
        v = _fold(s, env)
        if v is None:
            return None
        values.append(v)
    for o, v in zip(node.outputs, infer.evaluate(node, values), strict=True):
        env[o] = v
    return env[t]


def is_tracer(value):
    return isinstance(value, jax.core.Tracer)


def truth(value):
    """A condition as TensorFlow reads it: a bool, a number that is not zero, a string that is not empty, or any
    non-scalar with elements.
    """
    if is_tracer(value):
        if value.shape:
            return jnp.bool_(value.size > 0)
        return value if value.dtype == bool else value != 0
    array = np.asarray(value)
    if array.shape:
        return bool(array.size)
    return bool(array[()])


def carried(value):
    if not hasattr(value, "dtype") and not isinstance(value, bool | int | float | complex):
        raise Replan(None, "a body returns what is no array")
    if isinstance(value, np.ndarray | np.generic) and getattr(value, "dtype", None) == object:
        raise Replan(None, "a body returns strings")
    return jax.tree.map(jnp.asarray, value)
