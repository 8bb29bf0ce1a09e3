"""Strings element by element: join, length, case, strip, substr, reduce_join, regular expressions."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import errors, infer, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import int32, int64, string
from thalweg._src.core.graph import Tensor
from thalweg._src.core.infer import same_shape
from thalweg._src.core.opdef import Enum, Many, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.shaping import rank
from thalweg._src.ops.late import math

UNIT = Enum("BYTE", "UTF8_CHAR")
INTS = (int32, int64)


def texts(values: Any, dims: Any) -> Any:
    """A NumPy array of byte strings of shape `dims`."""
    out = np.empty(len(values), object)
    out[:] = values
    return out.reshape(dims)


def each(f: Callable[[bytes], bytes], x: Any) -> Any:
    """`f` of every string of `x`."""
    return texts([f(s) for s in x.ravel()], x.shape)


# -- join


@op("StringJoin", host=True, numpy_only=True)
def _join(inputs: Many(string, "N", 1), *, separator: str = "") -> string:
    """The strings at the same places, one after the other; scalars go to every place."""
    dims = next((x.shape for x in inputs if x.ndim), ())
    for x in inputs:
        if x.ndim and x.shape != dims:
            raise ValueError(f"Input shapes do not match: {shapes.text(dims)} vs. {shapes.text(x.shape)}")
    columns = [np.broadcast_to(x, dims).ravel() for x in inputs]
    between = _as_bytes(separator)
    return texts([between.join(row) for row in zip(*columns, strict=True)], dims)


def _as_bytes(value: Any) -> bytes:
    return value.encode("utf-8") if isinstance(value, str) else value


@_join.shape_rule
def _(op):
    if all(t.dims == () for t in op.inputs):
        return [()]
    dims: Any = None
    for t in op.inputs:
        if t.dims:
            dims = shapes.merged(dims, t.dims)
    return [dims]


@dispatched
def string_join(inputs: Any, separator: str = "", name: str | None = None) -> Tensor:
    """The strings at the same places of several tensors, with `separator` between; scalars go to every place.

    >>> run(tf.string_join([["a", "b"], "c"], separator="-"))
    array([b'a-c', b'b-c'], dtype=object)
    """
    return _join(inputs, separator=separator, name=name)


@op("ReduceJoin", host=True, numpy_only=True)
def _reduce_join(inputs: string, reduction_indices: int32, *, keep_dims: bool = False, separator: str = "") -> string:
    """The strings along some axes joined to one; along the axis that is named first neighbours stay neighbours."""
    axes = []
    for a in np.ravel(reduction_indices).tolist():
        if not -inputs.ndim <= a < inputs.ndim:
            raise errors.OutOfRangeError(
                None, None, f"Invalid reduction dimension {a} for input with {inputs.ndim} dimension(s)"
            )
        if a % inputs.ndim in axes:
            raise ValueError(f"Duplicate reduction dimension {a}")
        axes.append(a % inputs.ndim)
    kept = [i for i in range(inputs.ndim) if i not in axes]
    between = _as_bytes(separator)
    sizes = tuple(inputs.shape[i] for i in kept)
    lengths = [inputs.shape[i] for i in axes]
    rows = inputs.transpose(kept + axes[::-1]).reshape(int(np.prod(sizes)), int(np.prod(lengths)))
    dims = [1 if i in axes else n for i, n in enumerate(inputs.shape)] if keep_dims else sizes
    return texts([between.join(row) for row in rows], dims)


@_reduce_join.shape_rule
def _(op):
    dims, axes = op.inputs[0].dims, infer.constant_value(op.inputs[1])
    if dims is None:
        return [None]
    keep = op.attrs["keep_dims"]
    if axes is None:
        return [(None,) * len(dims) if keep else None]
    reduced = set()
    for a in np.ravel(axes).tolist():
        if not -len(dims) <= a < len(dims):
            raise ValueError(f"Invalid reduction dimension {a} for input with {len(dims)} dimensions.")
        reduced.add(a % len(dims))
    if keep:
        return [tuple(1 if i in reduced else d for i, d in enumerate(dims))]
    return [tuple(d for i, d in enumerate(dims) if i not in reduced)]


@dispatched
def reduce_join(
    inputs: Any,
    axis: Any = None,
    keep_dims: Any = None,
    separator: str = "",
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """The strings along `axis` joined to one, by default all in row-major order.

    >>> run(tf.reduce_join([["a", "b"], ["c", "d"]], 1))
    array([b'ab', b'cd'], dtype=object)
    """
    keep = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    with name_scope(None, "ReduceJoin", [inputs, axis]):
        inputs = to_tensor(inputs)
        if axis is None and inputs.dims is not None:
            axis = constants.constant(np.arange(len(inputs.dims) - 1, -1, -1), int32)
        elif axis is None:
            axis = math.range(rank(inputs) - 1, -1, -1)
        return _reduce_join(inputs, axis, keep_dims=bool(keep), separator=separator, name=name)


# -- length, case, strip


def _starts(s: bytes) -> list[int]:
    """Where the characters of UTF-8 begin."""
    return [i for i, b in enumerate(s) if b & 0xC0 != 0x80]


@op("StringLength", host=True, numpy_only=True)
def _length(input: string, *, unit: UNIT = "BYTE") -> int32:
    """The number of bytes, or of characters in UTF-8."""
    count = len if unit == "BYTE" else lambda s: len(_starts(s))
    return np.array([count(s) for s in input.ravel()], np.int32).reshape(input.shape)


@dispatched
def string_length(input: Any, name: str | None = None, unit: str = "BYTE") -> Tensor:
    """The number of bytes of each string, or with `unit="UTF8_CHAR"`, of characters.

    >>> run(tf.strings.length(["Hello", ""]))
    array([5, 0], dtype=int32)
    """
    return _length(input, unit=unit, name=name)


def _cased(x: Any, encoding: str, f: str) -> Any:
    if encoding not in ("", "utf-8"):
        raise ValueError("encoding must be '' or 'utf-8'")
    if encoding:
        return each(lambda s: getattr(s.decode("utf-8", "replace"), f)().encode("utf-8"), x)
    return each(lambda s: getattr(s, f)(), x)


@op("StringLower", host=True, numpy_only=True)
def _lower(input: string, *, encoding: str = "") -> string:
    """Letters in lower case."""
    return _cased(input, encoding, "lower")


@op("StringUpper", host=True, numpy_only=True)
def _upper(input: string, *, encoding: str = "") -> string:
    """Letters in upper case."""
    return _cased(input, encoding, "upper")


@op("StringStrip", host=True, numpy_only=True)
def string_strip(input: string) -> string:
    """Strings without white space at their ends.

    >>> run(tf.strings.strip([" a ", "b"]))
    array([b'a', b'b'], dtype=object)
    """
    return each(bytes.strip, input)


for _unchanged in (_length, _lower, _upper, string_strip):
    _unchanged.shape_rule(same_shape)


def string_lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Strings with their letters in lower case: those of ASCII, or with `encoding="utf-8"`, all."""
    return _lower(input, encoding=encoding, name=name)


