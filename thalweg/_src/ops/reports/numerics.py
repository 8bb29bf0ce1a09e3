"""Checks for NaN and infinity: check_numerics, verify_tensor_all_finite, add_check_numerics_ops."""

from typing import Any

from thalweg._src.core.apply import check
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import FLOATS
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.basic import group, with_dependencies

T = type_attr("T", FLOATS)


@op("CheckNumerics", stateful=True)
def _check_numerics(tensor: T, *, message: str) -> T:
    """The input, where all its entries are finite."""
    nan, infinite = jnp.isnan(tensor).any(), jnp.isinf(tensor).any()
    check(~(nan & infinite), f"{message} : Tensor had Inf and NaN values")
    check(~nan, f"{message} : Tensor had NaN values")
    check(~infinite, f"{message} : Tensor had Inf values")
    return tensor


@_check_numerics.shape_rule
def _(op):
    return [op.inputs[0].dims]


@_check_numerics.grad
def _(op, g):
    where = op.attrs["message"]
    return _check_numerics(g, message=f"Not a number (NaN) or infinity (Inf) values detected in gradient. {where}")


@dispatched
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """`tensor`; InvalidArgumentError with `message` in the run if one of its entries is NaN or infinite."""
    return _check_numerics(tensor, message=message, name=name)


def verify_tensor_all_finite(
    t: Any = None, msg: str | None = None, name: str | None = None, x: Any = None, message: str | None = None
) -> Tensor:
    """`t` (or `x`); InvalidArgumentError with `msg` (or `message`) if one of its entries is NaN or infinite."""
    x = t if x is None else x
    message = msg if message is None else message
    with name_scope(name, "VerifyFinite", [x]):
        x = to_tensor(x, None, "x")
        with get_default_graph().colocate_with(x.op):
            verified = _check_numerics(x, message=message)
            return with_dependencies([verified.op], x)


def add_check_numerics_ops() -> Operation:
    """A CheckNumerics for every floating-point tensor of the default graph, and an operation that runs them all.

    Raises ValueError for graphs with floating-point branches or loops.
    """
    checks: list[Operation] = []
    graph = get_default_graph()
    for node in graph.get_operations():
        for t in node.outputs:
            if t.dtype not in FLOATS or node.opdef.frame:
                continue
            if node.opdef.bodies is not None:
                raise ValueError(
                    "`tf.add_check_numerics_ops() is not compatible with TensorFlow control flow operations such as "
                    "`tf.cond()` or `tf.while_loop()`."
                )
            with graph.control_dependencies(checks):
                checks = [_check_numerics(t, message=f"{node.name}:{t.value_index}").op]
    return group(*checks)
