"""Parts of a graph cut off, joined, and taken out."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.graph_editor import reroute, select
from thalweg._src.contrib.graph_editor.placeholders import make_placeholder_from_tensor
from thalweg._src.contrib.graph_editor.subgraph import SubGraphView, make_view
from thalweg._src.core.graph import Graph, Tensor


def _placeholders(graph: Graph | None, ts: list[Tensor]) -> list[Tensor]:
    if graph is None:
        return []
    with graph.as_default():
        return [make_placeholder_from_tensor(t) for t in ts]


def detach_control_inputs(sgv: Any) -> None:
    """What is in the view waits for nothing outside."""
    view = make_view(sgv)
    within = set(view.ops)
    for op in view.ops:
        reroute.remove_control_inputs(op, [c for c in op.control_inputs if c not in within])


def detach_control_outputs(sgv: Any, control_outputs: Any) -> None:
    """Nothing outside waits for what is in the view. Raises TypeError for something else than ControlOutputs."""
    if not isinstance(control_outputs, select.ControlOutputs):
        raise TypeError(f"Expected a util.ControlOutputs, got: {type(control_outputs)}")
    control_outputs.update()
    view = make_view(sgv)
    within = set(view.ops)
    for op in view.ops:
        for cop in control_outputs.get(op):
            if cop not in within:
                reroute.remove_control_inputs(cop, op)


def detach_inputs(sgv: Any, control_inputs: bool = False) -> tuple[SubGraphView, list[Tensor]]:
    """Placeholders take the place of the inputs; both are given back."""
    view = make_view(sgv)
    standing_in = _placeholders(view.graph, view.inputs)
    reroute.swap_inputs(view, standing_in)
    if control_inputs:
        detach_control_inputs(view)
    return view, standing_in


def detach_outputs(sgv: Any, control_outputs: Any = None) -> tuple[SubGraphView, list[Tensor]]:
    """What took outputs of the view takes placeholders; both are given back."""
    view = make_view(sgv)
    view = view.remap_outputs([i for i, t in enumerate(view.outputs) if t.consumers()])
    outputs = set(view.outputs)
    takers = SubGraphView(view.consumers())
    takers = takers.remap_inputs([i for i, t in enumerate(takers.inputs) if t in outputs])
    standing_in = _placeholders(view.graph, takers.inputs)
    reroute.swap_outputs(view.remap_outputs(takers.inputs), standing_in)
    if control_outputs is not None:
        detach_control_outputs(view, control_outputs)
    return view, standing_in


def detach(
    sgv: Any, control_inputs: Any = False, control_outputs: Any = None, control_ios: Any = None
) -> tuple[SubGraphView, list[Tensor], list[Tensor]]:
    """`detach_inputs` and `detach_outputs`: the view, and the placeholders of both."""
    control_inputs, control_outputs = select.check_cios(control_inputs, control_outputs, control_ios)
    view, before = detach_inputs(sgv, control_inputs)
    return view, before, detach_outputs(view, control_outputs)[1]


def connect(sgv0: Any, sgv1: Any, disconnect_first: bool = False) -> tuple[SubGraphView, SubGraphView]:
    """The outputs of `sgv0` become the inputs of `sgv1`; before that, if asked, both are detached there."""
    view0, view1 = make_view(sgv0), make_view(sgv1)
    if disconnect_first:
        view0, view1 = detach_outputs(view0)[0], detach_inputs(view1)[0]
    reroute.reroute_inputs(SubGraphView(passthrough_ts=view0.outputs), view1)
    return view0, view1


def bypass(sgv: Any) -> tuple[SubGraphView, list[Tensor]]:
    """What took the outputs takes the inputs instead; the view then hangs on placeholders, which are given back."""
    view = make_view(sgv)
    inputs = view.inputs
    view, standing_in = detach_inputs(view)
    reroute.reroute_ts(inputs, view.outputs)
    return view, standing_in
