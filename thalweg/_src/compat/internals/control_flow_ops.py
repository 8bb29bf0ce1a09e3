"""tensorflow.python.ops.control_flow_ops: what is not public."""

from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.basic import tuple_ as tuple
from thalweg._src.ops.basic import with_dependencies
from thalweg._src.ops.control import composites, frame_ops
from thalweg._src.ops.control.control_flow import smart_cond
from thalweg._src.ops.reports.checks import (
    assert_equal,
    assert_greater,
    assert_greater_equal,
    assert_less,
    assert_less_equal,
    assert_positive,
    assert_rank,
)

__all__ = [
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_less",
    "assert_less_equal",
    "assert_positive",
    "assert_rank",
    "merge",
    "ref_switch",
    "smart_cond",
    "switch",
    "tuple",
    "with_dependencies",
]

ref_switch = frame_ops.ref_switch


def switch(data: Any, pred: Any, dtype: Any = None, name: str | None = None) -> Any:
    """(`data` where `pred` is false, `data` where it is true): what hangs on the other output does not run.

    A SparseTensor or IndexedSlices is switched as a whole.
    """
    with name_scope(name, "Switch", [data, pred]) as scope:
        pred = to_tensor(pred, name="pred")
        if not hasattr(data, "_components"):
            t = to_tensor(data, dtype, "data", as_ref=True)
            made = frame_ops.ref_switch if t.dtype._ref else frame_ops.switch
            return made(t, pred, name=scope)
        sides = [frame_ops.switch(t, pred) for t in composites.parts_of(data)]
        return composites.with_parts(data, [s[0] for s in sides]), composites.with_parts(data, [s[1] for s in sides])


def merge(inputs: Any, name: str | None = None) -> Any:
    """(that of `inputs` which there is, its place among them). Raises ValueError for a None among them."""
    if any(v is None for v in inputs):
        raise ValueError(f"At least one of the merge inputs is None: {inputs}")
    with name_scope(name, "Merge", list(inputs)) as scope:
        if not any(hasattr(v, "_components") for v in inputs):
            tensors = [v if isinstance(v, Tensor) else to_tensor(v, as_ref=True) for v in inputs]
            made = frame_ops.ref_merge if all(t.dtype._ref for t in tensors) else frame_ops.merge
            return made(tensors, name=scope)
        merged = [frame_ops.merge(list(parts)) for parts in zip(*map(composites.parts_of, inputs), strict=True)]
        return composites.with_parts(inputs[0], [m[0] for m in merged]), merged[0][1]