def string_upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Strings with their letters in upper case: those of ASCII, or with `encoding="utf-8"`, all."""
    return _upper(input, encoding=encoding, name=name)


# -- substr


@op("Substr", host=True, numpy_only=True)
def _substr(input: string, pos: type_attr("T", INTS), len: type_attr("T", INTS), *, unit: UNIT = "BYTE") -> string:
    """Parts of strings, from `pos` on and at most `len` long."""
    try:
        s, p, n = np.broadcast_arrays(input, pos, len)
    except ValueError:
        raise ValueError(f"Incompatible shapes: {shapes.text(input.shape)} vs. {shapes.text(pos.shape)}") from None
    parts = zip(s.ravel(), p.ravel().tolist(), n.ravel().tolist(), strict=True)
    return texts([_part(i, *part, unit) for i, part in enumerate(parts)], s.shape)


def _part(i: int, s: bytes, pos: int, count: int, unit: str) -> bytes:
    starts = list(range(len(s))) if unit == "BYTE" else _starts(s)
    n = len(starts)
    if not -n <= pos <= n:
        raise ValueError(f"pos {pos} out of range for string" + (f" b'{s.decode('latin1')}'" if unit == "BYTE" else "")
                         + f" at index {i}")  # fmt: skip
    begin = pos + n if pos < 0 else pos
    ends = [*starts, len(s)]
    return s[ends[begin] : ends[n if count < 0 else min(n, begin + count)]]


@_substr.shape_rule
def _(op):
    s, pos, n = (t.dims for t in op.inputs)
    if pos is not None and n is not None:
        shapes.of_rank(pos, len(n))
        for a, b in zip(pos, n, strict=True):
            if a is not None and b is not None and a != b:
                raise ValueError(f"pos and len shapes must match: {shapes.text(pos)} vs. {shapes.text(n)}")
    dims = shapes.broadcast(s, pos)
    if dims is False:
        raise ValueError(f"Incompatible shapes for broadcasting: {shapes.text(s)} and {shapes.text(pos)}")
    return [dims]


@dispatched
def substr(input: Any, pos: Any, len: Any, name: str | None = None, unit: str = "BYTE") -> Tensor:
    """Parts of strings: at most `len` bytes (or characters) from `pos` on; a negative `pos` counts from the end.

    Raises InvalidArgumentError in the run where `pos` is outside of a string.

    >>> run(tf.substr(["Hello", "World"], 1, 3))
    array([b'ell', b'orl'], dtype=object)
    """
    return _substr(input, pos, len, unit=unit, name=name)


# -- regular expressions. Patterns are RE2's, which is Python's but for a few names.

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7F",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1F\\x7F",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}


def _compiled(pattern: Any) -> re.Pattern[bytes]:
    raw = _as_bytes(pattern)
    text = re.sub(rb"\[:(\w+):\]", lambda m: _CLASSES.get(m[1].decode(), m[0].decode()).encode(), raw)
    text = text.replace(rb"\z", rb"\Z").replace(rb"\C", rb"[\s\S]")
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"Invalid pattern: {raw.decode('utf-8', 'replace')}, error: {error}") from None


def _rewriter(rewrite: Any, groups: int) -> Callable[[re.Match[bytes]], bytes]:
    r"""The function of a match that `rewrite` stands for: \0 to \9 are groups, \\ is a backslash.

    What follows a group that the pattern has not is dropped, as RE2 drops it.
    """
    parts = re.split(rb"\\([\s\S]?)", _as_bytes(rewrite))

    def replace(match: re.Match[bytes]) -> bytes:
        out = parts[0]
        for escaped, plain in zip(parts[1::2], parts[2::2], strict=True):
            if escaped != b"\\" and not (escaped.isdigit() and int(escaped) <= groups):
                break
            out += (b"\\" if escaped == b"\\" else match[int(escaped)] or b"") + plain
        return out

    return replace


def _replace_all(pattern: re.Pattern[bytes], replace: Callable[[re.Match[bytes]], bytes], s: bytes) -> bytes:
    """RE2's GlobalReplace: there is no empty match right behind another match."""
    out, at, last_end = b"", 0, -1
    while at <= len(s):
        match = pattern.search(s, at)
        if match is None:
            break
        out += s[at : match.start()]
        if match.start() == match.end() == last_end:
            out += s[at : at + 1]
            at += 1
            continue
        out += replace(match)
        at = last_end = match.end()
    return out + s[at:]


