"""Static shapes and static values: what is known of a tensor before anything runs.

An op with a shape rule uses it. For the others the rule is derived: the lowering is evaluated abstractly with every unknown
size replaced, once by one number and once by another; a size of the result that stays the same is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import apply, errors, shapes
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.lazy import jax
from thalweg._src.core.shapes import Dims

# Stand-ins for unknown sizes: divisible by all that programs divide by, and never a size that a program has itself.
_PROBES = (720720 * 17, 720720 * 19)
_FAILURES = (TypeError, ValueError, IndexError, NotImplementedError, ArithmeticError, MemoryError, errors.OpError)
# Values above this many elements are not computed while a graph is built.
_MAX_STATIC = 1 << 16


def output_dims(op: Operation) -> list[Dims]:
    """The static shapes of the outputs of `op`, whose inputs and attrs are bound. Raises ValueError where they can't fit."""
    rule = op.opdef.infer_shapes
    if rule is None:
        return derived_dims(op) if op.outputs else []
    try:
        out = rule(op)
    except ValueError as error:
        message = str(error)
        if f"'{op.name}'" in message:
            raise
        came = ", ".join(shapes.text(t._dims) for t in op._inputs)
        raise ValueError(f"{message} for '{op.name}' (op: '{op.type}') with input shapes: {came}.") from None
    if not op.outputs:
        return []
    if isinstance(out, tuple) or out is None:
        return [out]
    return out


_derived: dict[Any, list[Dims]] = {}


def derived_dims(op: Operation) -> list[Dims]:
    """The shapes of `op`'s outputs, derived from its lowering."""
    opdef = op.opdef
    unknown: list[Dims] = [None] * len(op.outputs)
    if opdef.runs_on_host(op) or opdef.effect == "host" or any(t.dtype.is_on_host for t in op._inputs):
        return unknown
    statics: dict[int, Any] = {}
    specs: list[Any] = []
    for i, (arg, t) in enumerate(flat_args(op)):
        value = constant_value(t) if arg.static or arg.known else None
        if value is not None:
            statics[i] = value
            specs.append(None)
        elif arg.static or t._dims is None:
            return unknown
        else:
            specs.append((t._dims, t.dtype.base_dtype))
    key = (opdef.name, freeze(op._attrs), tuple(specs), tuple((i, v.tobytes(), v.shape) for i, v in statics.items()))
    found = _derived.get(key)
    if found is None:
        found = _derived[key] = _evaluate(op, specs, statics)
    return found


def _evaluate(op: Operation, specs: list[Any], statics: dict[int, Any]) -> list[Dims]:
    open_ended = any(s is not None and None in s[0] for s in specs)
    answers = []
    for probe in _PROBES if open_ended else _PROBES[:1]:
        try:
            answers.append(_abstract(op, specs, statics, probe))
        except _FAILURES as error:
            if not open_ended:
                message = error.message if isinstance(error, errors.OpError) else str(error)
                raise ValueError(f"{op.type} {op.name!r}, made at {op.site}: {message}") from None
            return [None] * len(op.outputs)
    if len(answers) == 1:
        return answers[0]
    out: list[Dims] = []
    for a, b in zip(*answers, strict=True):
        same = a is not None and b is not None and len(a) == len(b)
        out.append(tuple(x if x == y else None for x, y in zip(a, b, strict=True)) if same else None)
    return out


def _abstract(op: Operation, specs: list[Any], statics: dict[int, Any], probe: int) -> list[Dims]:
    structs = [
        None if s is None else jax.ShapeDtypeStruct(tuple(probe if d is None else d for d in s[0]), s[1]._as_numpy)
        for s in specs
    ]

    def run(args: list[Any]) -> list[Any]:
        values = [statics[i] if a is None else a for i, a in enumerate(args)]
        rng = _NoRandom() if op.opdef.wants_rng else None
        result = apply.call(op.opdef, op._attrs, values, rng=rng)
        return apply.flat_outputs(op.opdef, result)

    with jax.enable_x64(True), apply.collect_checks(False):
        out = jax.eval_shape(run, structs)
    return [tuple(o.shape) for o in out]


class _NoRandom:
    """A random stream for abstract evaluation, where only shapes matter."""

    def __getattr__(self, name: str) -> Any:
        from thalweg._src.core.lazy import jnp

        if name == "bits":
            return lambda count, **_: jnp.zeros((count,), jnp.uint32)
        raise AttributeError(name)


def flat_args(op: Operation):
    """Each input tensor of an operation with the declaration of the input that it belongs to."""
    if op.opdef.args_of is not None:
        return list(zip(op.opdef.args_of(op), op._inputs, strict=True))
    args = op.opdef.inputs
    if op.opdef.simple:
        return list(zip(args, op._inputs, strict=True))
    out = []
    at = 0
    for arg in args:
        count = 1 if arg.kind == "one" else op._attrs[arg.number] if arg.kind == "many" else len(op._attrs[arg.types])
        out += [(arg, t) for t in op._inputs[at : at + count]]
        at += count
    return out


def freeze(value: Any) -> Any:
    """A value of attrs as one that can be a key."""
    if isinstance(value, dict):
        return tuple(sorted((k, freeze(v)) for k, v in value.items() if not k.startswith("_")))
    if isinstance(value, list):
        return tuple(freeze(v) for v in value)
    if isinstance(value, np.ndarray):
        return (value.tobytes() if value.dtype != object else tuple(value.flat), value.shape, str(value.dtype))
    return value


# -- values


def constant_value(tensor: Any) -> np.ndarray | None:
    """The value of `tensor` if it is the same in every run and cheap to know, else None. Treat it as read-only."""
    if isinstance(tensor, np.ndarray):
        return tensor
    if not isinstance(tensor, Tensor):
        return None
    if type(tensor) is not Tensor:
        return _eager_value(tensor)
    memo: dict[Tensor, Any] = {}
    return _value(tensor, memo, 0)


