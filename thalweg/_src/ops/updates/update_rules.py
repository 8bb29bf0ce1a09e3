"""How the rules of training.py and adagrads.py are declared: two ops of one formula, `ApplyX` for reference variables and
`ResourceApplyX` for resource variables; and how a rule is applied to some rows of a variable.

Where TensorFlow's sparse kernels take rows one after the other, the gradients of a row that is named twice are summed before they are
used.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.dtypes import NUMBERS, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Handle, OpDef, Ref, op, type_attr
from thalweg._src.ops.stateful.handles import dims_of_handle

T = type_attr("T", NUMBERS)
Tindices = type_attr("Tindices", (int32, int64))
Var = Ref(T)  # in the resource forms: Handle(T)


class Update:
    """An update rule in its two forms. Calling it takes the one that fits the variable, and gives the operation."""

    def __init__(self, ref: OpDef | None, resource: OpDef):
        self.ref, self.resource = ref, resource

    def __call__(self, var: Any, *args: Any, **attrs: Any) -> Any:
        """`var` and slots are variables; what else is a number or tensor becomes one of the variable's type."""
        handle = getattr(var, "handle", None)
        if handle is None:
            assert self.ref is not None, "this rule is for resource variables alone"
            return self.ref(var, *args, **attrs).op
        values = zip(self.resource.inputs, (var, *args), strict=True)
        return self.resource(*[a.handle if arg.handle else a for arg, a in values], **attrs)


def _on_handles(fn: Any) -> Any:
    """`fn` with handles in the place of references, for the resource form."""
    import types

    copy = types.FunctionType(fn.__code__, fn.__globals__, "resource_" + fn.__name__, fn.__defaults__, fn.__closure__)
    copy.__kwdefaults__, copy.__doc__, copy.__module__ = fn.__kwdefaults__, fn.__doc__, fn.__module__
    copy.__annotations__ = {k: Handle(T) if v is Var else v for k, v in fn.__annotations__.items() if k != "return"}
    return copy


def update(name: str, *, ref: bool = True) -> Callable[[Any], Update]:
    """Declare the rule `name` in both forms. Its lowering gives the new values of the variables, in order."""

    def declare(fn: Any) -> Update:
        resource = op("Resource" + name, effect="write")(_on_handles(fn))
        resource.fn = _at_least_float32(resource.fn)
        resource.shape_rule(_check_resource)
        resource.not_differentiable()
        if not ref:
            return Update(None, resource)
        plain = op(name, effect="write", stateful=False)(fn)
        plain.fn = _at_least_float32(fn)
        plain.shape_rule(_check_ref)
        plain.not_differentiable()
        return Update(plain, resource)

    return declare


def _at_least_float32(fn: Any) -> Any:
    """`fn`, computed in float32 where it is given float16 or bfloat16. What becomes of an update would otherwise
    depend on which intermediate results the compiler rounds.
    """

    def lowering(*args: Any, **attrs: Any) -> Any:
        if not any(a.dtype.itemsize == 2 and a.dtype.kind in "fV" for a in args):
            return fn(*args, **attrs)
        return fn(*[a if a.dtype.kind in "iu" else a.astype(np.float32) for a in args], **attrs)

    lowering.of_wide_types = fn  # type: ignore[attr-defined]
    return lowering


def _check_ref(op):
    return [_checked(op, lambda t: t.dims)]


def _check_resource(op):
    _checked(op, dims_of_handle)


def _checked(op: Any, dims_of: Callable[[Tensor], Any]) -> Any:
    """Variable and slots have one shape, and so has a dense gradient; the numbers are scalars."""
    dims: Any = None
    sparse = any(a.name == "indices" for a in op.opdef.inputs)
    for arg, t in zip(op.opdef.inputs, op.inputs, strict=True):
        if arg.ref or arg.handle:
            own = dims_of(t)
        elif arg.name in ("grad", "delta"):
            if sparse:
                _check_rows(op, t, dims)
                continue
            own = t.dims
        elif arg.name == "indices":
            if t.dims is not None and len(t.dims) != 1:
                raise ValueError(f"Shape must be rank 1 but is rank {len(t.dims)}")
            continue
        else:
            if t.dims:
                raise ValueError(f"Shape must be rank 0 but is rank {len(t.dims)}")
            continue
        merged = shapes.merge(dims, own)
        if merged is False:
            raise ValueError(f"Shapes must be equal, but are {shapes.text(dims)} and {shapes.text(own)}")
        dims = merged
    return dims


