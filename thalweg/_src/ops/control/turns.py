"""What can be known of a loop before it runs: how many turns it makes, and the values that its counters take.

Only values that are known while tracing are followed: typically one counter and a bound.
"""

import numpy as np

from thalweg._src.core import infer

# A loop is followed turn by turn up to this many turns; counters that go in equal steps need not be.
_MAX_FOLLOWED = 20_000
_MAX_TURNS = 1 << 31
_AT_ONCE = 130  # turns for which a condition is asked at the same time
_STEPS = ("Add", "AddV2", "Sub")
_COMPARISONS = ("Less", "LessEqual", "Greater", "GreaterEqual")


class Turns:
    """`count`: the number of turns, or None. `series(t)`: the values of a tensor of the body, turn by turn, or None."""

    def __init__(self, cond, body, variables, captured):
        self.cond, self.body = cond, body
        width = len(body.outputs)
        self._cond_env, self._body_env = _known(cond, captured, width), _known(body, captured, width)
        self.start = {i: np.asarray(v) for i, v in enumerate(variables) if is_plain(v) and np.size(v) <= 64}
        self._followed = self._counters()
        self._steps = {i: s for i in self._followed if (s := self._step_of(i)) is not None}
        self.count = self._count()

    def _counters(self):
        """The loop variables whose next value follows from what is known."""
        known = dict(self.start)
        while True:
            memo = {**self._body_env, **{self.body.inputs[i]: v for i, v in known.items()}}
            lost = [i for i in known if fold(self.body.outputs[i], memo) is None]
            if not lost:
                return set(known)
            for i in lost:
                del known[i]

    def _step_of(self, i):
        """What is added to a counter in every turn, or None where it does not go in equal steps."""
        t = through_identities(self.body.outputs[i])
        own = self.body.inputs[i]
        if t is own:
            return np.zeros_like(self.start[i])
        node = t.op
        if node.type not in _STEPS or self.start[i].shape or self.start[i].dtype.kind != "i":
            return None
        a, b = map(through_identities, node.inputs)
        if a is not own and (b is not own or node.type == "Sub"):
            return None
        other = fold(b if a is own else a, dict(self._body_env))
        if other is None or np.ndim(other):
            return None
        return -other if node.type == "Sub" else other

    def _count(self):
        needed = self._behind_condition()
        if needed is None or not needed <= self._followed:
            return None
        scalar = all(not self.start[i].shape for i in needed)
        if scalar and needed <= set(self._steps) and self._is_monotone(self.cond.outputs[0]):
            return self._searched(needed)
        return self._by_following(needed)

    def _searched(self, needed):
        """The first turn for which a monotone condition fails: among some, and then between two of them."""

        def goes_on(turns):
            values = {self.cond.inputs[i]: self._at(i, turns) for i in needed}
            go = fold(self.cond.outputs[0], {**self._cond_env, **values})
            return None if go is None else np.broadcast_to(np.asarray(go, bool), turns.shape)

        turns = np.array([0, *(1 << k for k in range(_MAX_TURNS.bit_length()))])
        while True:
            going = goes_on(turns)
            if going is None or going.all():
                return None
            at = int(np.argmin(going))
            if not at:
                return 0
            low, high = int(turns[at - 1]), int(turns[at])
            if high - low == 1:
                return high
            turns = np.unique(np.linspace(low, high, _AT_ONCE).astype(np.int64))

    def _at(self, i, turn):
        start = self.start[i]
        return (
            np.asarray(int(start) + int(self._steps[i]) * np.asarray(turn)).astype(start.dtype)
            if not start.shape
            else start
        )

    def last(self, i):
        """What a counter is after the last turn, where both are known; else None."""
        if self.count is None or i not in self._steps or self.start[i].dtype.kind != "i":
            return None
        return self._at(i, self.count)

    def _is_monotone(self, t):
        """Whether a condition is made of comparisons of counters, so that once it fails it stays so."""
        t = through_identities(t)
        node = t.op
        if node.type == "LogicalAnd":
            return all(map(self._is_monotone, node.inputs))
        if node.type in _COMPARISONS:
            return all(self._is_counter(s) for s in node.inputs)
        return False

    def _is_counter(self, t):
        t = through_identities(t)
        return t in self.cond.inputs or fold(t, dict(self._cond_env)) is not None

    def _by_following(self, needed):
        values = {i: self.start[i] for i in needed}
        for turn in range(_MAX_FOLLOWED):
            go = fold(self.cond.outputs[0], {**self._cond_env, **{self.cond.inputs[i]: v for i, v in values.items()}})
            if go is None:
                return None
            if not truth_of(go):
                return turn
            memo = {**self._body_env, **{self.body.inputs[i]: v for i, v in values.items()}}
            values = {i: fold(self.body.outputs[i], memo) for i in needed}
            if any(v is None for v in values.values()):
                return None
        return None

    def _behind_condition(self):
        """The loop variables that the condition depends on, through all turns."""
        needed: set[int] = set()
        frontier = _inputs_of(self.cond, self.cond.outputs[:1], len(self.body.outputs))
        while frontier - needed:
            needed |= frontier
            frontier = _inputs_of(self.body, [self.body.outputs[i] for i in needed], len(self.body.outputs))
        return needed

    def series(self, t, turns):
        """The values that an integer scalar of the body takes in the first `turns` turns, or None."""
        t = through_identities(t)
        arguments = self.body.inputs[: len(self.body.outputs)]
        if t in arguments:
            i = arguments.index(t)
            if i in self._steps and not self.start[i].shape:
                return int(self.start[i]) + int(self._steps[i]) * np.arange(turns, dtype=np.int64)
        needed = _inputs_of(self.body, [t], len(arguments))
        if not needed <= self._followed or turns > _MAX_FOLLOWED:
            return None
        while more := _inputs_of(self.body, [self.body.outputs[i] for i in needed], len(arguments)) - needed:
            needed |= more
        if not needed <= self._followed:
            return None
        out = []
        values = {i: self.start[i] for i in needed}
        for _ in range(turns):
            memo = {**self._body_env, **{self.body.inputs[i]: v for i, v in values.items()}}
            value = fold(t, memo)
            if value is None or np.ndim(value):
                return None
            out.append(int(value))
            values = {i: fold(self.body.outputs[i], memo) for i in needed}
        return np.array(out, np.int64)


def through_identities(t):
    """The tensor that `t` is another name for."""
    while t.op.opdef.alias and t.op.inputs:
        t = t.op.inputs[0]
    return t


def is_plain(value):
    """Whether a value is an array that is known while tracing."""
    return isinstance(value, np.ndarray | np.generic) and value.dtype != object


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


def _known(graph, captured, count):
    return {t: np.asarray(v) for t, v in zip(graph.inputs[count:], captured, strict=True) if is_plain(v)}


def fold(t, env):
    """The value of `t` in a body, if `env` and constants decide it; else None."""
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
        v = fold(s, env)
        if v is None:
            return None
        values.append(v)
    for o, v in zip(node.outputs, infer.evaluate(node, values), strict=True):
        env[o] = v
    return env[t]


def truth_of(value):
    """A known condition as TensorFlow reads it: a bool, a number that is not zero, a string or a list that is not empty."""
    array = np.asarray(value)
    return bool(array.size) if array.shape else bool(array[()])
