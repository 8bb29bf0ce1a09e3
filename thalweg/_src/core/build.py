"""Calling an op: inputs to tensors, types checked and inferred, attrs bound, shapes inferred, the node added."""

from __future__ import annotations

import contextlib
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, shapes
from thalweg._src.core.convert import as_array, to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.eager import EagerGraph, EagerTensor
from thalweg._src.core.errors import InvalidArgumentError
from thalweg._src.core.graph import Graph, Operation, Tensor, get_default_graph
from thalweg._src.core.opdef import REQUIRED, Arg, Attr, OpDef
from thalweg._src.core.shapes import TensorShape


def build(opdef: OpDef, args: tuple, name: str | None, kwargs: dict[str, Any]) -> Any:
    """Add a node of `opdef` to the graph of its inputs (or the default graph) and return its outputs as the op gives them.

    One output: a Tensor; several: a named tuple; a list output: a list; none: the Operation.
    """
    n = len(opdef.inputs)
    values: Sequence[Any] = args
    if len(args) != n:
        values, name = _bind_inputs(opdef, args, kwargs, name)
    graph = get_default_graph()
    tensors = [v for v in values if type(v) is Tensor]
    if (
        tensors
        and tensors[0].op.graph is not graph
        and not graph.building_function
        and not getattr(tensors[0].op.graph, "is_loop", False)
    ):
        with tensors[0].op.graph.as_default():
            return build(opdef, tuple(values), name, kwargs)
    if graph._finalized:
        graph._check_not_finalized()
    op_name = graph._op_name(name or opdef.default_name)
    attrs: dict[str, Any] = {}
    stacks = graph._stacks
    old_scope = stacks.name
    stacks.name = op_name  # constants that inputs become are named after the op: 'MatMul/b'
    try:
        if opdef.explicit or kwargs:
            _bind_attrs(opdef, kwargs, attrs)
        inputs = _bind_tensors(opdef, values, attrs, graph)
    finally:
        stacks.name = old_scope
    if opdef.refs:
        with contextlib.ExitStack() as stack:
            for i in opdef.refs:  # a reference can't leave its device
                if i < len(inputs):
                    stack.enter_context(graph.colocate_with(inputs[i].op))
            op = add_node(graph, opdef, inputs, attrs, op_name)
    else:
        op = add_node(graph, opdef, inputs, attrs, op_name)
    return results(op)


def results(op: Operation) -> Any:
    """The outputs of `op` in the structure that its OpDef declares."""
    opdef = op.opdef
    outputs = op.outputs
    if not outputs and (opdef.simple_out or opdef.effect):  # all there is to run is the operation
        return None if type(op.graph) is EagerGraph else op
    if opdef.simple_out:
        return outputs[0] if opdef._tuple is None else opdef._tuple._make(outputs)
    parts: list[Any] = []
    at = 0
    for arg in opdef.outputs:
        count = 1 if arg.kind == "one" else op._attrs[arg.number] if arg.kind == "many" else len(op._attrs[arg.types])
        parts.append(outputs[at] if arg.kind == "one" else outputs[at : at + count])
        at += count
    return parts[0] if len(parts) == 1 else opdef._tuple._make(parts)


def add_node(
    graph: Graph,
    opdef: OpDef,
    inputs: Sequence[Tensor],
    attrs: dict[str, Any],
    name: str,
    *,
    device: str | None = None,
    control_inputs: list[Operation] | None = None,
) -> Operation:
    """Add a node whose inputs and attrs are bound and checked."""
    return graph._add(
        opdef,
        inputs,
        attrs,
        name,
        output_types(opdef, attrs),
        shapes_of=infer.output_dims,
        control_inputs=control_inputs,
        device=device,
        depth=4,
    )


def output_types(opdef: OpDef, attrs: dict[str, Any]) -> list[DType]:
    """The dtypes of the outputs of a node with these attrs."""
    out: list[DType] = []
    for arg in opdef.outputs:
        if arg.kind == "mixed":
            out += attrs[arg.types]
            continue
        t = arg.dtype if arg.dtype is not None else attrs[arg.type_attr.name]  # type: ignore[union-attr]
        if arg.ref:
            t = t._as_ref
        if arg.kind == "many":
            out += [t] * attrs[arg.number]
        else:
            out.append(t)
    return out


