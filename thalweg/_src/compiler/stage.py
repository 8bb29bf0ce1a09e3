"""Colour operations by where they run, and gather those of one colour and stage into clusters.

Colours are devices, other tasks of the cluster, "host" for plain Python, or None for what costs nothing anywhere: constants,
references, groups.
An operation's stage is one more than that of what it waits for if that has another colour, or if it needs the *value* of
that while it is traced (a shape that another executable computes).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from thalweg._src.compiler.bodies import accesses, is_host_work, randoms, refers, slots, source_of, variable_key
from thalweg._src.compiler.partition import Elsewhere, Partition
from thalweg._src.compiler.repeats import Names, Repeat, repeats
from thalweg._src.compiler.uncompiled import Uncompiled
from thalweg._src.core.graph import Operation, Tensor

HOST = "host"


class Varying(NamedTuple):
    """The colour of what is compiled again and again, for ever new shapes, on a device."""

    device: Any


class Cluster:
    """Operations that run together: one executable, or one stretch of host work.

    `inputs` are tensors from feeds or earlier clusters, `statics` those of them whose values it is compiled for, `outputs`
    what others need of it, `sources` the variables it touches, `randoms` its random operations, `fold` what is computed
    while tracing. A derivative that runs a body again draws what the body drew: `kept` are the random operations whose first
    states later clusters need, `replayed` those whose states it takes from earlier ones.
    """

    def __init__(self, colour: Any, stage: int):
        self.varies = isinstance(colour, Varying)
        self.colour, self.stage = colour.device if self.varies else colour, stage
        self.ops: list[Operation] = []
        self.inputs: list[Tensor] = []
        self.statics: list[Tensor] = []
        self.fetched: list[Tensor] = []  # of host work: the inputs that it needs as NumPy arrays
        self.outputs: list[Tensor] = []
        self.sources: dict[str, Operation] = {}
        self.writes: dict[str, None] = {}
        self.slight_runs = 0  # so many more by NumPy: see `haste.is_slight`
        self.last_uses: list[list[Tensor]] | None = None  # of every operation: what need not be held after it
        self.changes: frozenset[str] = frozenset()  # what all clusters of its plan write
        self.randoms: list[Operation] = []
        self.kept: list[Operation] = []
        self.replayed: list[Operation] = []
        self.fold: set[Operation] = set()
        self.compiled = 0  # how often
        self.uncompiled = Uncompiled()  # its plan knows more
        self.tiny: Any = None  # how to run it without an executable, where that is always quicker
        self.loops: dict[Operation, Any] = {}  # what has been compiled of it for rounded lengths
        self.recalled: Any = (
            None  # what follows from shapes, where it is run operation by operation and they keep changing
        )
        self.rooms: dict[str, int] = {}  # how much its loops and growing arrays have turned out to need
        # Constants in the form that kernels read, None where they do not want one.
        self.packed: dict[Operation, Any] = {}
        self.after: set[Cluster] = set()  # what must have run before, where other tasks run some of a plan
        # Where another task has it run: the variable, for what a write before gave.
        self.stands: dict[Tensor, Tensor] = {}
        self.free: set[Operation] = set()  # those of the operations that only give references, constants and the like

    @functools.cached_property
    def names(self) -> Names:
        """Which of its tensors are other names for others."""
        return Names(self.ops, self.inputs)

    @functools.cached_property
    def pieces(self) -> list[Operation | Repeat]:
        """Its operations, with what a program has unrolled gathered to Repeats."""
        return repeats(self.ops, self.outputs, self.inputs, self.names)

    @property
    def once(self) -> list[Operation]:
        """What there is to compile: its operations, with one turn of each Repeat."""
        return [op for piece in self.pieces for op in (piece.turns[0] if isinstance(piece, Repeat) else [piece])]

    @property
    def is_host(self) -> bool:
        return self.colour == HOST

    @property
    def is_elsewhere(self) -> bool:
        return type(self.colour) is Elsewhere


def stage(
    ops: list[Operation],
    feeds: dict[Tensor, Any],
    fetches: Iterable[Tensor],
    place: Callable[[Operation], Any],
    apart: Collection[Operation] = (),
    partition: Partition | None = None,
) -> list[Cluster]:
    """Clusters in an order in which they can run. `feeds` maps fed tensors to their shapes; `place` gives an op's device.

    The operations `apart` share no cluster with others. `partition` knows what other tasks run; None where there are none.
    """
    fed = frozenset(feeds)

    def find(t: Tensor) -> Operation | None:
        return source_of(t, fed)

    colours = {op: _colour(op, fed, place, partition) for op in ops}
    for op in apart:
        if colours[op] not in (None, HOST) and type(colours[op]) is not Elsewhere:
            colours[op] = Varying(colours[op])
    static_edges, static_feeds, fold = _static_edges(ops, feeds, colours)
    ready: dict[Operation, dict[Any, int]] = {}  # per op: the stage in which each colour is done with what it waits for
    level: dict[Operation, int] = {}
    needs: dict[Operation, list[Operation]] = {}
    last_write: dict[str, Operation] = {}
    readers: dict[str, list[Operation]] = {}
    for op in ops:
        before = [t.op for t in op._inputs if t not in fed] + [c for c in op._control_inputs if c in ready]
        for source, writes in _touched(op, find, partition):
            key = variable_key(source)
            if key in last_write:
                before.append(last_write[key])
            if writes:
                before += readers.pop(key, [])
                last_write[key] = op
            else:
                readers.setdefault(key, []).append(op)
        colour = colours[op]
        needs[op] = before
        if colour is None:
            ready[op] = _latest(ready.get(b, {}) for b in before)
            continue
        at = 0
        for b in before:
            for c, n in ready.get(b, {}).items():
                at = max(at, n + (c != colour))
        for t in op._inputs:
            if (op, t) in static_edges and t not in fed:
                for n in ready.get(t.op, {}).values():
                    at = max(at, n + 1)
        level[op] = at
        ready[op] = {colour: at}
    if partition is not None:
        _sink(ops, needs, colours, level, ready, static_edges)
    clusters = _gather(ops, colours, level, fed, find, static_edges, static_feeds, fold, fetches, partition)
    if partition is not None:
        _note_order(clusters, needs, colours, level, ready)
    return clusters


def _sink(ops: list[Operation], needs: Any, colours: Any, level: Any, ready: Any, static_edges: Any) -> None:
    """Let what waits for no other task, constants' arithmetic above all, be in the executable that takes it, not in one before."""
    followers: dict[Operation, list[Operation]] = {}  # those that have a colour
    for op in reversed(ops):
        after, own = followers.get(op, []), colours[op]
        for b in needs[op]:
            followers.setdefault(b, []).extend(after if own is None else [op])
        if own in (None, HOST) or type(own) is Elsewhere or op.opdef.effect is not None or not after:
            continue
        if all(colours[f] == own and not any((f, t) in static_edges for t in op.outputs) for f in after):
            level[op] = min(level[f] for f in after)
    for op in ops:
        if colours[op] is not None:
            ready[op] = {colours[op]: level[op]}
        else:
            ready[op] = _latest(ready.get(b, {}) for b in needs[op])