def _full_match(x: Any, pattern: Any) -> Any:
    compiled = _compiled(pattern)
    return np.array([compiled.fullmatch(s) is not None for s in x.ravel()], bool).reshape(x.shape)


def _replaced(x: Any, pattern: Any, rewrite: Any, everywhere: bool) -> Any:
    compiled = _compiled(pattern)
    replace = _rewriter(rewrite, compiled.groups)
    if everywhere:
        return each(lambda s: _replace_all(compiled, replace, s), x)
    return each(lambda s: compiled.sub(replace, s, count=1), x)


@op("RegexFullMatch", host=True, numpy_only=True)
def _regex_full_match(input: string, pattern: string) -> bool_:
    """Whether strings match a pattern from end to end."""
    return _full_match(input, pattern.item())


@op("StaticRegexFullMatch", host=True, numpy_only=True)
def _static_regex_full_match(input: string, *, pattern: str) -> bool_:
    """Whether strings match a pattern from end to end."""
    return _full_match(input, pattern)


@op("RegexReplace", host=True, numpy_only=True)
def _regex_replace(input: string, pattern: string, rewrite: string, *, replace_global: bool = True) -> string:
    """What matches a pattern, rewritten."""
    return _replaced(input, pattern.item(), rewrite.item(), replace_global)


@op("StaticRegexReplace", host=True, numpy_only=True)
def _static_regex_replace(input: string, *, pattern: str, rewrite: str, replace_global: bool = True) -> string:
    """What matches a pattern, rewritten."""
    return _replaced(input, pattern, rewrite, replace_global)


@_regex_full_match.shape_rule
def _(op):
    shapes.of_rank(op.inputs[1].dims, 0)
    return same_shape(op)


@_regex_replace.shape_rule
def _(op):
    shapes.of_rank(op.inputs[1].dims, 0)
    shapes.of_rank(op.inputs[2].dims, 0)
    return same_shape(op)


for _static in (_static_regex_full_match, _static_regex_replace):
    _static.shape_rule(same_shape)


@dispatched
def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Tensor:
    """Whether each string matches the regular expression `pattern` (RE2) from end to end."""
    if isinstance(pattern, str | bytes):
        return _static_regex_full_match(input, pattern=pattern, name=name)
    return _regex_full_match(input, pattern, name=name)


@dispatched
def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None
) -> Tensor:
    r"""Strings with what matches the regular expression `pattern` replaced by `rewrite`, where \1 to \9 are its groups.

    Only the first match is replaced where `replace_global` is False. Raises InvalidArgumentError in the run for patterns
    that are none.

    >>> run(tf.regex_replace(["a1b22"], "[0-9]+", "_"))
    array([b'a_b_'], dtype=object)
    """
    if isinstance(pattern, str | bytes) and isinstance(rewrite, str | bytes):
        return _static_regex_replace(input, pattern=pattern, rewrite=rewrite, replace_global=replace_global, name=name)
    return _regex_replace(input, pattern, rewrite, replace_global=replace_global, name=name)


for _string_op in (
    _join, _reduce_join, _length, _lower, _upper, string_strip, _substr,
    _regex_full_match, _static_regex_full_match, _regex_replace, _static_regex_replace,
):  # fmt: skip
    _string_op.not_differentiable()