# -- inputs


def _bind_inputs(opdef: OpDef, args: tuple, kwargs: dict[str, Any], name: str | None) -> tuple[list[Any], str | None]:
    """The inputs, and the name. Positional arguments beyond the inputs are attrs, those without defaults first, then the name."""
    names = opdef.input_names
    values = list(args[: len(names)])
    if len(args) > len(names):
        attrs = sorted(opdef.explicit, key=lambda a: a.default is not REQUIRED)
        extra = [a.name for a in attrs] + ["name"]
        if len(args) > len(names) + len(extra):
            raise TypeError(
                f"{opdef.__name__}() takes at most {len(names) + len(extra)} arguments, {len(args)} were given"
            )
        for key, value in zip(extra, args[len(names) :], strict=False):
            if key in kwargs or (key == "name" and name is not None):
                raise TypeError(f"{opdef.__name__}() got multiple values for argument {key!r}")
            if key == "name":
                name = value
            else:
                kwargs[key] = value
    for key in names[len(values) :]:
        if key not in kwargs:
            raise TypeError(f"{opdef.__name__}() misses the input {key!r}")
        values.append(kwargs.pop(key))
    return values, name


def _bind_tensors(opdef: OpDef, values: Sequence[Any], attrs: dict[str, Any], graph: Graph) -> list[Tensor]:
    out: list[Tensor] = []
    for arg, value in zip(opdef.inputs, values, strict=True):
        if arg.kind == "one":
            want = arg.dtype
            preferred = None
            if want is None:
                t = arg.type_attr
                want = attrs.get(t.name)  # type: ignore[union-attr]
                if want is None:
                    preferred = t.default  # type: ignore[union-attr]
            if type(value) is not Tensor and type(value) is not EagerTensor:
                value = _convert(opdef, arg, value, want, preferred, attrs)
            if value.op.graph is not graph:
                value = graph._admit(value)
            _check_type(graph, opdef, arg, value, want, attrs)
            out.append(value)
        elif arg.kind == "many":
            out += _bind_many(opdef, arg, value, attrs, graph)
        else:
            out += _bind_mixed(opdef, arg, value, attrs, graph)
    return out


def _convert(opdef: OpDef, arg: Arg, value: Any, want: Any, preferred: Any, attrs: dict[str, Any]) -> Tensor:
    try:
        return to_tensor(value, want, arg.name, preferred=preferred, as_ref=arg.ref)
    except (TypeError, ValueError) as error:
        if want is None:
            if value is None:
                raise ValueError(f"Tried to convert '{arg.name}' to a tensor and failed. Error: {error}") from None
            raise
        try:
            actual = to_tensor(value, None, None, as_ref=arg.ref).dtype.name
        except (TypeError, ValueError) as why:
            raise type(why)(f"Tried to convert '{arg.name}' to a tensor and failed. Error: {why}") from None
        raise TypeError(_mismatch(opdef, arg, actual, want, attrs)) from None


def _mismatch(opdef: OpDef, arg: Arg, actual: str, want: DType, attrs: dict[str, Any]) -> str:
    prefix = f"Input '{arg.name}' of '{opdef.name}' Op has type {actual} that does not match "
    if arg.type_attr is None:
        return prefix + f"expected type of {want.name}."
    first = next((a.name for a in opdef.inputs if a.type_attr is arg.type_attr), None)
    if first == arg.name or first is None:
        return prefix + f"type {want.name} of attr '{arg.type_attr.name}'."
    return prefix + f"type {want.name} of argument '{first}'."


