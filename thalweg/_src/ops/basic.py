"""Ops that pass values on, and ops that only order others: identity, stop_gradient, no_op, group, tuple."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.infer import same_shape
from thalweg._src.core.lazy import lax
from thalweg._src.core.opdef import Mixed, op, type_attr
from thalweg._src.core.scopes import free_of_dependencies

T = type_attr("T")


@op("Identity", alias=True, numpy_only=True)
def _identity(input: T) -> T:
    """The input."""
    return input


@op("StopGradient", numpy_only=True, structured=True)
def stop_gradient(input: T) -> T:
    """The input; gradients do not flow through."""
    return lax.stop_gradient(input)


@op("PreventGradient", numpy_only=True, structured=True)
def prevent_gradient(input: T, *, message: str = "") -> T:
    """The input; asking for a gradient through it raises LookupError with `message`."""
    return input


@op("Snapshot", alias=True, numpy_only=True, structured=True)
def snapshot(input: T) -> T:
    """The input."""
    return input


@op("GuaranteeConst", numpy_only=True, stateful=True)
def _guarantee_const(input: T, *, T: T) -> T:
    """The input, of which the caller promises that it never changes."""
    if dtypes.resource == T:
        raise ValueError("Input tensor cannot be a resource variable handle.")
    return input


for _pass in (_identity, stop_gradient, prevent_gradient, snapshot, _guarantee_const):
    _pass.shape_rule(same_shape)

stop_gradient.not_differentiable()


@_identity.grad
def _(op, g):
    return g


@snapshot.grad
def _(op, g):
    return g


@prevent_gradient.grad
def _(op, g):
    raise LookupError(f"Gradient explicitly disabled. Reason: {op.get_attr('message').decode()}")


@dispatched
def identity(input: Any, name: str | None = None) -> Tensor:
    """A tensor with the value of `input` under a name of its own."""
    return _identity(input, name=name)


_guarantee_const.not_differentiable()


def guarantee_const(input: Any, name: str | None = None) -> Tensor:
    """`input`, of which you promise that it is the same in every run."""
    return _guarantee_const(input, name=name)


@op("IdentityN", numpy_only=True, structured=True)
def _identity_n(input: Mixed("T", 1)) -> Mixed("T", 1):
    """The inputs."""
    return input


@_identity_n.shape_rule
def _(op):
    return [t.dims for t in op.inputs]


@_identity_n.grad
def _(op, *grads):
    return list(grads)


def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """Tensors with the values of `input`, all of them known at once."""
    return _identity_n([to_tensor(t) for t in input], name=name)


@op("NoOp")
def _no_op():
    """Nothing; other ops wait for it, or it for them."""


def no_op(name: str | None = None) -> Operation:
    """An operation that does nothing."""
    return _no_op(name=name)


def group(*inputs: Any, **kwargs: Any) -> Operation:
    """An operation that is done when all `inputs` (operations, tensors, nested lists of those) are."""
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError("Unknown keyword arguments: " + ", ".join(kwargs))
    graph = get_default_graph()
    with graph.name_scope(name or "group_deps") as scope:
        if not inputs:
            return no_op(name=scope)
        by_device: dict[str, list[Operation]] = {}
        for op in _flat_ops(inputs):
            ops = by_device.setdefault(op.device, [])
            if op not in ops:
                ops.append(op)
        if len(by_device) == 1:
            return _group_on(next(iter(by_device)), next(iter(by_device.values())), scope)
        groups = [_group_on(device, ops, None) for device, ops in sorted(by_device.items())]
        with graph.control_dependencies(groups):
            return no_op(name=scope)


def _group_on(device: str, ops: list[Operation], name: str | None) -> Operation:
    graph = get_default_graph()
    with graph.control_dependencies(ops):
        if not device:
            return no_op(name=name)
        with graph.device(device):
            return no_op(name=name)


def _flat_ops(inputs: Any) -> list[Operation]:
    out: list[Operation] = []
    for value in inputs:
        if isinstance(value, list | tuple):
            out += _flat_ops(value)
        elif isinstance(value, dict):
            out += _flat_ops(value.values())
        elif value is None:
            continue
        elif isinstance(value, Operation):
            out.append(value)
        elif isinstance(getattr(value, "op", None), Operation):
            out.append(value.op)
        elif hasattr(value, "_as_graph_element"):
            element = value._as_graph_element()
            out.append(element.op if isinstance(element, Tensor) else element)
        else:
            raise TypeError(
                f"Expected tf.group() expected Tensor objects not None with type '{type(value)}': {value!r}"
            )
    return out


def with_dependencies(dependencies: Any, output_tensor: Any, name: str | None = None) -> Any:
    """`output_tensor`, known only once `dependencies` have run."""
    graph = get_default_graph()
    with graph.name_scope(name or "control_dependency") as scope, graph.colocate_with(_op_of(output_tensor)):
        with graph.control_dependencies(dependencies):
            if hasattr(output_tensor, "_with_values"):
                return output_tensor._with_values(identity(output_tensor.values, name=scope))
            return identity(to_tensor(output_tensor), name=scope)


def _op_of(value: Any) -> Any:
    return getattr(value, "op", None) if not hasattr(value, "_with_values") else value.values.op


def tuple_(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """Identities of `tensors` (None stays None), none of which is known before all of them are."""
    graph = get_default_graph()
    with graph.name_scope(name or "tuple") as scope:
        ops = [t if isinstance(t, Operation) else _op_of(t) for t in tensors if t is not None]
        for extra in control_inputs or []:
            if isinstance(extra, Tensor):
                extra = extra.op
            elif not isinstance(extra, Operation):
                raise TypeError(f"Control input must be Operation or Tensor: {extra}")
            ops.append(extra)
        unique = list(dict.fromkeys(ops))
        if not unique:
            raise ValueError(f"Must have at least one Tensor: {tensors}")
        gate = group(*unique)
        out: list[Any] = []
        for t in tensors:
            if t is None:
                out.append(None)
            elif isinstance(t, Operation):
                with graph.control_dependencies([gate]):
                    out.append(group(gate, t))
            else:
                out.append(with_dependencies([gate], t))
        del scope
        return out


def control_dependencies(control_inputs: Any) -> Any:
    """What is made in the block, in the default graph, runs after `control_inputs`.

    None drops what the blocks around say, and leaves the loops around: what is made there is computed once.
    """
    if control_inputs is None:
        return free_of_dependencies()
    return get_default_graph().control_dependencies(control_inputs)
