"""The steps of a graph on NumPy arrays: made once, walked for every element."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import bodies_of, is_seen, refers
from thalweg._src.compiler.prune import prune
from thalweg._src.core import apply
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.runtime.compiled_lowering import compiled

MOST_SHAPES = 256  # sets of shapes for which results are remembered
MOST_BYTES = 1 << 14  # of what is remembered for one of them


class Step:
    """One operation: `fn` on the values in the slots `inputs` (lists of slots for list inputs) fills the slots `outputs`.

    `arguments` takes the values of the inputs from the environment. `fn` is None for what refers to state, runs other graphs or needs
    the runtime; `chooses` tells the graph of an operation that runs one of several; `fixed` stands for several steps that depend on
    shapes alone; `result` is the number of the program's result that the output is, in some shape, where the operation may be told
    where to put it (`core/laying.py`).
    """

    __slots__ = (
        "arguments",
        "chooses",
        "fixed",
        "fn",
        "inputs",
        "op",
        "outputs",
        "programs",
        "rank_one",
        "result",
        "types",
    )

    def __init__(self, op: Operation, fn: Any, inputs: list[Any], outputs: list[int], chooses: Any = None):
        self.op, self.inputs, self.outputs, self.chooses = op, inputs, outputs, chooses
        self.fixed: Fixed | None = None
        self.result: int | None = None
        self.programs: dict[Any, Any] = {}  # of the graphs that it chooses among
        kwargs = {param: op._attrs[name] for param, name in op.opdef.lower_attrs} if fn is not None else {}
        self.fn = functools.partial(fn, **kwargs) if kwargs else fn
        self.types = [_array_type(t) for t in op.outputs]
        self.rank_one = len(op.outputs) == 1 and op.opdef.simple_out
        self.arguments = _taker(inputs)


def _array_type(t: Tensor) -> np.dtype | None:
    """The type of the arrays that `t` has as values, None where it has something else, or may have nothing."""
    if t.op.opdef.takes_nothing or refers(t) or (t.dtype.is_on_host and t.dtype.base_dtype._name != "string"):
        return None
    return np.dtype(t.dtype._as_numpy)


def _taker(inputs: list[Any]) -> Callable[[list[Any]], Any]:
    """What takes the values in the slots `inputs` from an environment; `itemgetter` does so without a line of Python."""
    if not inputs or any(type(i) is not int for i in inputs):
        return lambda env: [env[i] if type(i) is int else [env[j] for j in i] for i in inputs]
    return itemgetter(*inputs) if len(inputs) > 1 else itemgetter(slice(inputs[0], inputs[0] + 1))


class Fixed:
    """Steps whose results depend on nothing but the shapes of the values in the slots `roots`: taken once for each set of shapes."""

    __slots__ = ("at", "known", "roots", "slots", "steps")

    def __init__(self, roots: tuple[int, ...], at: int):
        self.roots, self.at = roots, at  # `at`: its place among the steps of the program
        self.steps: list[Step] = []
        self.slots: list[int] = []
        self.known: dict[Any, list[Any]] = {}

    def add(self, step: Step) -> None:
        self.steps.append(step)
        self.slots += step.outputs

    def key(self, env: list[Any]) -> Any:
        """The shapes that decide, None where a value has none."""
        try:
            return tuple([env[i].shape for i in self.roots])
        except AttributeError:
            return None

    def keep(self, key: Any, env: list[Any]) -> None:
        """Remember the results that are in `env` now, if they are small. Nobody may write to them."""
        found = [env[i] for i in self.slots]
        if key is None or any(type(v) is not np.ndarray for v in found) or sum(v.nbytes for v in found) > MOST_BYTES:
            return
        for v in found:
            v.setflags(write=False)
        if len(self.known) >= MOST_SHAPES:
            self.known.clear()
        self.known[key] = found


class Program:
    """The steps of `ops`, which are in a topological order, from the values of `inputs` to those of `results`.

    `acts`: whether they do what is seen from outside. What needs a session is left to who walks, unless the steps are for one session
    alone: then `bind` makes a function of an operation and its lowering.
    """

    def __init__(
        self,
        ops: Iterable[Operation],
        inputs: Sequence[Tensor],
        results: Sequence[Tensor],
        *,
        acts: bool = False,
        bind: Callable[[Operation, Any], Any] | None = None,
    ):
        self.slots: dict[Tensor, int] = {t: i for i, t in enumerate(inputs)}
        self.values: list[Any] = [None] * len(inputs)
        self.steps: list[Step] = []
        self.acts = acts
        # Of the slots whose values shapes decide: the slots that have those shapes, and the steps that fill them.
        self._roots: dict[int, frozenset[int]] = {}
        self._made: dict[int, Fixed] = {}
        self._open: dict[frozenset[int], Fixed] = {}
        for op in ops:
            if op.opdef.name == "_Arg" or _is_idle(op):
                continue
            taken = [self.slots[t] for t in op._inputs]
            if op.opdef.alias and not refers(op._inputs[0]):
                self.slots[op.outputs[0]] = taken[0]
                continue
            outputs = [self._slot(t) for t in op.outputs]
            if op.opdef.constant:
                self.values[outputs[0]] = op._attrs["value"]
                self._roots[outputs[0]] = frozenset()
            elif not _is_plain(op, bind is not None):
                self.steps.append(Step(op, None, taken, outputs, op.opdef.chooses if is_choice(op) else None))
            elif bind is not None and (op.opdef.wants_ctx or op.opdef.waits):
                self.steps.append(Step(op, bind(op, compiled(op)), _grouped(op, taken), outputs))
            else:
                step = Step(op, compiled(op), _grouped(op, taken), outputs)
                roots = self._roots_of(op, taken)
                if roots is None:
                    self.steps.append(step)
                else:
                    self._add_fixed(step, taken, roots)
        self.results = [self.slots[t] for t in results]
        self.kept = [i for i, slot in enumerate(self.results) if slot in self._made]  # results that are remembered
        self._find_results()
        self.stretches = [list(g) for _, g in itertools.groupby(self.steps, _stretch)]

    def _find_results(self) -> None:
        """Tell the steps that make the results by a lowering for the host, seen through changes of shape."""
        makers = {slot: step for step in self.steps if step.fn is not None for slot in step.outputs}
        for number, slot in enumerate(self.results):
            step = makers.get(slot)
            while step is not None and step.op.opdef.reshapes:
                step = makers.get(step.inputs[0])
            if step is not None and step.rank_one and "host" in step.op.opdef.platforms:
                step.result = number

    def _roots_of(self, op: Operation, inputs: list[int]) -> frozenset[int] | None:
        """The slots whose shapes alone decide what `op` gives; None where there is more to it."""
        o = op.opdef
        if o.effect != "check" and (o.effect is not None or o.stateful or not o.foldable):
            return None
        of_shape = o.shape_only is True and not o.structured
        found: set[int] = set()
        for i in inputs:
            roots = self._roots.get(i)
            if roots is not None:
                found |= roots
            elif of_shape:
                found.add(i)
            else:
                return None
        return frozenset(found)

    def _add_fixed(self, step: Step, inputs: list[int], roots: frozenset[int]) -> None:
        """Put a step that shapes decide to others of the same shapes, where what it takes is there by then."""
        group = self._open.get(roots)
        if group is None or any(i in self._made and self._made[i].at > group.at for i in inputs):
            group = self._open[roots] = Fixed(tuple(sorted(roots)), len(self.steps))
            first = Step(step.op, None, [], [])
            first.fixed = group
            self.steps.append(first)
        group.add(step)
        for slot in step.outputs:
            self._roots[slot] = roots
            self._made[slot] = group

    def _slot(self, t: Tensor) -> int:
        self.slots[t] = len(self.values)
        self.values.append(None)
        return self.slots[t]


def _stretch(step: Step) -> Any:
    """What neighbouring steps of one stretch have in common: work on files and pictures stands alone."""
    o = step.op.opdef
    return step if step.fn is not None and (o.host is True or "host" in o.platforms) else None


def program_of(graph: Any, body: bool = False) -> Program:
    """The steps of `graph` as it is now. A `body` runs only what its outputs need."""
    place = ("host program", body)
    key = (graph._mutations, len(graph._ops), tuple(graph.outputs))
    found = graph._scratch.get(place)
    if found is None or found[0] != key:
        given = frozenset(graph.inputs)
        acting = [] if body else [op for op in graph._ops if is_seen(op)]
        ops = prune([t.op for t in graph.outputs if t not in given] + acting, given)
        acts = any(map(is_seen, ops))  # whether it calls Python or changes variables, say
        found = graph._scratch[place] = (key, Program(ops, graph.inputs, graph.outputs, acts=acts))
    return found[1]


def _is_idle(op: Operation) -> bool:
    """Whether there is no work to it: it only says what comes after what."""
    return not op.outputs and op.opdef.effect is None and not op.opdef.host


def _is_plain(op: Operation, bound: bool) -> bool:
    """Whether the operation is a function of its inputs' values; or of a session and its resources too, where it is `bound` to one."""
    o = op.opdef
    if o.source or o.alias or o.wants_run or o.wants_rng or o.writes or o.bodies is not None:
        return False
    tensors = (*op._inputs, *op.outputs)
    return not any(t.dtype._ref for t in tensors) and (bound or not (o.wants_ctx or any(map(refers, tensors))))


def is_choice(op: Operation) -> bool:
    """Whether the operation runs one of several graphs, whose steps can be walked: nothing in them makes values of several arrays."""
    if op.opdef.chooses is None:
        return False
    inner = [o.opdef for graph, _ in bodies_of(op) for o in graph._ops]
    return not any((o.structured and not (o.numpy_only or o.takes_nothing)) or o.forward_of for o in inner)


def _grouped(op: Operation, slots: list[int]) -> list[Any]:
    return slots if op.opdef.simple else apply.grouped(op.opdef, op._attrs, slots)
