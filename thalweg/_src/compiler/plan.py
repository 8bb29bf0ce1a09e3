"""The plan of a run: clusters in order, and where their values come from and go. It prints itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from thalweg._src.compiler import haste
from thalweg._src.compiler.bodies import source_of
from thalweg._src.compiler.functionalize import functionalize
from thalweg._src.compiler.interpret import as_op_error
from thalweg._src.compiler.order import in_effect_order
from thalweg._src.compiler.partition import Elsewhere, Partition
from thalweg._src.compiler.prune import prune
from thalweg._src.compiler.stage import Cluster, stage
from thalweg._src.compiler.tiny import tiny
from thalweg._src.compiler.uncompiled import SHARE, Uncompiled
from thalweg._src.compiler.varying import varying
from thalweg._src.compiler.waits import Waits, may_wait
from thalweg._src.core import errors, shapes
from thalweg._src.core.graph import Operation, Tensor


class Plan:
    """What one set of fetches and feeds needs, staged and coloured; executables are cached in `executables`."""

    def __init__(
        self,
        fetches: Sequence[Tensor],
        targets: Sequence[Operation],
        feeds: dict[Tensor, tuple[int, ...]],
        place: Callable[[Operation], Any],
        present: Callable[[str], bool] = lambda key: True,
        changing: Collection[Tensor] = (),
        task_of: Callable[[Operation], Elsewhere | None] | None = None,
    ):
        self.fetches, self.feeds = list(fetches), list(feeds)
        wanted = [t.op for t in fetches if t not in feeds]
        ops = prune([*wanted, *targets], frozenset(feeds))
        fed = frozenset(feeds)
        functional, self.stand_ins = functionalize(ops, fed, [t for t in fetches if t not in feeds])
        stood_for = [self.stand_ins.get(t, t) for t in fetches]
        self.partition = Partition(functional, fed, stood_for, task_of) if task_of is not None else None
        far = self.partition.variables() if self.partition is not None else ()  # taken to have values
        self.ops, self.asked = in_effect_order(
            functional, fed, lambda t: source_of(t, fed), lambda key: key in far or present(key)
        )
        self.asked = {key: had for key, had in self.asked.items() if key not in far}
        for op in ops:
            if op.opdef.must_feed:
                _refuse(ops)
                raise _not_fed(op, [*wanted, *targets])
        self.refs: dict[Tensor, Operation] = {}
        self.constants: dict[Tensor, np.ndarray] = {}
        values = []
        for t in fetches:
            if t in feeds:
                continue
            t = self.stand_ins.get(t, t)
            source = source_of(t, feeds)
            if source is not None and not self._is_elsewhere(t, source):
                self.refs[t] = source
            elif t.op.opdef.constant:
                self.constants[t] = t.op._attrs["value"]
            else:
                values.append(t)
        apart = varying(self.ops, changing) if changing else ()
        self.clusters: list[Cluster] = stage(self.ops, feeds, values, place, apart, self.partition)
        changes = frozenset(k for c in self.clusters for k in c.writes)
        for c in self.clusters:
            c.changes = changes
            if c.is_host or c.is_elsewhere:
                continue
            c.uncompiled = Uncompiled(c.ops, c.once, varies=c.varies, trains=bool(changes))
            if SHARE and c.colour.platform == "cpu":
                c.tiny = tiny(c)
            if c.writes and haste.is_slight(c.ops, len(c.randoms)):
                c.slight_runs = haste.SOME
        # Fetched values that nobody else reads, and the cluster of a CPU that gives each.
        alone = {*values}.difference(self.stand_ins.values(), *(c.inputs for c in self.clusters))
        compiled = [c for c in self.clusters if not (c.is_host or c.is_elsewhere) and c.colour.platform == "cpu"]
        self.makers = {t: c for c in compiled for t in c.outputs if t in alone}
        # Fetched values that come from resources alone, and that no operation takes.
        read = {t for op in self.ops for t in op._inputs}
        self.unread = frozenset(
            t for t in alone if t not in read and all(i.dtype._name == "resource" for i in t.op._inputs)
        )
        self.has_tasks = any(c.is_elsewhere for c in self.clusters)
        # Whether another shape of a feed may ask for another plan, because a value is taken in while tracing.
        self.for_values = any(t in fed for c in self.clusters for t in c.statics)
        self.executables: list[dict[Any, Any]] = [{} for _ in self.clusters]
        self.waits = Waits(self.ops, fed) if self.has_tasks or any(map(may_wait, self.ops)) else None
        self.notes: dict[str, Any] = {}  # what the runtime has found out about it

    def _is_elsewhere(self, t: Tensor, source: Operation) -> bool:
        partition = self.partition
        return partition is not None and (t.op in partition.cuts or partition.is_foreign(t.op, source))

    def __str__(self) -> str:
        lines = [f"plan: {len(self.ops)} ops, {len(self.clusters)} clusters"]
        for i, c in enumerate(self.clusters):
            lines.append(f"cluster {i} on {c.colour}, stage {c.stage}: {len(c.ops)} ops")
            if c.inputs:
                lines.append("  takes " + ", ".join(_brief(t) for t in c.inputs))
            if c.statics:
                lines.append("  compiled for the values of " + ", ".join(t.name for t in c.statics))
            if c.sources:
                lines.append("  variables " + ", ".join(f"{k}{'*' if k in c.writes else ''}" for k in c.sources))
            lines += [f"    {op.name} = {op.type}({', '.join(t.name for t in op._inputs)})" for op in c.ops]
            if c.outputs:
                lines.append("  gives " + ", ".join(_brief(t) for t in c.outputs))
        return "\n".join(lines)


def _refuse(ops: Sequence[Operation]) -> None:
    """Raise the error of the first operation that no kernel takes. TensorFlow makes the kernels before it looks for feeds."""
    for op in ops:
        if op.opdef.refusal is not None:
            try:
                op.opdef.refusal(op)
            except (ValueError, NotImplementedError) as error:
                raise as_op_error(error, op) from error


def _not_fed(op: Operation, wanted: Sequence[Operation]) -> errors.OpError:
    """The error for a placeholder without a value: which it is, what needs it, what to do."""
    t = op.outputs[0]
    needs = next((w for w in wanted if op in prune([w], frozenset())), op)
    shape = "" if t._dims is None else f" and shape {shapes.text(t._dims)}"
    return errors.InvalidArgumentError(
        None,
        op,
        f"You must feed a value for placeholder tensor '{op.name}' with dtype {t.dtype.base_dtype.cpp_name}{shape}: "
        f"{needs.name!r} ({needs.type}), which is to be run, needs it. Pass feed_dict={{<the tensor {t.name!r}>: value}}.",
    )


def _brief(t: Tensor) -> str:
    return f"{t.name}{shapes.text(t._dims)}"
