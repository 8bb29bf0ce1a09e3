"""Which operations of a run belong to other tasks of the cluster, processes of their own.

A task runs what its devices are named for, and whatever takes a reference or a handle that was made there: variables, queues and tables do
not leave their process, values do. What reads a variable of another task takes its value, as it is when that task gets to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from thalweg._src.compiler.bodies import bodies_of, refers, source_of, variable_key
from thalweg._src.core import errors, infer
from thalweg._src.core.graph import Operation, Tensor

_JOB = "/job:"


class Elsewhere(NamedTuple):
    """The colour of what another task of the cluster runs."""

    job: str
    task: int

    def __str__(self) -> str:
        return f"/job:{self.job}/replica:0/task:{self.task}"


class Partition:
    """The operations of other tasks. `homes` maps them to their tasks; `cuts` holds those of them whose references others read."""

    def __init__(
        self,
        ops: Sequence[Operation],
        fed: frozenset[Tensor],
        fetches: Iterable[Tensor],
        task_of: Callable[[Operation], Elsewhere | None],
    ):
        self.fed = fed
        self.homes: dict[Operation, Elsewhere] = {}
        self.cuts: set[Operation] = set()
        together = _together(ops)
        for op in ops:
            home = self._home(op, lambda op: task_of(together.get(op, op)))
            if home is not None:
                self.homes[op] = home
        for op in ops:
            if not op.opdef.constant and not _only_orders(op):
                self._cut(op._inputs, self.homes.get(op))
        self._cut(fetches, None)

    def _home(self, op: Operation, task_of: Callable[[Operation], Elsewhere | None]) -> Elsewhere | None:
        held = {self.homes.get(t.op): t for t in _held(op) if t not in self.fed}
        if len(held) > 1:
            owners = ", ".join(f"{t.op.name} of {home or 'this task'}" for home, t in held.items())
            raise errors.UnimplementedError(
                None, op, f"{op.name} ({op.type}) takes handles of several tasks of the cluster: {owners}"
            )
        return next(iter(held)) if held else task_of(op)

    def _cut(self, taken: Iterable[Tensor], home: Elsewhere | None) -> None:
        for t in taken:
            if t not in self.fed and self.homes.get(t.op) not in (None, home) and self.source(t) is not None:
                self.cuts.add(t.op)

    def variables(self) -> set[str]:
        """The keys of the variables of other tasks."""
        return {variable_key(op) for op in self.homes if op.opdef.source}

    def source(self, t: Tensor) -> Operation | None:
        """The variable that `t` refers to, or None for a value."""
        return source_of(t, self.fed)

    def leaves_here(self, t: Tensor) -> bool:
        """Whether `t` refers to a variable of this process."""
        source = self.source(t)
        return source is not None and source not in self.homes

    def is_foreign(self, op: Operation, source: Operation) -> bool:
        """Whether `op` and the variable `source` are of different tasks, so that `op` takes a value."""
        return self.homes.get(op) != self.homes.get(source)


def _held(op: Operation) -> Iterator[Tensor]:
    """The inputs of `op` that only the task that made them can do something with."""
    if op.opdef.alias or bodies_of(op):
        yield from (t for t in op._inputs if refers(t) and not _lasts_a_step(t))
        return
    for arg, t in infer.flat_args(op):
        if _lasts_a_step(t):
            continue
        if arg.ref or arg.handle or t.dtype.base_dtype._name == "resource":
            yield t


def _together(ops: Sequence[Operation]) -> dict[Operation, Operation]:
    """For operations that must be in one place: the one that decides where, the first whose device names a job.

    Those are whatever makes or takes the same handle that lasts a step (of a TensorArray), and what is placed with another operation.
    """
    groups: dict[Operation, list[Operation]] = {}
    for op in ops:
        for mate in (*(t.op for t in op._inputs if _lasts_a_step(t)), *_placed_with(op)):
            one, other = groups.setdefault(mate, [mate]), groups.setdefault(op, [op])
            if one is not other:
                one += other
                groups.update((member, one) for member in other)
    return {op: next((m for m in group if _JOB in m._device), op) for op, group in groups.items()}


def _placed_with(op: Operation) -> Iterator[Operation]:
    """The operations that `op`, whose own device names no job, is placed with by its attr `_class`."""
    for name in op._attrs.get("_class", ()) if _JOB not in op._device else ():
        text = name.decode() if isinstance(name, bytes) else name
        mate = op.graph._nodes_by_name.get(text.removeprefix("loc:@"))
        if mate is not None and mate is not op:
            yield mate


def _lasts_a_step(t: Tensor) -> bool:
    """Whether `t` is a handle of something that begins and ends with the step: not of a variable, a queue or a table."""
    opdef = t.op.opdef
    return refers(t) and not opdef.source and not opdef.alias and opdef.effect is None and opdef.host is not True


def _only_orders(op: Operation) -> bool:
    return not op.outputs and op.opdef.effect is None and not op.opdef.host