def _latest(found: Iterable[dict[Any, int]]) -> dict[Any, int]:
    """For each colour the last stage of it."""
    merged: dict[Any, int] = {}
    for stages in found:
        for colour, n in stages.items():
            merged[colour] = max(merged.get(colour, 0), n)
    return merged


def _touched(op: Operation, find: Any, partition: Partition | None) -> list[tuple[Operation, bool]]:
    """The variables that `op` reads or writes where they are. Of another task's variable it takes a value, read by a cut."""
    if partition is None:
        return accesses(op, find)
    if op in partition.cuts and (op.opdef.source or op.opdef.alias):
        source = partition.source(op.outputs[0])
        return [] if source is None else [(source, False)]
    return [(source, writes) for source, writes in accesses(op, find) if not partition.is_foreign(op, source)]


def _note_order(clusters: list[Cluster], needs: Any, colours: Any, level: Any, ready: Any) -> None:
    """Fill in which clusters each one must come after, so that those of several tasks can run at the same time."""
    named = {(c.stage, Varying(c.colour) if c.varies else c.colour): c for c in clusters}
    home = {op: named[level[op], colours[op]] for op in level}
    for op, cluster in home.items():
        for b in needs[op]:
            cluster.after.update(named[n, colour] for colour, n in ready.get(b, {}).items())
        cluster.after.discard(cluster)