def _check_type(
    graph: Graph, opdef: OpDef, arg: Arg, tensor: Tensor, want: DType | None, attrs: dict[str, Any]
) -> None:
    dtype = tensor.dtype
    if arg.ref and not dtype._ref:
        raise TypeError(f"'{opdef.name}' Op requires that input '{arg.name}' be a mutable tensor (e.g.: a tf.Variable)")
    base = dtype.base_dtype
    if want is None:
        t = arg.type_attr
        assert t is not None
        if t.allowed_set is not None and base not in t.allowed_set:
            if type(graph) is EagerGraph and type(tensor) is EagerTensor:
                raise InvalidArgumentError(
                    None,
                    None,
                    f"Value for attr '{t.name}' of {base.name} is not in the list of allowed values: "
                    f"{', '.join(d.name for d in t.allowed or ())} [Op:{opdef.name}]",
                )
            raise TypeError(_not_allowed(arg.name, base, t.allowed))
        attrs[t.name] = base
    elif base is not want:
        if type(graph) is EagerGraph and type(tensor) is EagerTensor:
            raise InvalidArgumentError(
                None,
                None,
                f"cannot compute {opdef.name} as input #{opdef.inputs.index(arg)}(zero-based) was expected to be a {want.name} tensor "
                f"but is a {base.name} tensor [Op:{opdef.name}]",
            )
        raise TypeError(_mismatch(opdef, arg, base.name, want, attrs))


def _not_allowed(name: str, dtype: DType, allowed: Any) -> str:
    names = ", ".join(d.name for d in allowed)
    return f"Value passed to parameter '{name}' has DataType {dtype.name} not in list of allowed values: {names}"


def _bind_many(opdef: OpDef, arg: Arg, value: Any, attrs: dict[str, Any], graph: Graph) -> list[Tensor]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"Expected list for '{arg.name}' argument to '{opdef.name}' Op, not {value}.")
    if len(value) < arg.minimum:
        raise ValueError(
            f"List argument '{arg.name}' to '{opdef.name}' Op with length {len(value)} shorter than minimum length {arg.minimum}."
        )
    known = attrs.get(arg.number)  # type: ignore[arg-type]
    if known is not None and known != len(value):
        other = next(a.name for a in opdef.inputs if a.number == arg.number)
        raise ValueError(
            f"List argument '{arg.name}' to '{opdef.name}' Op with length {len(value)} must match length {known} of argument '{other}'."
        )
    attrs[arg.number] = len(value)  # type: ignore[index]
    want = arg.dtype or attrs.get(arg.type_attr.name)  # type: ignore[union-attr]
    if want is None:
        want = next((v.dtype.base_dtype for v in value if hasattr(v, "dtype") and isinstance(v.dtype, DType)), None)
    out: list[Tensor] = []
    for i, v in enumerate(value):
        preferred = arg.type_attr.default if arg.type_attr is not None else None
        if type(v) is not Tensor:
            try:
                v = to_tensor(v, want, f"{arg.name}_{i}", preferred=preferred, as_ref=arg.ref)
            except (TypeError, ValueError) as error:
                raise TypeError(f"{_all_match(opdef, arg, value)}: {error}") from None
        if want is None:
            want = v.dtype.base_dtype
        elif v.dtype.base_dtype is not want:
            raise TypeError(_all_match(opdef, arg, value))
        out.append(graph._admit(v) if v.op.graph is not graph else v)
    if arg.type_attr is not None:
        if want is None:
            want = arg.type_attr.default
            if want is None:
                raise TypeError(
                    f"Don't know how to infer type variable from empty input list passed to input '{arg.name}' of '{opdef.name}' Op."
                )
        if arg.type_attr.allowed_set is not None and want not in arg.type_attr.allowed_set:
            raise TypeError(_not_allowed(arg.name, want, arg.type_attr.allowed))
        attrs[arg.type_attr.name] = want
    return out


def _all_match(opdef: OpDef, arg: Arg, values: Sequence[Any]) -> str:
    kinds = [
        v.dtype.base_dtype.name
        if isinstance(getattr(v, "dtype", None), DType)
        else "<NOT CONVERTIBLE TO TENSOR>"
        if not isinstance(v, numbers.Number | list | tuple | str | bytes | np.ndarray)
        else type(v).__name__
        for v in values
    ]
    return f"Tensors in list passed to '{arg.name}' of '{opdef.name}' Op have types [{', '.join(kinds)}] that don't all match."


