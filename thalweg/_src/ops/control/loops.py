"""While, compiled: how many turns a loop makes, what it carries from turn to turn, and what its derivatives need.

A loop whose turns can be counted while tracing is a scan. Another one is a `lax.while_loop`; where it is differentiated, it is a
scan too, with room for more turns than it has made so far: the turns behind its end are played on the first values and thrown
away. When there was too little room, the step reports it and is compiled again with more. So memory and time grow with the turns
that are made, rounded up, and what is compiled does not grow with them at all. Where the turns are counted before the step is
called (`runtime/rounded_loops.py`), only those are made.
"""

import numpy as np

from thalweg._src.core import apply
from thalweg._src.core.apply import Replan
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.scan.limits import live_turns
from thalweg._src.core.scan.tape import scan
from thalweg._src.core.structured import Structured
from thalweg._src.ops.control.lifts import lifted
from thalweg._src.ops.control.turns import Turns, through_identities, truth_of

# The turns for which a differentiated loop of unknown length has room at first.
_FIRST_ROOM = 8


def compiled_loop(cond, body, variables, captured, run):
    """The last loop variables. Raises Replan for loops whose variables change their shape."""
    loop = _Loop(cond, body, variables, captured, run)
    turns = Turns(cond, body, variables, captured)
    if turns.count == 0:
        return list(variables)
    if turns.count is not None:
        return loop.counted(turns)
    limit = apply.limit(loop.key)
    if limit is not None:
        return loop.limited(turns, *limit)
    if run.taped:
        return loop.taped(turns)
    return loop.open_ended()