def _colour(
    op: Operation, fed: frozenset[Tensor], place: Callable[[Operation], Any], partition: Partition | None
) -> Any:
    opdef = op.opdef
    if opdef.constant or (not op.outputs and opdef.effect is None and not opdef.host):
        return None
    if partition is not None and op in partition.cuts:
        return partition.homes[op]
    if opdef.source:
        return None
    if opdef.alias:
        source = source_of(op.outputs[0], fed)
        if source is not None and (partition is None or not partition.is_foreign(op, source)):
            return None
    if partition is not None and op in partition.homes:
        return partition.homes[op]
    if is_host_work(op):
        return HOST
    if opdef.write_index and opdef.simple:  # a variable is changed where it lies
        source = source_of(op._inputs[opdef.write_index[0]], fed)
        if source is not None:
            return place(source)
    return place(op)


def _static_edges(
    ops: list[Operation], feeds: dict[Tensor, Any], colours: dict[Operation, Any]
) -> tuple[set[tuple[Operation, Tensor]], set[Tensor], set[Operation]]:
    """Which inputs must have values before their op is traced, which feeds its cluster is compiled for, what is folded."""
    derived: dict[bool, dict[Tensor, bool]] = {False: {}, True: {}}
    static_feeds: set[Tensor] = set()
    fold: set[Operation] = set()
    edges: set[tuple[Operation, Tensor]] = set()

    def derivable(t: Tensor, fed: bool = True) -> bool:
        """Whether the value of `t` follows from constants, shapes and, with `fed`, small integers that are fed."""
        known = derived[fed]
        if t in known:
            return known[t]
        known[t] = False
        if t in feeds:
            size = 1
            for d in feeds[t]:
                size *= d
            known[t] = fed and size <= 64 and not t.dtype.is_floating and not t.dtype.is_on_host
            return known[t]
        op = t.op
        opdef = op.opdef
        if opdef.constant or opdef.needs_only_shapes(op):
            known[t] = True
        elif (
            opdef.effect is not None
            or opdef.source
            or not opdef.foldable
            or colours.get(op) == HOST
            or type(colours.get(op)) is Elsewhere
        ):
            known[t] = False
        else:
            known[t] = source_of(t, feeds) is None and all(derivable(s, fed) for s in op._inputs)
        return known[t]

    def mark(t: Tensor) -> None:
        if t in feeds:
            static_feeds.add(t)
            return
        op = t.op
        if op in fold:
            return
        fold.add(op)  # also constants: a big one would be an input of the executable
        if not op.opdef.needs_only_shapes(op):
            for s in op._inputs:
                mark(s)

    for op in ops:
        if colours[op] == HOST or colours[op] is None or type(colours[op]) is Elsewhere:
            continue
        wanted = slots(op)
        fixed = all(derivable(t, fed=False) for t, required in wanted if required)
        for t, required in wanted:
            # What is compiled for the value of one slice's size may as well know where the slice begins.
            if not required and (fixed or op.opdef.bodies is not None):
                if derivable(t, fed=False):
                    mark(t)
            elif derivable(t):
                mark(t)
            elif t in feeds:
                static_feeds.add(t)
            else:
                edges.add((op, t))
    return edges, static_feeds, fold


