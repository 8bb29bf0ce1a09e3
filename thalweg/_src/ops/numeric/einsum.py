"""Products of tensors by Einstein's convention: `einsum("ij,jk->ik", a, b)`."""

import re
import string
from collections.abc import Sequence
from typing import Any

from thalweg._src.core import shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Many, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math

T = type_attr("T")


def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """The sum of products of the inputs, as `equation` labels their axes: labels that the output lacks are summed over.

    An ellipsis stands for axes without labels. Raises ValueError for equations that don't fit the inputs, and for those
    that use a label twice in one input (but for the trace, "ii").

    >>> run(tf.einsum("ij,j->i", tf.constant([[1.0, 2.0]]), tf.constant([3.0, 4.0])))
    array([11.], dtype=float32)
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"invalid keyword arguments for this function: {', '.join(sorted(kwargs))}")
    with name_scope(name, "einsum", [equation, *inputs]):
        labels, output = parse(equation, [x.get_shape()._dims for x in inputs])
        if len(inputs) == 1 and "->" not in equation and _is_trace(labels[0]):
            return math.trace(inputs[0])
        for own in labels:
            if len(set(own)) < len(own):
                raise ValueError(f"Subscript not supported: an axis appears more than once: {own}")
        if any(sum(a in own for own in labels) > 2 and a not in output for a in set("".join(labels))):
            return _all_at_once(labels, output, list(inputs))
        return _pair_by_pair(equation, labels, output, list(inputs))


@op("Einsum")
def _einsum(inputs: Many(T, "N", 1), *, equation: str) -> T:
    """The sum of products that `equation` says, as one node: graphs of later releases have it."""
    return xp(*inputs).einsum(equation, *inputs)


@_einsum.shape_rule
def _(op):
    known = [t.dims for t in op.inputs]
    if "..." in op.attrs["equation"] and None in known:
        return [None]
    labels, output = parse(op.attrs["equation"], known)
    sizes: dict[str, Any] = {}
    for own, dims in zip(labels, known, strict=True):
        if dims is not None and len(dims) != len(own):
            raise ValueError(f"Einsum {op.name!r}: {own} is no equation for an input of rank {len(dims)}.")
        for a, n in zip(own, dims or [None] * len(own), strict=True):
            sizes[a] = n if sizes.get(a) in (None, 1) else sizes[a]  # an ellipsis broadcasts
            if n not in (None, 1, sizes[a]):
                raise ValueError(f"Einsum {op.name!r}: the axes {a} have {sizes[a]} and {n} entries.")
    return [tuple(sizes[a] for a in output)]


def _is_trace(labels: str) -> bool:
    return labels == labels[::-1] and any(labels.count(a) == 2 for a in labels)


def parse(equation: str, known: Sequence[Any]) -> tuple[list[str], str]:
    """The labels of the inputs, whose shapes are `known`, and of the output; ellipses become labels of their own."""
    equation = equation.replace(" ", "")
    match = re.fullmatch(r"([a-zA-Z,.]+)(->[a-zA-Z.]*)?", equation)
    if match is None:
        raise ValueError(f"Indices have incorrect format: {equation}")
    labels = match[1].split(",")
    output = match[2][2:] if match[2] else None
    if len(labels) != len(known):
        raise ValueError(f'Got {len(known)} arguments for equation "{equation}", expecting {len(labels)}')
    rest = ""
    if "..." in equation:
        unused = "".join(c for c in string.ascii_letters if c not in "".join(labels))
        for i, own in enumerate(labels):
            if "..." in own:
                labels[i] = _without_ellipsis(own, known[i], unused)
                extra = "".join(c for c in labels[i] if c not in own)
                rest = max(rest, extra, key=len)
        if any("." in own for own in labels):
            raise ValueError('period "." found outside of ellipsis')
        if output is not None:
            output = output.replace("...", rest)
            if "." in output:
                raise ValueError('period "." found outside of ellipsis')
    if output is None:
        together = "".join(labels)
        output = rest + "".join(sorted(a for a in set(together) - set(rest) if together.count(a) == 1))
    return labels, output


def _without_ellipsis(own: str, dims: Any, unused: str) -> str:
    parts = own.split("...")
    if len(parts) != 2:
        raise ValueError("Unable to resolve ellipsis. Excess number found.")
    if dims is None:
        raise ValueError("Unable to statically infer ellipsis axes.")
    n = len(dims) - len("".join(parts))
    if n < 0:
        raise ValueError("Ellipses lengths do not match.")
    if n > len(unused):
        raise ValueError("Unable to resolve ellipsis, too many distinct labels.")
    return own.replace("...", unused[-n:] if n else "")


def _pair_by_pair(equation: str, labels: list[str], output: str, inputs: list[Any]) -> Tensor:
    product, own = inputs[0], labels[0]
    for x, other in zip(inputs[1:], labels[1:], strict=True):
        product, own = _product(product, own, x, other, summed=set(own) & set(other) - set(output))
    gone = [i for i, a in enumerate(own) if a not in output]
    if gone:
        product = math.reduce_sum(product, axis=gone)
        own = "".join(a for a in own if a in output)
    if sorted(own) != sorted(output):
        raise ValueError(f"Invalid equation: {equation}")
    return _transposed(product, [own.index(a) for a in output])


def _product(x: Any, x_labels: str, y: Any, y_labels: str, summed: set[str]) -> tuple[Tensor, str]:
    """The product of two tensors, and its labels: shared ones first. A batch of matrix products if any are summed."""
    for t, own in ((x, x_labels), (y, y_labels)):
        dims = t.get_shape()._dims
        if dims is None or len(dims) != len(own):
            raise ValueError(f"A tensor of shape {shapes.text(dims)} does not match einsum labels {own!r}")
    shared = (set(x_labels) & set(y_labels)) - summed
    x_order = sorted(x_labels, key=lambda a: (-1 if a in shared else 1 if a in summed else 0, a))
    y_order = sorted(y_labels, key=lambda a: (-1 if a in shared else 0 if a in summed else 1, a))
    x = _transposed(x, [x_labels.index(a) for a in x_order])
    y = _transposed(y, [y_labels.index(a) for a in y_order])
    n = len(shared)
    x_own, y_own = len(x_order) - n - len(summed), len(y_order) - n - len(summed)
    product_labels = "".join(x_order[: n + x_own] + y_order[n + len(summed) :])
    if not summed:
        for _ in range(y_own):
            x = array.expand_dims(x, -1)
        for _ in range(x_own):
            y = array.expand_dims(y, n)
        return math.multiply(x, y), product_labels
    x_sizes, y_sizes = _sizes(x), _sizes(y)
    inner = _product_of(x_sizes[n + x_own :])
    x = _reshaped(x, [*x_sizes[:n], _product_of(x_sizes[n : n + x_own]), inner])
    y = _reshaped(y, [*y_sizes[:n], _product_of(y_sizes[n : n + len(summed)]), _product_of(y_sizes[n + len(summed) :])])
    product = math.matmul(x, y)
    return _reshaped(product, x_sizes[: n + x_own] + y_sizes[len(y_sizes) - y_own :]), product_labels


def _sizes(x: Tensor) -> list[Any]:
    """The sizes of `x`: numbers where they are known, else tensors."""
    sizes: list[Any] = list(x.get_shape()._dims)  # type: ignore[arg-type]
    if None in sizes:
        shape = array.shape(x)
        sizes = [shape[i] if d is None else d for i, d in enumerate(sizes)]
    return sizes


def _product_of(sizes: Sequence[Any]) -> Any:
    result: Any = 1
    for size in sizes:
        result = result * size
    return result


def _transposed(x: Any, order: list[int]) -> Any:
    return x if order == list(range(len(order))) else array.transpose(x, perm=order)


def _reshaped(x: Tensor, sizes: list[Any]) -> Tensor:
    have = x.get_shape()._dims
    if have is not None and len(have) == len(sizes):
        if all(not isinstance(n, Tensor) and d == n for d, n in zip(have, sizes, strict=True)):
            return x
    return array.reshape(x, tuple(sizes))


def _all_at_once(labels: list[str], output: str, inputs: list[Any]) -> Tensor:
    """All inputs multiplied with all axes side by side, then summed: for labels summed over more than two inputs."""
    order = sorted(set("".join(labels)) - set(output)) + list(output)
    expanded = []
    for x, own in zip(inputs, labels, strict=True):
        dims = x.get_shape()._dims
        if dims is None or len(dims) != len(own):
            raise ValueError(f"A tensor of shape {shapes.text(dims)} does not match einsum labels {own!r}")
        x = _transposed(x, [own.index(a) for a in sorted(own, key=order.index)])
        sizes = _sizes(x)
        expanded.append(array.reshape(x, [sizes.pop(0) if a in own else 1 for a in order]))
    _check_sizes(order, labels, inputs)
    product = expanded[0]
    for x in expanded[1:]:
        product = product * x
    return math.reduce_sum(product, list(range(len(order) - len(output))))


def _check_sizes(order: list[str], labels: list[str], inputs: list[Any]) -> None:
    for a in order:
        sizes = {x.get_shape()._dims[own.index(a)] for x, own in zip(inputs, labels, strict=True) if a in own}
        if len(sizes - {None, 1}) > 1:
            raise ValueError(f"Dimension mismatch on axis: {a}")
