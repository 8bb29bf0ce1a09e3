"""Other inputs for operations that are there: what took one tensor takes another, of the same type and shape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thalweg._src.contrib.graph_editor.lists import check_graphs, get_consuming_ops, make_list_of_op, make_list_of_t
from thalweg._src.contrib.graph_editor.subgraph import SubGraphView, make_view
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.raw_operations import put_behind_its_inputs

SWAP, A2B = "swap", "a2b"


def _fit(ts0: list[Tensor], ts1: list[Tensor]) -> None:
    """Raise ValueError unless each tensor may take the place of the one beside it."""
    if len(ts0) != len(ts1):
        raise ValueError(f"ts0 and ts1 have different sizes: {len(ts0)} != {len(ts1)}")
    for t0, t1 in zip(ts0, ts1, strict=True):
        if not t0.dtype.is_compatible_with(t1.dtype):
            raise ValueError(f"Dtypes {t0.dtype} and {t1.dtype} are not compatible.")
        if not t0.get_shape().is_compatible_with(t1.get_shape()):
            raise ValueError(f"Shapes {t0.get_shape()} and {t1.get_shape()} are not compatible.")


def _give(t: Tensor, to: Iterable[Operation], instead_of: Tensor) -> int:
    """The consumers `to` take `t` instead. How many inputs changed."""
    changed = 0
    for op in to:
        places = [i for i, taken in enumerate(op.inputs) if taken is instead_of]
        for i in places:
            op._update_input(i, t)
        put_behind_its_inputs(op)
        changed += len(places)
    return changed


def _reroute(ts0: Any, ts1: Any, mode: str, can_modify: Any = None, cannot_modify: Any = None) -> int:
    ts0, ts1 = make_list_of_t(ts0), make_list_of_t(ts1)
    _fit(ts0, ts1)
    allowed = None if can_modify is None else set(make_list_of_op(can_modify))
    forbidden = set() if cannot_modify is None else set(make_list_of_op(cannot_modify))

    def takers(t: Tensor) -> list[Operation]:
        found = dict.fromkeys(t.consumers())
        return [op for op in found if op not in forbidden and (allowed is None or op in allowed)]

    plan = [(t0, t1, takers(t0), takers(t1)) for t0, t1 in zip(ts0, ts1, strict=True) if t0 is not t1]
    changed = 0
    for t0, t1, takers0, takers1 in plan:
        changed += _give(t0, takers1, t1)
        if mode == SWAP:
            changed += _give(t1, takers0, t0)
    return changed


def swap_ts(ts0: Any, ts1: Any, can_modify: Any = None, cannot_modify: Any = None) -> int:
    """What took `ts0[i]` takes `ts1[i]`, and the other way around; in `can_modify` only. How many inputs changed."""
    return _reroute(ts0, ts1, SWAP, can_modify, cannot_modify)


def reroute_ts(ts0: Any, ts1: Any, can_modify: Any = None, cannot_modify: Any = None) -> int:
    """What took `ts1[i]` takes `ts0[i]`. Raises ValueError for tensors that don't fit. How many inputs changed."""
    return _reroute(ts0, ts1, A2B, can_modify, cannot_modify)


def _views(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    sgv0, sgv1 = make_view(sgv0), make_view(sgv1)
    check_graphs(sgv0, sgv1)
    return sgv0, sgv1


def _inputs(sgv0: Any, sgv1: Any, mode: str) -> tuple[SubGraphView, SubGraphView]:
    sgv0, sgv1 = _views(sgv0, sgv1)
    inside = sgv0.ops + sgv1.ops + get_consuming_ops(sgv0.passthroughs) + get_consuming_ops(sgv1.passthroughs)
    own0, own1 = sgv0.inputs, sgv1.inputs
    _reroute(own0, own1, mode, can_modify=inside)
    sgv1._input_ts = own0
    if mode == SWAP:
        sgv0._input_ts = own1
    return sgv0, sgv1


def _outputs(sgv0: Any, sgv1: Any, mode: str) -> tuple[SubGraphView, SubGraphView]:
    sgv0, sgv1 = _views(sgv0, sgv1)
    _reroute(sgv0.outputs, sgv1.outputs, mode, cannot_modify=sgv0.ops + sgv1.ops)
    return sgv0, sgv1


def swap_inputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """Each of two views works on the inputs of the other."""
    return _inputs(sgv0, sgv1, SWAP)


def reroute_inputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """`sgv1` works on the inputs of `sgv0`."""
    return _inputs(sgv0, sgv1, A2B)


def swap_outputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """What took the outputs of one of two views takes those of the other."""
    return _outputs(sgv0, sgv1, SWAP)


def reroute_outputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """What took the outputs of `sgv1` takes those of `sgv0`."""
    return _outputs(sgv0, sgv1, A2B)


def swap_ios(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """Two views change places."""
    return _outputs(*_inputs(sgv0, sgv1, SWAP), SWAP)


def reroute_ios(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """`sgv0` takes the place of `sgv1`."""
    return _outputs(*_inputs(sgv0, sgv1, A2B), A2B)


def add_control_inputs(op: Operation, cops: Any) -> None:
    """`op` waits for `cops` too. Raises TypeError for no operation, ValueError for one that it waits for already."""
    cops = _operations(op, cops)
    for cop in cops:
        if cop in op.control_inputs:
            raise ValueError(f"{cop.name} is already a control_input of {op.name}")
    op._add_control_inputs(cops)
    put_behind_its_inputs(op)


def remove_control_inputs(op: Operation, cops: Any) -> None:
    """`op` waits for `cops` no longer. Raises TypeError for no operation, ValueError for one that it does not wait for."""
    cops = _operations(op, cops)
    for cop in cops:
        if cop not in op.control_inputs:
            raise ValueError(f"{cop.name} is not a control_input of {op.name}")
    kept = [c for c in op.control_inputs if c not in cops]
    op._control_inputs = []
    op._add_control_inputs(kept)


def _operations(op: Any, cops: Any) -> list[Operation]:
    if not isinstance(op, Operation):
        raise TypeError(f"Expected a tf.Operation, got: {type(op)}")
    return make_list_of_op(cops, allow_graph=False)