def _gather(
    ops: list[Operation],
    colours: dict[Operation, Any],
    level: dict[Operation, int],
    fed: frozenset[Tensor],
    find: Callable[[Tensor], Operation | None],
    static_edges: set[tuple[Operation, Tensor]],
    static_feeds: set[Tensor],
    fold: set[Operation],
    fetches: Iterable[Tensor],
    partition: Partition | None,
) -> list[Cluster]:
    clusters: dict[tuple[int, Any], Cluster] = {}
    home: dict[Operation, Cluster] = {}
    for op in ops:
        if colours[op] is None:
            continue
        key = (level[op], colours[op])
        if key not in clusters:
            clusters[key] = Cluster(colours[op], level[op])
        home[op] = clusters[key]
        clusters[key].ops.append(op)
    ordered = sorted(clusters.values(), key=lambda c: (c.stage, c.colour == HOST, str(c.colour)))
    outputs: dict[Cluster, dict[Tensor, None]] = {c: {} for c in ordered}
    at = {op: i for i, op in enumerate(ops)}
    for cluster in ordered:
        _complete(cluster, colours, home, fed, find, outputs, static_edges, static_feeds, fold, partition)
        cluster.ops.sort(key=at.__getitem__)  # a reference may be one to what an operation of this cluster has written
    for t in fetches:
        if t not in fed and t.op in home:
            outputs[home[t.op]][t] = None
    for cluster in ordered:
        cluster.outputs = list(outputs[cluster])
    return ordered


def _complete(cluster, colours, home, fed, find, outputs, static_edges, static_feeds, fold, partition) -> None:
    """Fill in what a cluster takes from outside; what has no colour is taken in wherever it is used."""
    inputs: dict[Tensor, None] = {}
    free: dict[Operation, None] = {}
    statics: dict[Tensor, None] = {}

    def need(t: Tensor) -> None:
        if t in fed:
            inputs[t] = None
            return
        op = t.op
        if colours[op] is None and partition is not None and cluster.is_elsewhere and partition.leaves_here(t):
            inputs[t] = None  # a variable of this task, of which another one takes the value
        elif colours[op] is None or (home[op] is not cluster and _stays(t, cluster, partition)):
            written = colours[op] is not None and op.opdef.effect == "write" and partition.source(t)
            if written:  # the write has taken place: what is left of it is the variable
                cluster.stands[t] = written.outputs[0]
                need(written.outputs[0])
            elif op not in free:
                for s in op._inputs:
                    need(s)
                free[op] = None
        elif home[op] is not cluster:
            inputs[t] = None
            outputs[home[op]][t] = None

    for op in cluster.ops:
        for t in op._inputs:
            need(t)
            if (op, t) in static_edges:
                statics[t] = None
        for source, writes in _touched(op, find, partition):
            key = variable_key(source)
            cluster.sources[key] = source
            if writes:
                cluster.writes[key] = None
        forward = None if op.opdef.forward_of is None else op.opdef.forward_of(op._attrs)
        if forward not in home:
            cluster.randoms += randoms(op)
        elif home[forward] is not cluster:
            cluster.replayed += randoms(op)
            home[forward].kept += randoms(op)
    cluster.ops, cluster.free = [*free, *cluster.ops], set(free)
    for t in inputs:
        if t in static_feeds or (t not in fed and (t.op in fold or _tells_presence(t))):
            statics[t] = None
    cluster.inputs = list(inputs)
    cluster.statics = [t for t in cluster.inputs if t in statics]
    if cluster.is_host:
        taken = {t for op in cluster.ops if not op.opdef.keeps_place for t in op._inputs}
        cluster.fetched = [t for t in cluster.inputs if t in taken]
    cluster.fold = {op for op in cluster.ops if op in fold}


def _stays(t: Tensor, cluster: Cluster, partition: Partition | None) -> bool:
    """Whether `t` refers to something that the task of `cluster`, another one than this, keeps from run to run."""
    if partition is None or partition.homes.get(t.op) != cluster.colour:
        return False
    return refers(t) or t.op in partition.cuts


def _tells_presence(t: Tensor) -> bool:
    """Whether `t` says which variables have values. A branch that reads one that has none is not compiled."""
    if t.dtype.is_bool and t.dims == ():
        opdef = t.op.opdef
        if opdef.presence:
            return True
        return (
            opdef.foldable and opdef.effect is None and bool(t.op._inputs) and all(map(_tells_presence, t.op._inputs))
        )
    return False
