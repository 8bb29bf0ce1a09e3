"""What a program has unrolled: stretches of a step in which the same operations come again and again, found so that one turn is traced.

A loop of Python's over the steps of a recurrent network makes some hundred operations for each, and their gradients as many again. XLA
compiles each of them; a loop has its turn compiled once. A stretch is found in the order of the operations, by what they are (types,
attrs, shapes) and not by names: `p` operations that `n` times follow each other, where each takes what the turns before give, what is
the same for all turns, or a row: a tensor of its own for each turn. Weights that differ from turn to turn, as those of the layers of a
network, make no stretch: stacking them would cost more than it saves.
"""

from __future__ import annotations

import collections
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Operation, Tensor

_TURNS = 4  # at least
_SAVED = 40  # operations, at least, that need not be compiled
_LOOPED = 100  # where turns wait for each other: XLA runs short loops more slowly than the same written out
_PERIODS = 16  # lengths of turns that are tried
_SEEDS = ("seed", "seed2")  # by which the session makes the state of a random operation
_BUILT_IN = 64  # numbers of a constant that is compared by its value

Place = tuple[int, int]  # an operation in its turn, and which of its outputs


class Carried(NamedTuple):
    """What a turn takes of the turn that stands `lag` before it; in the first turns it is one of the tensors in `first`."""

    source: Place
    first: tuple[Tensor, ...]

    @property
    def lag(self) -> int:
        return len(self.first)


class Repeat:
    """Turns of the same operations. `carried` and `rows` tell of the inputs of the last turn what stands for them in the others.

    `stacked` is what others take of every turn, `last` what they take of the last one alone, `sums` what an operation adds up for all
    turns, by that operation.
    """

    def __init__(self, turns: list[list[Operation]]):
        self.turns = turns
        self.carried: dict[Tensor, Carried] = {}
        self.rows: dict[Tensor, tuple[Tensor, ...]] = {}
        self.stacked: dict[Place, None] = {}
        self.last: dict[Place, None] = {}
        self.sums: dict[Operation, Place] = {}

    def instances(self, place: Place) -> list[Tensor]:
        """The tensors of all turns at a place."""
        i, k = place
        return [turn[i].outputs[k] for turn in self.turns]


def repeats(
    ops: Sequence[Operation], outputs: Iterable[Tensor], given: Collection[Tensor], names: Names
) -> list[Operation | Repeat]:
    """`ops`, in their order, with a Repeat in the place of each stretch. `outputs` are wanted outside, `given` come from there."""
    body = [op for op in ops if not _is_free(op) and not any(t in given for t in op.outputs)]
    found = []
    for turns in _stretches(body, names) if len(body) > _SAVED else ():
        repeat = Repeat(turns)
        saved = (len(turns) - 1) * len(turns[0])
        if saved >= _SAVED and _wire(repeat, names) and (saved >= _LOOPED or not repeat.carried):
            found.append(repeat)
    while found:
        order, torn = _in_order(found, ops, names)
        if not torn:
            _find_takers(found, ops, outputs, names)
            return order
        found = [r for r in found if r not in torn]
    return list(ops)


class Names:
    """What tensors are other names for."""

    def __init__(self, ops: Sequence[Operation], given: Collection[Tensor]):
        self._roots: dict[Tensor, Tensor] = {}
        for op in ops:
            if op.opdef.alias and op.outputs[0] not in given:
                self._roots[op.outputs[0]] = self(op._inputs[0])

    def __call__(self, t: Tensor) -> Tensor:
        return self._roots.get(t, t)

    def is_root(self, t: Tensor) -> bool:
        """Whether `t` is no other name."""
        return t not in self._roots


def _is_free(op: Operation) -> bool:
    opdef = op.opdef
    return opdef.constant or opdef.source or opdef.alias or not (op.outputs or opdef.effect)


# -- what is the same


def _stretches(body: Sequence[Operation], names: Names) -> list[list[list[Operation]]]:
    """The turns of each stretch of `body`."""
    numbers: dict[Any, int] = {}
    kinds = {op: numbers.setdefault(_signature(op, names), len(numbers)) for op in body}
    often = np.bincount(list(kinds.values()), minlength=1)
    rare = {op for op, kind in kinds.items() if often[kind] < _TURNS}
    body = _without_outsiders(body, rare, names)
    ids = np.array([kinds[op] for op in body], np.int64)
    found = []
    for start, end, period in _periodic(ids):
        turns = [list(body[i : i + period]) for i in range(start, end - period + 1, period)]
        found.append(_consistent(turns, names))
    return [turns for turns in found if turns]


def _without_outsiders(body: Sequence[Operation], rare: Collection[Operation], names: Names) -> list[Operation]:
    """`body` without what stands between the operations of turns and is made outside of them: what cuts a row for each turn out of an
    array that is made once, what compares a number of each turn with one array."""
    inside: set[Operation] = set()
    left = []
    for op in body:
        makers = [names(t).op for t in op._inputs]
        is_outside = op in rare and op.opdef.effect is None and inside.isdisjoint(makers)
        if is_outside or (op.opdef.part is not None and (makers[0] in rare or makers[0] not in inside)):
            continue
        inside.add(op)
        left.append(op)
    return left


