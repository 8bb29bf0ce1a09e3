"""A view of a part of a graph: its operations, the tensors that go in, and those that come out, in an order of one's own."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from thalweg._src.contrib.graph_editor import select
from thalweg._src.contrib.graph_editor.lists import (
    concatenate_unique,
    get_consuming_ops,
    get_unique_graph,
    make_list_of_op,
    make_list_of_t,
)
from thalweg._src.core.graph import Graph, Operation, Tensor


class SubGraphView:
    """The operations `inside_ops`, and tensors that only pass through. Methods give new views; the graph stays as it is.

    `inputs` are the tensors that come from outside, `outputs` those that something outside takes, or nothing at all.
    """

    def __init__(self, inside_ops: Any = (), passthrough_ts: Any = ()):
        self._ops: list[Operation] = make_list_of_op(inside_ops)
        inputs, outputs, insides = select.compute_boundary_ts(self._ops)
        known = {*inputs, *outputs, *insides}
        self._passthrough_ts = [t for t in make_list_of_t(passthrough_ts) if t not in known]
        self._input_ts: list[Tensor] = inputs + self._passthrough_ts
        self._output_ts: list[Tensor] = outputs + self._passthrough_ts

    def __copy__(self) -> SubGraphView:
        made = SubGraphView.__new__(SubGraphView)
        made._ops, made._passthrough_ts = list(self._ops), list(self._passthrough_ts)
        made._input_ts, made._output_ts = list(self._input_ts), list(self._output_ts)
        return made

    def copy(self) -> SubGraphView:
        """A view of the same part."""
        return copy.copy(self)

    def __bool__(self) -> bool:
        return self.graph is not None

    __nonzero__ = __bool__

    def __enter__(self) -> SubGraphView:
        return self

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        pass

    def __str__(self) -> str:
        lines = [f"SubGraphView (graph {id(self.graph)}):"]
        for title, things in (("Ops", self._ops), ("Inputs", self._input_ts), ("Outputs", self._output_ts)):
            lines += [f"** {title}:", *(f"  {thing.name}" for thing in things)]
        return "\n".join(lines)

    @property
    def graph(self) -> Graph | None:
        """The graph; None for a view of nothing."""
        return get_unique_graph(self._passthrough_ts + self._ops, none_if_empty=True)

    @property
    def ops(self) -> list[Operation]:
        return list(self._ops)

    @property
    def inputs(self) -> list[Tensor]:
        return list(self._input_ts)

    @property
    def outputs(self) -> list[Tensor]:
        return list(self._output_ts)

    @property
    def passthroughs(self) -> list[Tensor]:
        return list(self._passthrough_ts)

    @property
    def connected_inputs(self) -> list[Tensor]:
        """The inputs that an operation of the view takes."""
        return [t for t in self._input_ts if not self.is_passthrough(t)]

    @property
    def connected_outputs(self) -> list[Tensor]:
        """The outputs that an operation of the view gives."""
        return [t for t in self._output_ts if not self.is_passthrough(t)]

    def is_passthrough(self, t: Tensor) -> bool:
        return any(t is other for other in self._passthrough_ts)

    def op(self, op_id: int) -> Operation:
        """The operation at a position."""
        return self._ops[op_id]

    def find_op_by_name(self, op_name: str) -> Operation:
        """Raises ValueError for a name that is not in the view."""
        for op in self._ops:
            if op.name == op_name:
                return op
        raise ValueError(f"{op_name} not found in subgraph.")

    def input_index(self, t: Tensor) -> int:
        """Where `t` is among the inputs. Raises ValueError."""
        return _index(t, self._input_ts, "inputs")

    def output_index(self, t: Tensor) -> int:
        """Where `t` is among the outputs. Raises ValueError."""
        return _index(t, self._output_ts, "outputs")

    def consumers(self) -> list[Operation]:
        """The operations outside that take an output."""
        within = set(self._ops)
        return concatenate_unique([], (op for op in get_consuming_ops(self._output_ts) if op not in within))

    # -- other orders of inputs and outputs

    def remap_default(self, remove_input_map: bool = True, remove_output_map: bool = True) -> SubGraphView:
        """The inputs and outputs as they were at first."""
        made, fresh = self.copy(), SubGraphView(self._ops, self._passthrough_ts)
        if remove_input_map:
            made._input_ts = fresh._input_ts
        if remove_output_map:
            made._output_ts = fresh._output_ts
        return made

    def remap(self, new_input_indices: Any = None, new_output_indices: Any = None) -> SubGraphView:
        """The inputs and outputs at these positions, or these tensors; an input only once. Raises ValueError."""
        made = self.copy()
        if new_input_indices is not None:
            made._input_ts = _chosen(new_input_indices, self._input_ts, "inputs")
            if len({id(t) for t in made._input_ts}) != len(made._input_ts):
                raise ValueError(f"Duplicate inputs: {new_input_indices}")
        if new_output_indices is not None:
            made._output_ts = _chosen(new_output_indices, self._output_ts, "outputs")
        return made

    def remap_inputs(self, new_input_indices: Any) -> SubGraphView:
        return self.remap(new_input_indices, None)

    def remap_outputs(self, new_output_indices: Any) -> SubGraphView:
        return self.remap(None, new_output_indices)

    def remap_outputs_make_unique(self) -> SubGraphView:
        """Each output once."""
        made = self.copy()
        made._output_ts = list(dict.fromkeys(self._output_ts))
        return made

    def remap_outputs_to_consumers(self) -> SubGraphView:
        """Each output as often as it is taken."""
        made = self.copy()
        made._output_ts = [t for t in dict.fromkeys(self._output_ts) for _ in t.consumers()]
        return made

    def remove_unused_ops(self, control_inputs: bool = True) -> SubGraphView:
        """Without the operations that no output needs and no input reaches."""
        made = self.copy()
        used = set(
            select.get_walks_union_ops(
                self.connected_inputs, self.connected_outputs, within_ops=self._ops, control_inputs=control_inputs
            )
        )
        made._ops = [op for op in self._ops if op in used]
        return made


def _index(t: Tensor, among: list[Tensor], what: str) -> int:
    for i, other in enumerate(among):
        if other is t:
            return i
    raise ValueError(f"{t.name} is not in the {what} of the subgraph.")


def _chosen(indices: Iterable[Any], among: list[Tensor], what: str) -> list[Tensor]:
    places = [_index(i, among, what) if isinstance(i, Tensor) else i for i in indices]
    for place in places:
        if not 0 <= place < len(among):
            raise ValueError(f"Out of [0, {len(among)}[ range: {place}")
    return [among[i] for i in places]


def make_view(*args: Any, **kwargs: Any) -> SubGraphView:
    """A view of operations, tensors, graphs or patterns of names; of another view, that view."""
    if len(args) == 1 and isinstance(args[0], SubGraphView):
        return args[0]
    ops, ts = select.select_ops_and_ts(*args, **kwargs)
    return SubGraphView(ops, ts)


def make_view_from_scope(scope: str, graph: Graph) -> SubGraphView:
    """A view of what is below a name scope."""
    return SubGraphView(select.get_name_scope_ops(graph, scope))
