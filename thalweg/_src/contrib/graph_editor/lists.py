"""Lists of operations and tensors, as the functions of tf.contrib.graph_editor take them: one, several, or a graph."""

from collections.abc import Callable, Iterable
from typing import Any

from thalweg._src.core.graph import Graph, Operation, Tensor


class ListView(tuple[Any, ...]):
    """A list that can only be read."""


def is_iterable(obj: Any) -> bool:
    """Whether `obj` holds others: a tensor does not."""
    if isinstance(obj, Tensor):
        return False
    try:
        iter(obj)
    except Exception:  # whatever the iterator raises, it is none
        return False
    return True


def concatenate_unique(la: list[Any], lb: Iterable[Any]) -> list[Any]:
    """`la` itself, to which those of `lb` are appended that it lacks."""
    seen = {id(a) for a in la}
    for b in lb:
        if id(b) not in seen:
            la.append(b)
            seen.add(id(b))
    return la


def get_tensors(graph: Graph) -> list[Tensor]:
    """The outputs of all operations of `graph`. Raises TypeError for what is no graph."""
    if not isinstance(graph, Graph):
        raise TypeError(f"Expected a graph, got: {type(graph)}")
    return [t for op in graph.get_operations() for t in op.outputs]


def get_unique_graph(tops: Any, check_types: Any = None, none_if_empty: bool = False) -> Graph | None:
    """The graph that `tops` are of. Raises TypeError for other types than `check_types`, ValueError for several graphs."""
    if isinstance(tops, Graph):
        return tops
    if not is_iterable(tops):
        raise TypeError(f"{type(tops)} is not iterable")
    if check_types is None:
        check_types = (Operation, Tensor)
    types = tuple(check_types) if is_iterable(check_types) else (check_types,)
    found = None
    for op in tops:
        if not isinstance(op, types):
            raise TypeError(f"Expected a type in ({', '.join(str(t) for t in types)}), got: {type(op)}")
        if found is None:
            found = op.graph
        elif found is not op.graph:
            raise ValueError(f"Operation {op} does not belong to given graph")
    if found is None and not none_if_empty:
        raise ValueError("Can't find the unique graph of an empty list")
    return found


def check_graphs(*args: Any) -> None:
    """Raises ValueError where what has a graph has another than the first that has one."""
    graph = None
    for i, part in enumerate(args):
        if graph is None:
            graph = part.graph
        elif part.graph is not None and part.graph is not graph:
            raise ValueError(f"Argument[{i}]: Wrong graph!")


def _listed(
    found: Any, kind: Any, of_graph: Callable[[Graph], Any], check: bool, allow: bool, other: bool
) -> list[Any]:
    if isinstance(found, Graph):
        if not allow:
            raise TypeError("allow_graph is False: cannot convert a tf.Graph.")
        return list(of_graph(found))
    if not is_iterable(found):
        found = [found]
    found = list(found)
    if not found:
        return []
    if check:
        get_unique_graph(found, check_types=None if other else kind)
    return [x for x in found if isinstance(x, kind)]


def make_list_of_op(
    ops: Any, check_graph: bool = True, allow_graph: bool = True, ignore_ts: bool = False
) -> list[Operation]:
    """The operations of a graph, of a list or of one. Raises TypeError, also for tensors unless `ignore_ts`."""
    return _listed(ops, Operation, lambda g: g.get_operations(), check_graph, allow_graph, ignore_ts)


def make_list_of_t(
    ts: Any, check_graph: bool = True, allow_graph: bool = True, ignore_ops: bool = False
) -> list[Tensor]:
    """The tensors of a graph, of a list or of one. Raises TypeError, also for operations unless `ignore_ops`."""
    return _listed(ts, Tensor, get_tensors, check_graph, allow_graph, ignore_ops)


def get_generating_ops(ts: Any) -> list[Operation]:
    """The operation of each of the tensors `ts`."""
    return [t.op for t in make_list_of_t(ts, allow_graph=False)]


def get_consuming_ops(ts: Any) -> list[Operation]:
    """The operations that take one of the tensors `ts`, each once."""
    return concatenate_unique([], (op for t in make_list_of_t(ts, allow_graph=False) for op in t.consumers()))


class ControlOutputs:
    """Which operations wait for each operation of `graph`: what a graph knows only the other way around."""

    def __init__(self, graph: Graph):
        if not isinstance(graph, Graph):
            raise TypeError(f"Expected a tf.Graph, got: {type(graph)}")
        self._graph, self._seen = graph, 0
        self._waiting: dict[Operation, list[Operation]] = {}
        self.update()

    def update(self) -> "ControlOutputs":
        """Take in the operations that the graph has gained."""
        every = self._graph.get_operations()
        for op in every[self._seen :]:
            for earlier in op.control_inputs:
                concatenate_unique(self._waiting.setdefault(earlier, []), [op])
        self._seen = len(every)
        return self

    def get_all(self) -> dict[Operation, list[Operation]]:
        """The operations that others wait for, with those."""
        return self._waiting

    def get(self, op: Operation) -> Any:
        """The operations that wait for `op`."""
        return self._waiting.get(op, ())

    @property
    def graph(self) -> Graph:
        return self._graph