def _eager_value(tensor: Any) -> np.ndarray | None:
    """The value that a tensor of eager execution has, unless it is a reference or large."""
    value = tensor._value
    if tensor.dtype._name in ("resource", "variant") or not hasattr(value, "dtype") or value.size > _MAX_STATIC:
        return None
    return np.asarray(value)


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value of `tensor` where it is known while the graph is built, as an array, else None.

    What is no tensor is its own value. `partial`: of a stack, an array of what is known, and Nones.
    """
    if not isinstance(tensor, Tensor):
        is_tensor_like = hasattr(tensor, "_as_graph_element") or hasattr(tensor, "_components")
        return None if is_tensor_like else tensor
    value = constant_value(tensor)
    if value is None and partial and tensor.op.type == "Pack" and tensor.op.attrs["axis"] == 0:
        parts = [constant_value(t) for t in tensor.op.inputs]
        if any(p is not None for p in parts):
            stacked = np.empty(len(parts), object)
            for i, part in enumerate(parts):
                stacked[i] = part[()] if part is not None else None
            return stacked
    return None if value is None else np.array(value)


def _value(t: Tensor, memo: dict[Tensor, Any], depth: int) -> np.ndarray | None:
    if t in memo:
        return memo[t]
    memo[t] = None  # also ends the walk round a loop of an imported graph
    if type(t) is not Tensor:
        memo[t] = _eager_value(t)
        return memo[t]
    op = t.op
    opdef = op.opdef
    if opdef.effect is not None or not opdef.foldable or depth > 200 or t.dtype._ref:
        return None
    if opdef.host is True and not opdef.numpy_only:
        return None
    size = shapes.size_of(t._dims)
    if (size is None or size > _MAX_STATIC) and not opdef.constant:
        return None
    if opdef.needs_only_shapes(op):
        if any(s._dims is None or None in s._dims for s in op._inputs):
            return None
        dims: list[Any] = [s._dims for s in op._inputs]
        zeros = [np.zeros((), s.dtype.base_dtype._as_numpy) for s in op._inputs]
        values: list[Any] = [np.broadcast_to(z, d) for z, d in zip(zeros, dims, strict=True)]
    else:
        if opdef.source:
            return None
        values = []
        for s in op._inputs:
            v = _value(s, memo, depth + 1)
            if v is None:
                return None
            values.append(v)
    try:
        outputs = evaluate(op, values)
    except (errors.OpError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError):
        return None  # the run will say what is wrong
    for o, v in zip(op.outputs, outputs, strict=True):
        memo[o] = v
    return memo[t]


def evaluate(op: Operation, values: list[Any]) -> list[np.ndarray]:
    """The outputs of `op` on NumPy arrays, as NumPy arrays, whatever trace is under way."""
    opdef = op.opdef
    result = apply.flat_outputs(opdef, _eagerly(opdef, op._attrs, values))
    return [as_declared(v, t.dtype) for v, t in zip(result, op.outputs, strict=True)]


def _eagerly(opdef: Any, attrs: dict[str, Any], values: list[Any]) -> Any:
    with np.errstate(all="ignore"):  # a division by zero is infinite, and no more than that
        if opdef.numpy_only:
            return apply.call(opdef, attrs, values)
        with jax.enable_x64(True), jax.ensure_compile_time_eval():
            return apply.call(opdef, attrs, values)


def as_declared(value: Any, dtype: DType) -> np.ndarray:
    array = np.asarray(value)
    want = dtype._as_numpy
    return array if array.dtype == want else array.astype(want)


def partial_ints(tensor: Tensor) -> Dims:
    """The value of a vector or scalar of integers as far as it is known: ints and Nones; None if not even the length is."""
    value = constant_value(tensor)
    if value is not None:
        return tuple(int(v) for v in value.flat) if value.ndim < 2 else None
    dims = tensor._dims
    rule = tensor.op.opdef.infer_partial
    known = rule(tensor.op) if rule is not None else None
    if dims is None or len(dims) > 1 or dims == (None,):
        return known if dims is None or len(dims) == 1 else None
    n = dims[0] if dims else 1
    return known if known is not None and len(known) == n else (None,) * n  # type: ignore[operator]


def partial_value(tensor: Tensor) -> Dims:
    """The value of a vector of integers that will be a shape, as far as it is known: ints and Nones; None if not even its length.

    Minus one, "any size" in a shape, becomes None.
    """
    if tensor._dims is not None and len(tensor._dims) != 1:
        return None
    known = partial_ints(tensor)
    return None if known is None else tuple(None if v is None or v < 0 else v for v in known)


def partial_scalar(tensor: Tensor) -> int | None:
    """The value of an integer scalar, if it is known: also `tf.shape(x)[1]` where only that size is."""
    if tensor._dims != ():
        return None
    known = partial_ints(tensor)
    return None if known is None else known[0]


def follows_from_shapes(tensor: Tensor, depth: int = 32) -> bool:
    """Whether the value of `tensor` is known as soon as the shapes of all placeholders are."""
    opdef = tensor.op.opdef
    if opdef.constant or opdef.needs_only_shapes(tensor.op):
        return True
    if not tensor.op._inputs or not depth or opdef.effect is not None or opdef.source or not opdef.foldable:
        return False
    if opdef.runs_on_host(tensor.op):
        return False
    return all(follows_from_shapes(t, depth - 1) for t in tensor.op._inputs)


def same_shape(op: Any) -> list[Any]:
    """The shape rule of ops whose output has the shape of their first input."""
    return [op.inputs[0].dims]