def _check_rows(op: Any, grad: Tensor, dims: Any) -> None:
    indices = next(t for a, t in zip(op.opdef.inputs, op.inputs, strict=True) if a.name == "indices")
    count = indices.dims[0] if indices.dims else None
    if dims is not None and shapes.merge((count, *dims[1:]), grad.dims) is False:
        raise ValueError(
            f"Shapes must be equal, but the gradient of {shapes.text(dims)} has {shapes.text(grad.dims)} "
            f"for {count} indices"
        )


def on_rows(variables: Sequence[Any], grad: Any, indices: Any, formula: Callable[..., Any]) -> Any:
    """`formula(rows of each variable, gradient)` applied to the rows at `indices`, each of them once."""
    rows = variables[0].shape[0]
    if xp(*variables, grad, indices) is np:
        return _on_numpy_rows(variables, grad, indices, formula)
    indices = jnp.asarray(indices)
    check(
        jnp.all((indices >= 0) & (indices < rows)),
        lambda: f"indices are out of range: {indices}, there are {rows} rows",
    )
    at, summed = sum_duplicates(indices, jnp.asarray(grad), rows)
    old = [jnp.asarray(v).at[at].get(mode="clip") for v in variables]
    new = formula(*old, summed)
    new = new if isinstance(new, tuple) else (new,)
    out = tuple([jnp.asarray(v).at[at].set(n, mode="drop") for v, n in zip(variables, new, strict=True)])
    return out if len(out) > 1 else out[0]


def _on_numpy_rows(variables: Sequence[Any], grad: Any, indices: Any, formula: Callable[..., Any]) -> Any:
    """`on_rows` on NumPy arrays. The formula sees round numbers of rows, since JAX compiles it for each."""
    rows = variables[0].shape[0]
    check(
        np.all((indices >= 0) & (indices < rows)),
        lambda: f"indices are out of range: {indices}, there are {rows} rows",
    )
    at, place = np.unique(indices, return_inverse=True)
    n = len(at)
    if n == 0:
        out = tuple(variables)
        return out if len(out) > 1 else out[0]
    room = 1 << (n - 1).bit_length()
    padded = np.concatenate([at, np.full(room - n, at[0], at.dtype)])
    summed = np.zeros((room, *grad.shape[1:]), grad.dtype)
    np.add.at(summed, place.reshape(-1), grad)
    new = formula(*[jnp.asarray(np.asarray(v)[padded]) for v in variables], jnp.asarray(summed))
    changed = []
    for v, values in zip(variables, new if isinstance(new, tuple) else (new,), strict=True):
        changed.append(np.array(v))
        changed[-1][at] = np.asarray(values)[:n]
    return tuple(changed) if len(changed) > 1 else changed[0]


def sum_duplicates(indices: Any, grad: Any, rows: int) -> tuple[Any, Any]:
    """Each index once and the sum of its gradients; the places left over hold the index `rows`, which is out of
    range.
    """
    n = indices.shape[0]
    if n <= 1:
        return indices, grad
    order = jnp.argsort(indices, stable=True)
    ordered = indices[order]
    first = jnp.concatenate([jnp.ones((1,), bool), ordered[1:] != ordered[:-1]])
    place = jnp.cumsum(first) - 1
    at = jnp.full((n,), rows, indices.dtype).at[place].set(ordered)
    summed = jnp.zeros_like(grad).at[place].add(grad[order])
    return at, summed


def proximal(v: Any, rate: Any, l1: Any, l2: Any) -> Any:
    """A step back towards zero: sign(v) max(|v| - rate l1, 0) / (1 + l2 rate), as FOBOS does it."""
    shrunk = jnp.sign(v) * jnp.maximum(jnp.abs(v) - rate * l1, 0)
    return jnp.where(l1 > 0, shrunk, v) / (1 + l2 * rate)
