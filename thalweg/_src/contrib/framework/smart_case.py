"""`tf.case` that builds one branch only where the conditions are known."""

from __future__ import annotations

from typing import Any

from thalweg._src.ops.control.control_flow import case, smart_constant_value


def smart_case(pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, name: str = "smart_case") -> Any:
    """The result of the first function whose condition holds: chosen now if all conditions before it are known."""
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    for pred, fn in pairs:
        known = smart_constant_value(pred)
        if known is None:
            return case(pred_fn_pairs, default=default, exclusive=exclusive, name=name)
        if known and not exclusive:
            return fn()
    holding = [fn for pred, fn in pairs if smart_constant_value(pred)]
    if len(holding) == 1:
        return holding[0]()
    if not holding and default is not None:
        return default()
    return case(pred_fn_pairs, default=default, exclusive=exclusive, name=name)