def _periodic(ids: np.ndarray) -> list[tuple[int, int, int]]:
    """Disjoint stretches (start, end, period) of `ids`, those that save most first."""
    found: list[tuple[int, int, int]] = []
    open_ends = [(0, len(ids))]
    while open_ends:
        low, high = open_ends.pop()
        part = ids[low:high]
        best = (0, 0, 0)
        saved = _SAVED - 1
        for period in _periods(part):
            same = np.concatenate([[False], part[:-period] == part[period:], [False]])
            edges = np.flatnonzero(same[1:] != same[:-1])
            for start, stop in zip(edges[::2], edges[1::2], strict=True):
                turns = (stop - start) // period + 1
                if turns >= _TURNS and (turns - 1) * period > saved:
                    saved, best = (turns - 1) * period, (int(start), int(start + turns * period), period)
        if best[2]:
            start, stop, period = best
            found.append((low + start, low + stop, period))
            open_ends += [(low, low + start), (low + stop, high)]
    return sorted(found)


def _periods(ids: np.ndarray) -> list[int]:
    """How long a turn may be: the distances at which the same kinds of operations come again, the most frequent ones."""
    order = np.argsort(ids, kind="stable")
    same = ids[order][1:] == ids[order][:-1]
    distances = np.diff(order)[same]
    counts = collections.Counter(distances.tolist())
    tried = [d for d, _ in counts.most_common(_PERIODS)]
    # A kind that comes several times in a turn tells parts of it; those that come once tell all of it.
    kinds, count = np.unique(ids, return_counts=True)
    kinds, count = kinds[count >= _TURNS], count[count >= _TURNS]
    for kind in kinds[np.argsort(count, kind="stable")][: 4 * _PERIODS]:
        gaps = collections.Counter(np.diff(np.flatnonzero(ids == kind)).tolist())
        tried.append(gaps.most_common(1)[0][0])
    return sorted(set(tried))


def _signature(op: Operation, names: Names) -> Any:
    """What two operations have in common that do the same to arrays of the same shapes; the operation itself where none may."""
    opdef = op.opdef
    if opdef.effect not in (None, "read", "rng") or opdef.bodies is not None or opdef.forward_of is not None:
        return op
    if opdef.convolves or opdef.waits or opdef.must_feed or opdef.frame or any(_is_odd(t) for t in op.outputs):
        return op
    try:
        left_out = _SEEDS if opdef.wants_rng else ()
        attrs = tuple((k, _told(v)) for k, v in sorted(op._attrs.items()) if k[0] != "_" and k not in left_out)
        return (
            op.type,
            attrs,
            tuple(_taken(names(t)) for t in op._inputs),
            tuple((t.dtype, t._dims) for t in op.outputs),
        )
    except _Unlike:
        return op


class _Unlike(Exception):
    """Something that is compared with nothing."""


def _is_odd(t: Tensor) -> bool:
    return t.dtype.is_on_host or t.dtype._ref or t.dtype.base_dtype._name in ("resource", "variant")


def _taken(t: Tensor) -> Any:
    opdef = t.op.opdef
    if opdef.source:
        return t
    if opdef.constant:
        value = t.op._attrs["value"]
        return _told(value) if value.size <= _BUILT_IN else t
    return t.dtype, t._dims


def _told(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, complex, bytes, str, DType):
        return kind.__name__, value
    if kind in (list, tuple):
        return tuple(map(_told, value))
    if kind is np.ndarray and value.dtype != object:
        return value.dtype.str, value.shape, value.tobytes()
    raise _Unlike


# -- how turns hang together


def _consistent(turns: list[list[Operation]], names: Names) -> list[list[Operation]]:
    """The longest part of `turns` in which each takes from the others what the next one takes."""
    for _ in range(4):
        odd = _odd_turns(turns, names)
        if not odd.any():
            return turns
        edges = np.flatnonzero(np.diff(np.concatenate([[True], odd, [True]]).astype(np.int8)))
        spans = list(zip(edges[::2], edges[1::2], strict=True))
        if not spans:
            break
        start, stop = max(spans, key=lambda s: s[1] - s[0])
        turns = turns[start:stop]
        if len(turns) < _TURNS:
            break
    return []


def _odd_turns(turns: list[list[Operation]], names: Names) -> np.ndarray:
    """Which turns take from other turns something else than most do."""
    at = {op: (k, i) for k, turn in enumerate(turns) for i, op in enumerate(turn)}
    odd = np.zeros(len(turns), bool)
    for ops in zip(*turns, strict=True):
        for inputs in zip(*(op._inputs for op in ops), strict=True):
            sources = [_source(names(t), k, at) for k, t in enumerate(inputs)]
            inside = collections.Counter(s for s in sources if s is not None)
            if not inside:
                continue
            usual = inside.most_common(1)[0][0]
            lag = usual[0]
            odd |= np.array([s != (None if k < lag else usual) for k, s in enumerate(sources)])
    return odd


