"""Looking at values while a graph runs: `tf.Print` and `tf.print`."""

import sys
from typing import Any

import numpy as np

from thalweg._src.core import nest
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import string
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.opdef import Mixed, op, type_attr
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.reports.checks import number_text, summary

T = type_attr("T")


@op("Print", effect="host", host=True)
def _print(input: T, data: Mixed("U", 0), *, message: str = "", first_n: int = -1, summarize: int = 3, ctx) -> T:
    """`input`; as it passes, `message` and `data` go to standard error."""
    counter = ctx.resource(("printed", ctx.op.name), lambda: [0])
    counter[0] += 1
    if first_n < 0 or counter[0] <= first_n:
        sys.stderr.write(message + "".join(f"[{summary(d, summarize)}]" for d in data) + "\n")
        sys.stderr.flush()
    return input


@_print.shape_rule
def _(node):
    return [node.inputs[0].dims]


@_print.grad
def _(node, *grads):
    return [*grads, *[None] * (len(node.inputs) - 1)]


def Print(
    input_: Any,
    data: Any,
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Tensor:
    """`input_`; whenever it is computed, `message` and the first `summarize` entries of each of `data` go to standard error.

    With `first_n`, only the first so many times.
    """
    return _print(
        input_,
        [to_tensor(d) for d in data],
        message=message or "",
        first_n=-1 if first_n is None else first_n,
        summarize=3 if summarize is None else summarize,
        name=name,
    )


@op("PrintV2", effect="host", host=True)
def _print_v2(input: string, *, output_stream: str = "stderr", end: str = "\n"):
    """Write a string to a stream, to a log, or to the end of a file ('file://path')."""
    text = np.asarray(input)[()].decode("utf-8", "replace") + end
    if output_stream.startswith("file://"):
        with open(output_stream[7:], "a", encoding="utf-8") as file:
            file.write(text)
        return
    stream = sys.stdout if output_stream == "stdout" else sys.stderr
    prefix = {"log(info)": "INFO: ", "log(warning)": "WARNING: ", "log(error)": "ERROR: "}.get(output_stream, "")
    stream.write(prefix + text)
    stream.flush()


@_print_v2.shape_rule
def _(node):
    return []


@op("StringFormat", host=True)
def _string_format(
    inputs: Mixed("T", 0), *, template: str = "%s", placeholder: str = "%s", summarize: int = 3
) -> string:
    """`template` with each placeholder replaced by an input."""
    parts = template.split(placeholder)
    out = parts[0]
    for value, part in zip(inputs, parts[1:], strict=True):
        out += _nested(np.asarray(value), summarize) + part
    return np.array(out.encode(), object)


@_string_format.shape_rule
def _(node):
    return [()]


def _nested(value: np.ndarray, summarize: int, depth: int = 1) -> str:
    """A value with brackets for its axes; long axes keep their first and last `summarize` entries."""
    if value.ndim == 0:
        element = value[()]
        if isinstance(element, bytes):
            return '"' + element.decode("utf-8", "replace") + '"'
        return number_text(element)
    parts = [np.asarray(p) for p in value]
    if summarize >= 0 and len(parts) > 2 * summarize:
        shown = (
            [_nested(p, summarize, depth + 1) for p in parts[:summarize]]
            + ["..."]
            + [_nested(p, summarize, depth + 1) for p in parts[-summarize:]]
        )
    else:
        shown = [_nested(p, summarize, depth + 1) for p in parts]
    gap = " " if value.ndim == 1 else "\n" * (value.ndim - 1) + " " * depth
    return "[" + gap.join(shown) + "]"


def string_format(
    template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None
) -> Tensor:
    """`template` with each `placeholder` replaced by one of `inputs`. Raises ValueError where their numbers differ."""
    if isinstance(inputs, Tensor) or not isinstance(inputs, list | tuple):
        inputs = [inputs]
    if template.count(placeholder) != len(inputs):
        raise ValueError(
            f"{template.count(placeholder)} placeholder(s) in template does not match {len(inputs)} tensor(s) provided as input"
        )
    return _string_format(list(inputs), template=template, placeholder=placeholder, summarize=summarize, name=name)


_STREAMS = ("stdout", "stderr", "log(info)", "log(warning)", "log(error)")


def print_(*inputs: Any, **kwargs: Any) -> Operation:
    """An operation that prints `inputs` (tensors and anything else) when it runs.

    `output_stream`: sys.stderr, sys.stdout, a tf.logging function or 'file://path'; `summarize`, `sep`, `end`, `name` as in Python's print.
    Raises ValueError for another stream or argument.
    """
    stream = _stream_name(kwargs.pop("output_stream", sys.stderr))
    name, summarize = kwargs.pop("name", None), kwargs.pop("summarize", 3)
    sep, end = kwargs.pop("sep", " "), kwargs.pop("end", "\n")
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments for tf.print: {kwargs}")
    single = inputs[0] if len(inputs) == 1 else None
    if isinstance(single, Tensor) and single.dtype == string and single.dims == ():
        return _print_v2(single, output_stream=stream, end=end, name=name)
    tensors: list[Tensor] = []
    template = sep.join(_template(i, tensors) for i in inputs)
    mark = "{}" if template.count(_MARK) == len(tensors) and "{}" not in template else _MARK
    text = string_format(
        template.replace(_MARK, mark),
        tensors,
        placeholder=mark,
        summarize=-1 if summarize is None else summarize,
        name=None if name is None else name + "_format",
    )
    return _print_v2(text, output_stream=stream, end=end, name=name)


_MARK = "\x00value\x00"  # stands for a tensor in a template; no text that people print holds it


def _template(value: Any, tensors: list[Tensor]) -> str:
    if isinstance(value, SparseTensor):
        parts = (("indices", value.indices), ("values", value.values), ("shape", value.dense_shape))
        return "'SparseTensor(" + ", ".join(f"{name}={_template(t, tensors)}" for name, t in parts) + ")'"
    if isinstance(value, Tensor) or hasattr(value, "_as_graph_element"):
        tensors.append(to_tensor(value))
        return _MARK
    if nest.is_nested(value) and any(
        isinstance(v, Tensor | SparseTensor) or hasattr(v, "_as_graph_element") for v in nest.flatten(value)
    ):
        parts = [_template(p, tensors) for p in nest.parts(value)]
        if isinstance(value, dict):
            return "{" + ", ".join(f"{k!r}: {p}" for k, p in zip(sorted(value), parts, strict=True)) + "}"
        if hasattr(value, "_fields"):
            return (
                type(value).__name__
                + "("
                + ", ".join(f"{f}={p}" for f, p in zip(value._fields, parts, strict=True))
                + ")"
            )
        return (
            ("[" + ", ".join(parts) + "]")
            if isinstance(value, list)
            else "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"
        )
    return str(value)


def _stream_name(stream: Any) -> str:
    if isinstance(stream, str):
        if stream.startswith("file://") or stream in _STREAMS:
            return stream
    elif stream is sys.stdout or getattr(stream, "name", None) == "<stdout>":
        return "stdout"
    elif stream is sys.stderr or getattr(stream, "name", None) == "<stderr>":
        return "stderr"
    elif callable(stream):
        name = {"info": "log(info)", "warn": "log(warning)", "warning": "log(warning)", "error": "log(error)"}.get(
            getattr(stream, "__name__", "")
        )
        if name:
            return name
    raise ValueError(
        f"Unsupported output stream, logging level, or file: {stream}. It may be sys.stdout, sys.stderr, "
        "tf.logging.info, .warning or .error, or 'file://path'."
    )