def _bind_mixed(opdef: OpDef, arg: Arg, value: Any, attrs: dict[str, Any], graph: Graph) -> list[Tensor]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"Expected list for '{arg.name}' argument to '{opdef.name}' Op, not {value}.")
    known = attrs.get(arg.types)  # type: ignore[arg-type]
    if len(value) < arg.minimum:
        raise ValueError(
            f"List argument '{arg.name}' to '{opdef.name}' Op with length {len(value)} shorter than minimum length {arg.minimum}."
        )
    if known is not None and len(known) != len(value):
        raise ValueError(
            f"List argument '{arg.name}' to '{opdef.name}' Op with length {len(value)} must match length "
            f"{len(known)} of attr '{arg.types}'."
        )
    out = []
    for i, v in enumerate(value):
        v = to_tensor(v, known[i] if known is not None else None, f"{arg.name}_{i}", as_ref=arg.ref)
        if known is not None and v.dtype.base_dtype != known[i].base_dtype:
            raise TypeError(
                f"Input '{arg.name}' of '{opdef.name}' Op has type {v.dtype.name} that does not match expected type of {known[i].name}."
            )
        allowed = opdef.attrs[arg.types].allowed  # type: ignore[index]
        if allowed is not None and v.dtype.base_dtype not in allowed:
            raise TypeError(_not_allowed(arg.name, v.dtype.base_dtype, allowed))
        out.append(graph._admit(v) if v.op.graph is not graph else v)
    if known is None:
        attrs[arg.types] = [t.dtype.base_dtype for t in out]  # type: ignore[index]
    return out


# -- attrs


def _bind_attrs(opdef: OpDef, kwargs: dict[str, Any], attrs: dict[str, Any]) -> None:
    for attr in opdef.explicit:
        given = attr.name in kwargs
        value = kwargs.pop(attr.name, None)
        if value is None and not (given and attr.kind == "shape"):  # None is a shape: the unknown one
            if attr.default is REQUIRED:
                if attr.kind == "type" and attr.name in opdef.inferred:
                    continue
                raise TypeError(f"{opdef.__name__}() misses the attr {attr.name!r}")
            value = attr.default
        attrs[attr.name] = check_attr(opdef, attr, value)
    for name in list(kwargs):
        named = opdef.attrs.get(name) or opdef.attrs.get(name.rstrip("_"))
        if named is None:
            raise TypeError(f"{opdef.__name__}() got an unexpected keyword argument {name!r}")
        value = kwargs.pop(name)
        if value is not None:
            attrs[named.name] = check_attr(opdef, named, value)


def _as_int(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise TypeError(f"Expected int for argument '{name}' not {value!r}.") from None


def _as_str(value: Any, name: str) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if not isinstance(value, str):
        raise TypeError(f"Expected string for argument '{name}' not {value!r}.")
    return value


def _as_float(value: Any, name: str) -> float:
    try:
        return float(np.float32(value))  # a GraphDef keeps float attrs in 32 bits
    except (TypeError, ValueError):
        raise TypeError(f"Expected float for argument '{name}' not {value!r}.") from None


def _as_bool(value: Any, name: str) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"Expected bool for argument '{name}' not {value!r}.")
    return bool(value)


def _as_dims(value: Any, name: str) -> Any:
    try:
        return shapes.as_dims(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"Error converting {name} to a TensorShape: {error}.") from None


_CONVERT = {
    "int": _as_int,
    "float": _as_float,
    "bool": _as_bool,
    "string": _as_str,
    "shape": _as_dims,
    "type": lambda v, n: dtypes.as_dtype(v).base_dtype,
    "tensor": lambda v, n: v if isinstance(v, np.ndarray) else as_array(v),
    "func": lambda v, n: v,
}