class _Loop:
    """One loop while it is traced. What it carries: (values, variables that it writes, (checks held, room that was missing)).

    Loop variables that no turn changes, and arrays whose writes leave the loop, are not carried; `given` stands for them.
    """

    def __init__(self, cond, body, variables, captured, run):
        self.cond, self.body, self.run = cond, body, run
        self.variables = list(variables)
        self.captured = [v.in_loop() if isinstance(v, Structured) else v for v in captured]
        self.key = f"loop {run.current.name if run.current is not None else 'loop'}"
        width = len(body.outputs)
        self.unchanged = {i for i in range(width) if through_identities(body.outputs[i]) is body.inputs[i]}
        for i in self.unchanged:
            if isinstance(self.variables[i], Structured):
                self.variables[i] = self.variables[i].in_loop()
        self.given = {i: self.variables[i] for i in self.unchanged}
        everything = [*self.variables, *self.captured]
        self.keys = run.written_by((cond, everything), (body, everything))
        self.asking_acts = bool(run.written_by((cond, everything)))
        self.reads, self.writes = [], []

    # -- the four forms

    def counted(self, turns):
        """A loop of a known number of turns: a scan."""
        self._lift(turns, turns.count)
        start = self.settled()
        end, rows = self._scan(self.step, start, turns.count)
        out = self.finish(end, rows, None)
        return [v if (last := turns.last(i)) is None else last for i, v in enumerate(out)]

    def limited(self, turns, room, count):
        """A loop that makes `count` turns, a value, at most `room`: a scan of which so many turns count."""
        self._lift(turns, room)
        end, rows = self._scan(self.step, self.settled(), room, count)
        return self.finish(end, rows, live_turns(count, room))

    def taped(self, turns):
        """A loop that is differentiated: a scan of more turns than it makes."""
        room = apply.room(self.key, _FIRST_ROOM)
        self._lift(turns, room)
        start = self.settled()

        def turn(carry, rows):
            carry, live = carry
            goes_on, asked = self.asked(carry)
            carry = _chosen(live, asked, carry) if self.asking_acts else carry
            live &= goes_on
            new, out = self.step(_chosen(live, carry, start), rows, live)
            return (_chosen(live, new, carry), live), (out, live)

        (end, live), (rows, lives) = self._scan(turn, (start, jnp.bool_(True)), room)
        goes_on, asked = self.asked(end)
        end = _chosen(live, asked, end) if self.asking_acts else end
        more = live & goes_on
        if self.run.active is not None:
            more &= self.run.active
        apply.need(self.key, jnp.where(more, 2 * room, 0), room)
        return self.finish(end, rows, lives)

    def open_ended(self):
        """A loop whose length is known when it ends."""
        start = self.settled()
        if self.asking_acts:  # JAX's condition changes nothing: each turn ends with asking for the next
            after_turn = lambda goes: self.asked(self.step(goes[1], None)[0])
            _, end = lax.while_loop(lambda goes: goes[0], after_turn, self.asked(start))
        else:
            end = lax.while_loop(lambda carry: self.asked(carry)[0], lambda carry: self.step(carry, None)[0], start)
        return self.finish(end, [], None)

    # -- parts

    def _lift(self, turns, count):
        self.reads, self.writes = lifted(
            self.cond, self.body, self.variables, self.captured, turns, count, self.unchanged, self.run
        )
        for write in self.writes:
            self.given[write.at] = write.start

    def _scan(self, step, start, length, limit=None):
        """`lax.scan` of `step` over the rows of what is read, by parts."""
        flat, tree = jax.tree.flatten((start, self._rows()))
        width = len(jax.tree.leaves(start))
        out_tree = None

        def flat_step(carry, rows):
            nonlocal out_tree
            carry, out = step(*jax.tree.unflatten(tree, [*carry, *rows]))
            out, out_tree = jax.tree.flatten(out)
            return jax.tree.leaves(carry), out

        flat = [jnp.asarray(x) for x in flat]
        how = {"taped": self.run.taped, "platform": self.run.platform, "limit": limit}
        end, out = scan(flat_step, flat[:width], flat[width:], length, **how)
        return jax.tree.unflatten(jax.tree.structure(start), end), jax.tree.unflatten(out_tree, out)

    def _rows(self):
        return [(r.rows, np.ones(len(r.rows), bool) if r.inside is None else r.inside) for r in self.reads]

    def _full(self, values):
        """All loop variables, those that are carried taken from `values`."""
        found = iter(values)
        return [self.given[i] if i in self.given else next(found) for i in range(len(self.variables))]

    def settled(self):
        """The first values in the form of all later ones."""
        values = [
            v.in_loop() if isinstance(v, Structured) else v for i, v in enumerate(self.variables) if i not in self.given
        ]
        start = ([carried(v) for v in values], [carried(self.run.state[k]) for k in self.keys], (jnp.bool_(True), {}))
        rows = jax.tree.map(lambda r: jax.ShapeDtypeStruct(r.shape[1:], r.dtype), self._rows())
        for _ in range(4):
            with apply.collect_checks(False):
                after, _ = jax.eval_shape(self.step, start, rows or None)
            start, changed = _towards(start, after)
            if not changed:
                return start
        raise Replan(None, "a loop variable changes its structure")

    def step(self, carry, rows, active=None):
        """One turn: what it carries on, and the rows that it writes."""
        values, old, (ok, needs) = carry
        child = self._child(old, active)
        given, skip = {}, set()
        with apply.collect_checks([]) as checks, apply.turn():
            for read, (row, inside) in zip(self.reads, rows or [], strict=True):
                given[read.node.outputs[0]] = row
                skip.add(read.node)
                if read.inside is not None:
                    apply.check(inside, "an index is outside")
            for write in self.writes:
                given[write.node.outputs[0]] = np.float32(0)
                skip.add(write.node)
            new = child.call_graph(
                self.body,
                [*self._full(values), *self.captured],
                given=given,
                skip=skip,
                also=[w.node.inputs[2] for w in self.writes],
            )
        width = len(self.body.outputs)
        held, missing = apply.summary(checks)
        if active is not None:
            held |= ~active
            missing = {k: jnp.where(active, n, 0) for k, n in missing.items()}
        merged = {k: jnp.maximum(needs.get(k, 0), missing.get(k, 0)) for k in {**needs, **missing}}
        after = [carried(v) for i, v in enumerate(new[:width]) if i not in self.given]
        state = [carried(child.state[k]) for k in self.keys]
        return (after, state, (ok & held, merged)), [carried(v) for v in new[width:]]

    def asked(self, carry):
        """Whether there is another turn, and what is carried into it: the condition may draw random numbers, or write variables."""
        values, old, found = carry
        child = self._child(old)
        with apply.collect_checks(False):
            goes_on = truth(child.call_graph(self.cond, [*self._full(values), *self.captured])[0])
        return jnp.bool_(goes_on), (values, [carried(child.state[k]) for k in self.keys], found)

    def _child(self, old, active=None):
        child = self.run.child({**self.run.state, **dict(zip(self.keys, old, strict=True))})
        if active is not None:
            child.active = active if child.active is None else child.active & active
        return child

    def finish(self, end, rows, lives):
        """The loop variables after the last turn."""
        values, new, found = end
        for key, value in zip(self.keys, new, strict=True):
            self.run.write(key, value)
        apply.report(found, "a check in a loop failed")
        for write, own in zip(self.writes, rows, strict=True):
            self.given[write.at] = write.finish(own, lives, self.run.active)
        return self._full(values)


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
            a = a.like(b) if type(a) is type(b) else b.blank()
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
    return truth_of(value)


def carried(value):
    if not hasattr(value, "dtype") and not isinstance(value, bool | int | float | complex):
        raise Replan(None, "a body returns what is no array")
    if isinstance(value, np.ndarray | np.generic) and getattr(value, "dtype", None) == object:
        raise Replan(None, "a body returns strings")
    return jax.tree.map(jnp.asarray, value)