def _source(t: Tensor, turn: int, at: dict[Operation, tuple[int, int]]) -> tuple[int, int, int] | None:
    """(how many turns before, place, output) of what a turn takes from a turn; None for what comes from elsewhere."""
    found = at.get(t.op)
    return None if found is None else (turn - found[0], found[1], t.value_index)


def _wire(repeat: Repeat, names: Names) -> bool:
    """Fill in what is carried and what are rows; False where one tensor of the last turn would be two of those, and where all turns
    give the same."""
    turns = repeat.turns
    at = {op: (k, i) for k, turn in enumerate(turns) for i, op in enumerate(turn)}
    found: dict[Tensor, Any] = {}
    for ops in zip(*turns, strict=True):
        for inputs in zip(*(op._inputs for op in ops), strict=True):
            roots = tuple(map(names, inputs))
            last = roots[-1]
            source = _source(last, len(turns) - 1, at)
            if source is not None and source[0] == 0:
                continue
            if source is not None:
                entry: Any = Carried(source[1:], roots[: source[0]])
            elif all(t is last for t in roots) or _are_equal(roots):
                entry = last
            else:
                entry = roots
            if found.setdefault(last, entry) != entry:
                return False
    repeat.carried = {t: e for t, e in found.items() if type(e) is Carried}
    repeat.rows = {t: e for t, e in found.items() if type(e) is tuple}
    return bool(repeat.carried or repeat.rows)


def _are_equal(tensors: tuple[Tensor, ...]) -> bool:
    """Constants in the same place have the same value."""
    return all(t.op.opdef.constant for t in tensors)


def _find_takers(found: list[Repeat], ops: Sequence[Operation], outputs: Iterable[Tensor], names: Names) -> None:
    """Fill in what others take of each Repeat."""
    home: dict[Operation, tuple[Repeat, int, int]] = {}
    for repeat in found:
        for k, turn in enumerate(repeat.turns):
            home.update((op, (repeat, k, i)) for i, op in enumerate(turn))
    taken: dict[Tensor, list[Operation | None]] = {}
    for op in ops:
        if op.opdef.alias:
            continue
        inside = home.get(op)
        for t in op._inputs:
            r = names(t)
            maker = home.get(r.op)
            if maker is not None and (inside is None or inside[0] is not maker[0]):
                taken.setdefault(r, []).append(op)
    for t in outputs:
        if names(t).op in home:
            taken.setdefault(names(t), []).append(None)
    for repeat in found:
        _find_sums(repeat, taken, home)
    added = {t for repeat in found for place in repeat.sums.values() for t in repeat.instances(place)}
    for t in taken:
        if t in added:
            continue
        repeat, k, i = home[t.op]
        earlier = repeat.instances((i, t.value_index))[:-1]
        if k == len(repeat.turns) - 1 and taken.keys().isdisjoint(earlier):
            repeat.last[i, t.value_index] = None
        else:
            repeat.stacked[i, t.value_index] = None


def _find_sums(repeat: Repeat, taken: dict[Tensor, list[Operation | None]], home: Collection[Operation]) -> None:
    """What an AddN adds up for all turns, and nobody else takes, need not be kept for each."""
    for i, op in enumerate(repeat.turns[-1]):
        for t in op.outputs:
            takers = taken.get(t, ())
            adder = takers[0] if len(takers) == 1 else None
            if adder is None or not adder.opdef.adds or adder in repeat.sums or adder in home:
                continue
            own = repeat.instances((i, t.value_index))
            if all(taken.get(x) == [adder] for x in own):
                repeat.sums[adder] = i, t.value_index


def _in_order(
    found: list[Repeat], ops: Sequence[Operation], names: Names
) -> tuple[list[Operation | Repeat], set[Repeat]]:
    """`ops` with each Repeat in the place of its last operation; what takes what it gives comes behind it. Also those that can't
    stand together, as something that is not of them takes of one turn what it gives to another."""
    home = {op: repeat for repeat in found for turn in repeat.turns for op in turn}
    ends = {repeat.turns[-1][-1]: repeat for repeat in found}
    waits: set[Operation] = set()  # for the end of a Repeat
    late: list[Operation] = []
    torn: set[Repeat] = set()
    order: list[Operation | Repeat] = []
    for op in ops:
        is_late = any(t.op in waits for t in op._inputs)
        if op not in home:
            (late if is_late else order).append(op)
            waits.update([op] if is_late else [])
            continue
        if is_late and any(names(t).op in waits and home.get(names(t).op) is not home[op] for t in op._inputs):
            torn.add(home[op])
        waits.add(op)
        if op in ends:
            order += [ends[op], *late]
            late, waits = [], set()
    return order, torn
