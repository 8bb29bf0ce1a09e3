"""Second derivatives: `tf.hessians`, and the product of a Hessian with a vector."""

from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.ops.arrays.stacking import stack
from thalweg._src.ops.derivatives.gradients import gradients


def hessians(
    ys: Any,
    xs: Any,
    name: str = "hessians",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
) -> list[Tensor]:
    """The second derivatives of the sum of `ys` by each of `xs`: for an x of shape s, a tensor of shape s + s.

    Raises ValueError for an x whose shape is not known: a row of the Hessian is one more backward pass, and their number must be too.
    """
    from thalweg._src.ops.late import array

    given = xs if isinstance(xs, list | tuple) else [xs]
    options = {
        "colocate_gradients_with_ops": colocate_gradients_with_ops,
        "gate_gradients": gate_gradients,
        "aggregation_method": aggregation_method,
    }
    out = []
    with scopes.name_scope(name, "hessians"):
        for x, g in zip(given, gradients(ys, list(given), **options), strict=True):
            dims = to_tensor(x).dims
            if dims is None or None in dims:
                raise ValueError(f"The Hessian by {x} needs its shape to be known; it is {to_tensor(x).shape}.")
            if g is None:
                raise ValueError(f"ys do not depend on {x}")
            flat = array.reshape(g, [-1])
            count = flat.dims[0] if flat.dims else 0
            rows = [gradients(flat[i], x, **options)[0] for i in range(count)]
            if any(r is None for r in rows):
                raise ValueError(f"The gradient by {x} does not depend on it: there is no second derivative.")
            whole = stack(rows) if rows else g
            out.append(array.reshape(whole, [*dims, *dims]))
    return out