def check_attr(opdef: OpDef, attr: Attr, value: Any) -> Any:
    """`value` as the Python form of `attr`. Raises TypeError or ValueError where it can't be that."""
    kind = attr.kind
    if kind.startswith("list("):
        if not isinstance(value, list | tuple | np.ndarray | TensorShape):
            raise TypeError(f"Expected list for '{attr.name}' argument to '{opdef.__name__}' Op, not {value!r}.")
        convert = _CONVERT[kind[5:-1]]
        out = [convert(v, attr.name) for v in value]
        if attr.minimum is not None and len(out) < attr.minimum:
            raise ValueError(
                f"Attr '{attr.name}' of '{opdef.name}' Op passed list of length {len(out)} less than minimum {attr.minimum}."
            )
        for v in out if attr.allowed is not None else ():
            if v not in attr.allowed:
                raise TypeError(_not_allowed(attr.name, v, attr.allowed))
        return out
    value = _CONVERT[kind](value, attr.name)
    if attr.allowed is not None and value not in attr.allowed:
        if kind == "type":
            raise TypeError(_not_allowed(attr.name, value, attr.allowed))
        allowed = '", "'.join(attr.allowed)
        raise ValueError(f"Attr '{attr.name}' of '{opdef.name}' Op passed string '{value}' not in: \"{allowed}\".")
    if attr.minimum is not None and value < attr.minimum:
        raise ValueError(f"Attr '{attr.name}' of '{opdef.name}' Op passed {value} less than minimum {attr.minimum}.")
    return value


# -- by the name of the type, as graph import and Graph.create_op do


def create(graph: Graph, op_type: str, inputs: Sequence[Tensor], name: str, attrs: dict[str, Any]) -> Operation:
    """Add a node of the type `op_type`; attrs are Python values or AttrValue protos, types may be left to the inputs."""
    from thalweg._src.core import attr_protos
    from thalweg._src.core.signatures import find_op

    opdef = find_op(op_type)
    if opdef is None:
        raise ValueError(f"Op type {op_type!r} is not registered; see thalweg check.")
    bound = {k: attr_protos.attr_from_proto(v) if hasattr(v, "WhichOneof") else v for k, v in attrs.items()}
    with graph.as_default():
        op_name = graph._op_name(name)
        given = {
            a.name: check_attr(opdef, a, bound[a.name]) for a in opdef.attrs.values() if bound.get(a.name) is not None
        }
        private = {k: v for k, v in bound.items() if k.startswith("_")}
        complete_attrs(opdef, inputs, given)
        return add_node(
            graph, opdef, [t if t.graph is graph else graph._admit(t) for t in inputs], given | private, op_name
        )


def _input_count(opdef: OpDef, inputs: Sequence[Tensor], attrs: dict[str, Any]) -> ValueError:
    expected: list[Any] = []
    for arg in opdef.inputs:
        count = 1 if arg.kind == "one" else attrs.get(arg.number, 0) if arg.kind == "many" else 0
        one = arg.dtype if arg.type_attr is None else attrs.get(arg.type_attr.name)
        expected += attrs.get(arg.types, ()) if arg.kind == "mixed" else [one] * count
    told = ", ".join("?" if t is None else t.cpp_name for t in expected)
    return ValueError(f"NodeDef expected inputs '{told}' do not match {len(inputs)} inputs specified for {opdef.name}")


def complete_attrs(opdef: OpDef, inputs: Sequence[Tensor], attrs: dict[str, Any]) -> None:
    """Fill in the attrs that follow from the inputs or have defaults. Raises ValueError where one can't be known."""
    at = 0
    for arg in opdef.inputs:
        if arg.kind == "one":
            if at >= len(inputs):
                raise _input_count(opdef, inputs, attrs)
            if arg.type_attr is not None:
                attrs.setdefault(arg.type_attr.name, inputs[at].dtype.base_dtype)
            at += 1
        elif arg.kind == "many":
            count = attrs.setdefault(arg.number, len(inputs) - at)
            if arg.type_attr is not None and count:
                attrs.setdefault(arg.type_attr.name, inputs[at].dtype.base_dtype)
            at += count
        else:
            rest = attrs.setdefault(arg.types, [t.dtype.base_dtype for t in inputs[at:]])
            at += len(rest)
    if at != len(inputs):
        raise _input_count(opdef, inputs, attrs)
    for attr in opdef.attrs.values():
        if attr.name not in attrs:
            if attr.default is REQUIRED:
                raise ValueError(f"NodeDef missing attr '{attr.name}' from Op {opdef.name}")
            attrs[attr.name] = check_attr(opdef, attr, attr.default)
