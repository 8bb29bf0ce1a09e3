"""Assertions in graphs: `tf.Assert`, `tf.assert_equal` and its kin, and checks of rank and type while the graph is built.

What is known while the graph is built is checked there. The rest becomes Assert ops; a step whose assertion fails changes nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, errors, scopes
from thalweg._src.core.apply import check
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.eager import label
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.infer import constant_value
from thalweg._src.core.opdef import Mixed, op
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math

KNOWN_BY_INPUTS = ("Range", "Cast", "Concat", "ConcatV2", "Pack", "Fill", "Equal", "NotEqual")


def _needs_host(node: Any) -> bool:
    return any(t.dtype.is_on_host and not t.op.opdef.constant for t in node.inputs)


@op("Assert", effect="check", host=_needs_host, foldable=False)
def _assert(condition: bool_, data: Mixed("T", 1), *, summarize: int = 3):
    """Fail the step with the values of `data` unless `condition` holds."""
    check(condition, lambda: "assertion failed: " + " ".join(f"[{summary(d, summarize)}]" for d in data))


@_assert.shape_rule
def _(node):
    if node.inputs[0].dims not in (None, ()):
        raise ValueError(
            f"Shape must be rank 0 but is rank {len(node.inputs[0].dims)} for '{node.name}' (op: 'Assert')"
        )


_assert.not_differentiable()


def summary(value: Any, count: int) -> str:
    """The first `count` elements of a value as TensorFlow prints them (all of them where `count` is negative)."""
    values = np.asarray(value)
    flat = [_escaped(v) if isinstance(v, bytes) else number_text(v) for v in values.ravel()]
    if values.ndim == 0:
        return flat[0]
    shown = flat if count < 0 else flat[:count]
    return " ".join(shown) + ("..." if len(shown) < len(flat) else "")


def _escaped(value: bytes) -> str:
    """A string as C writes it: quotes, backslashes and what is no printable ASCII behind a backslash."""
    return "".join(ESCAPES.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in value)


ESCAPES = {ord(c): "\\" + e for c, e in zip("\n\r\t\"'\\", "nrt\"'\\", strict=True)}


def number_text(value: Any) -> str:
    """A NumPy number as C++ shows it: reals with as few digits as tell it from its neighbours, of two choices.

    What is no number (a variant, a handle) is shown as Python does.
    """
    if not isinstance(value, np.generic):
        return " ".join(str(value).split())
    if value.dtype.kind == "f":
        value = np.float32(value) if value.dtype.itemsize == 2 else value
        few, many = (15, 17) if value.dtype.itemsize == 8 else (6, 9)
        short = f"{float(value):.{few}g}"
        return short if value.dtype.type(float(short)) == value or value != value else f"{float(value):.{many}g}"
    return str(int(value)) if value.dtype.kind == "b" else str(value)


def Assert(condition: Any, data: Sequence[Any], summarize: int | None = None, name: str | None = None) -> Operation:
    """An operation that fails with InvalidArgumentError and the values of `data` unless `condition` holds."""
    with scopes.name_scope(name, "Assert", [condition, *data]):
        shown = [to_tensor(d) for d in data]
        if all(t.dtype in (dtypes.string, dtypes.int32) for t in shown):
            shown = list(data)  # converted anew under the op's own name, as TensorFlow does for these types alone
        return _assert(condition, shown, summarize=3 if summarize is None else summarize, name="Assert")


# -- comparisons of two values


def _binary(
    symbol: str, default: str, compare: str, x: Any, y: Any, data: Any, summarize: Any, message: Any, name: Any
) -> Operation:
    with scopes.name_scope(name, default, [x, y]):
        x, y = to_tensor(x, name="x"), to_tensor(y, name="y")
        if x is y and compare == "equal":
            return basic.no_op()
        if data is None:
            data = [
                f"Condition x {symbol} y did not hold element-wise:",
                f"x ({label(x)}) = ",
                x,
                f"y ({label(y)}) = ",
                y,
            ]
        if message is not None:
            data = [message, *data]
        condition = math.reduce_all(getattr(math, compare)(x, y))
        if _known_early(x) and _known_early(y) and not constant_value(condition):
            raise errors.InvalidArgumentError(None, None, "\n".join(_shown(d) for d in data))
        return Assert(condition, data, summarize=summarize)


def _known_early(value: Any) -> bool:
    """Whether TensorFlow knows a tensor's value while it builds a graph: of a constant, a shape, or a few ops on those.

    A comparison of others fails in a run, even where we know its outcome already.
    """
    if type(value) is not Tensor:
        return True
    if constant_value(value) is None:
        return False
    return value.op.type in ("Const", "Shape", "Size", "Rank") or (
        value.op.type in KNOWN_BY_INPUTS and all(map(_known_early, value.op.inputs))
    )


def _shown(value: Any) -> str:
    known = constant_value(value) if isinstance(value, Tensor) else None
    return str(value if known is None else known)


def _comparison(symbol: str, default: str, compare: str, what: str) -> Callable[..., Operation]:
    def assertion(
        x: Any, y: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None
    ) -> Operation:
        return _binary(symbol, default, compare, x, y, data, summarize, message, name)

    assertion.__name__ = assertion.__qualname__ = default
    assertion.__doc__ = (
        f"Fail unless `x` {what} `y`, element by element. What is known already is checked now; see `Assert`."
    )
    return assertion


assert_equal = _comparison("==", "assert_equal", "equal", "equals")
assert_none_equal = _comparison("!=", "assert_none_equal", "not_equal", "differs from")
assert_less = _comparison("<", "assert_less", "less", "is less than")
assert_less_equal = _comparison("<=", "assert_less_equal", "less_equal", "is at most")
assert_greater = _comparison(">", "assert_greater", "greater", "is greater than")
assert_greater_equal = _comparison(">=", "assert_greater_equal", "greater_equal", "is at least")


def _signed(symbol: str, default: str, assertion: Any, zero_first: bool) -> Callable[..., Operation]:
    def signed(x: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None) -> Operation:
        message = message or ""
        with scopes.name_scope(name, default, [x]):
            x = to_tensor(x, name="x")
            if data is None:
                data = [message, f"Condition x {symbol} 0 did not hold element-wise:", f"x ({label(x)}) = ", x]
            zero = to_tensor(0, x.dtype.base_dtype)
            first, second = (zero, x) if zero_first else (x, zero)
            return assertion(first, second, data=data, summarize=summarize)

    signed.__name__ = signed.__qualname__ = default
    signed.__doc__ = f"Fail unless `x` {symbol} 0, element by element."
    return signed


assert_negative = _signed("<", "assert_negative", assert_less, False)
assert_positive = _signed(">", "assert_positive", assert_less, True)
assert_non_negative = _signed(">=", "assert_non_negative", assert_less_equal, True)
assert_non_positive = _signed("<=", "assert_non_positive", assert_less_equal, False)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    data: Any = None,
    summarize: Any = None,
    message: Any = None,
    name: Any = None,
) -> Operation:
    """Fail unless |x - y| < atol + rtol * |y|, element by element; both tolerances are ten times the type's epsilon unless given."""
    with scopes.name_scope(name, "assert_near", [x, y, rtol, atol]):
        x = to_tensor(x, name="x")
        y = to_tensor(y, x.dtype.base_dtype if not isinstance(y, Tensor) else None, "y")
        import ml_dtypes

        eps = float(ml_dtypes.finfo(x.dtype.numpy_dtype).eps)
        rtol = to_tensor(10 * eps if rtol is None else rtol, x.dtype.base_dtype, "rtol")
        atol = to_tensor(10 * eps if atol is None else atol, x.dtype.base_dtype, "atol")
        if data is None:
            data = [
                message or "",
                f"x and y not equal to tolerance rtol = {rtol}, atol = {atol}",
                f"x ({label(x)}) = ",
                x,
                f"y ({label(y)}) = ",
                y,
            ]
        close = math.less(math.abs(x - y), atol + rtol * math.abs(y))
        return Assert(math.reduce_all(close), data, summarize=summarize)


# -- ranks and types


def _ranks(
    default: str,
    words: str,
    x: Any,
    ranks: Sequence[Any],
    holds: Any,
    dynamic: Any,
    data: Any,
    summarize: Any,
    message: Any,
    name: Any,
) -> Operation:
    """Check the rank of `x`: now if it is known, else when it runs."""
    with scopes.name_scope(name, default, [x, *ranks, *(data or [])]):
        x = to_tensor(x, name="x")
        ranks = [to_tensor(r, name="rank") for r in ranks]
        message = message or ""
        if data is None:
            data = [message, f"Tensor {label(x)} must have {words}", *ranks, "Received shape: ", array.shape(x)]
        for r in ranks:
            assert_type(r, dtypes.int32)
        known = [constant_value(r) for r in ranks]
        if all(k is not None for k in known):
            if any(k.ndim for k in known):
                raise ValueError("Rank must be a scalar.")
            if x.dims is not None:
                if not holds(len(x.dims), [int(k) for k in known]):
                    wanted = str(tuple(int(k) for k in known)) if default == "assert_rank_in" else str(int(known[0]))
                    raise ValueError(
                        f"{message}.  Tensor {label(x)} must have {words} {wanted}.  Received rank {len(x.dims)}, shape {x.shape}"
                    )
                return basic.no_op(name="static_checks_determined_all_ok")
        condition = dynamic(array.rank(x), ranks)
        for r, k in zip(ranks, known, strict=True):
            if k is None:
                scalar = assert_rank(r, 0, data=["Rank must be a scalar. Received rank: ", r])
                condition = basic.with_dependencies([scalar], condition)
        return Assert(condition, data, summarize=summarize)


def assert_rank(
    x: Any, rank: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None
) -> Operation:
    """Fail unless `x` has rank `rank`. Raises ValueError now where the rank is known to be another."""
    return _ranks(
        "assert_rank",
        "rank",
        x,
        [rank],
        lambda n, r: n == r[0],
        lambda n, r: math.equal(n, r[0]),
        data,
        summarize,
        message,
        name,
    )


def assert_rank_at_least(
    x: Any, rank: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None
) -> Operation:
    """Fail unless `x` has rank `rank` or more. Raises ValueError now where the rank is known to be less."""
    return _ranks(
        "assert_rank_at_least",
        "rank at least",
        x,
        [rank],
        lambda n, r: n >= r[0],
        lambda n, r: math.greater_equal(n, r[0]),
        data,
        summarize,
        message,
        name,
    )


def assert_rank_in(
    x: Any, ranks: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None
) -> Operation:
    """Fail unless the rank of `x` is one of `ranks`. Raises ValueError now where it is known to be another."""

    def one_of(n: Tensor, given: list[Tensor]) -> Tensor:
        if not given:
            return to_tensor(False)
        found = math.equal(given[0], n)
        for r in given[1:]:
            found = math.logical_or(found, math.equal(r, n))
        return found

    return _ranks(
        "assert_rank_in", "rank in", x, list(ranks), lambda n, r: n in r, one_of, data, summarize, message, name
    )


def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Tensor:
    """`tensor`; ValueError unless it is known to be a scalar."""
    with scopes.name_scope(name, "assert_scalar", [tensor]) as scope:
        tensor = to_tensor(tensor, name=scope)
        if tensor.dims != ():
            raise ValueError(f"{message or ''}Expected scalar shape for {label(tensor)}, saw shape: {tensor.shape}.")
        return tensor


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Raises TypeError unless `x` has an integer type."""
    with scopes.name_scope(name, "assert_integer", [x]):
        x = to_tensor(x, name="x")
        if not x.dtype.is_integer:
            raise TypeError(
                f'{message or ""}  Expected "x" to be integer type.  Found: {label(x)} of dtype {x.dtype!r}'
            )
        return basic.no_op("statically_determined_was_integer")


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Raises TypeError unless `tensor` has the dtype `tf_type`."""
    with scopes.name_scope(name, "assert_type", [tensor]):
        tensor = to_tensor(tensor, name="tensor")
        if tensor.dtype.base_dtype != tf_type:
            raise TypeError(f"{message or ''}  {label(tensor)} must be of type {dtypes.as_dtype(tf_type)!s}")
        return basic.no_op("statically_determined_correct_type")


def assert_proper_iterable(values: Any) -> None:
    """Raises TypeError for what can't be gone through element by element: tensors, strings, arrays."""
    if isinstance(values, Tensor | np.ndarray | bytes | str) or hasattr(values, "_components"):
        raise TypeError(f"Expected argument 'values' to be a 'proper' iterable.  Found: {type(values)}")
    if not hasattr(values, "__iter__"):
        raise TypeError(f"Expected argument 'values' to be iterable.  Found: {type(values)}")


def is_numeric_tensor(tensor: Any) -> bool:
    """Whether `tensor` is a Tensor of numbers."""
    return isinstance(tensor, Tensor) and tensor.dtype.base_dtype in dtypes.NUMBERS


def _steps(x: Any) -> Tensor:
    """x[1:] - x[:-1], of the elements of x in order."""
    x = array.reshape(to_tensor(x), [-1])
    if not is_numeric_tensor(x):
        raise TypeError(f"Expected x to be numeric, instead found: {x}")
    return x[1:] - x[:-1]


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether no element of `x` is greater than the next. Raises TypeError unless `x` holds numbers."""
    with scopes.name_scope(name, "is_non_decreasing", [x]):
        steps = _steps(x)
        return math.reduce_all(math.less_equal(to_tensor(0, steps.dtype), steps))


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether every element of `x` is less than the next. Raises TypeError unless `x` holds numbers."""
    with scopes.name_scope(name, "is_strictly_increasing", [x]):
        steps = _steps(x)
        return math.reduce_all(math.less(to_tensor(0, steps.dtype), steps))


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> dtypes.DType:
    """The one floating-point type of all `tensors` (and `dtype`); float32 if there are none. Raises ValueError for others."""
    expected = None if dtype is None else dtypes.as_dtype(dtype).base_dtype
    for t in tensors or []:
        if t is None:
            continue
        found = t.dtype.base_dtype
        if expected is None:
            expected = found
        elif found != expected:
            name = getattr(t, "name", str(t))
            first = "" if dtype is not None else f" (as is {getattr(tensors[0], 'name', tensors[0])})"
            raise ValueError(f"{name} has type {found!r}, expected {expected!r}{first}.")
    expected = dtypes.float32 if expected is None else expected
    if not expected.is_floating:
        raise ValueError(f"Expected floating point type, got {expected!r}.")
    return expected


# -- shapes with symbols for sizes


def assert_shapes(
    shapes: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None
) -> Operation:
    """Fail unless tensors have the given shapes: pairs (tensor, sizes), where a size is a number, a symbol that means the same size
    wherever it stands, or None or '.' for any; a first entry `...` or '*' stands for any number of sizes.

    Raises ValueError now for what is known to be wrong.
    """
    pairs = shapes.items() if isinstance(shapes, dict) else shapes
    message = message or ""
    with scopes.name_scope(name, "assert_shapes"):
        wanted = [(to_tensor(x), _sizes_of(to_tensor(x), s, message)) for x, s in pairs if s is not None]
        checks = []
        for x, (open_ended, symbols) in wanted:
            rank = len(symbols)
            options = {"data": data, "summarize": summarize, "message": message, "name": name}
            if open_ended and rank > 1:
                checks.append(assert_rank_at_least(x, rank, **options))
            elif not open_ended:
                checks.append(assert_rank_in(x, [0, 1], **options) if rank <= 1 else assert_rank(x, rank, **options))
        with get_default_graph().control_dependencies(checks):
            return basic.group(*_check_sizes(wanted, data, summarize, message))


def _sizes_of(x: Tensor, sizes: Any, message: str) -> tuple[bool, tuple[Any, ...]]:
    if not hasattr(sizes, "__iter__") and not hasattr(sizes, "__getitem__"):
        raise ValueError(
            f"{message}.  Tensor {label(x)}.  Specified shape must be an iterable.  An iterable has the attribute `__iter__` or "
            f"`__getitem__`.  Received specified shape: {sizes}"
        )
    symbols = tuple(sizes)
    for i, s in enumerate(symbols):
        if i and (s is Ellipsis or (isinstance(s, str) and s == "*")):
            raise ValueError(
                f"{message}.  Tensor {label(x)} specified shape index {i}.  Symbol `...` or `*` for a variable number of unspecified "
                "dimensions is only allowed as the first entry"
            )
    open_ended = bool(symbols) and (symbols[0] is Ellipsis or (isinstance(symbols[0], str) and symbols[0] == "*"))
    return open_ended, (symbols[1:] if open_ended else symbols) or (1,)


def _check_sizes(wanted: Any, data: Any, summarize: Any, message: str) -> list[Operation]:
    found: dict[Any, tuple[Any, Tensor, int]] = {}
    out = []
    for x, (open_ended, symbols) in wanted:
        actual = _actual_sizes(x)
        for i, symbol in enumerate(symbols):
            if symbol is None or (isinstance(symbol, str) and symbol == "."):
                continue
            at = i - len(symbols) if open_ended else i
            size = actual[at]
            number = _as_number(symbol)
            if number is None and symbol not in found:
                found[symbol] = (size, x, at)
                continue
            expected, why = (
                (number, "Specified explicitly")
                if number is not None
                else (
                    found[symbol][0],
                    f"Specified by tensor {label(found[symbol][1])} dimension {found[symbol][2]}",
                )
            )
            if isinstance(size, int) and isinstance(expected, int):
                if size != expected:
                    raise ValueError(
                        f"{message}.  {why}.  Tensor {label(x)} dimension {at} must have size {expected}.  Received size {size}, "
                        f"shape {x.shape}"
                    )
                continue
            shown = data or [
                message,
                why,
                f"Tensor {label(x)} dimension",
                at,
                "must have size",
                expected,
                "Received shape: ",
                array.shape(x),
            ]
            out.append(Assert(math.equal(to_tensor(size), to_tensor(expected)), shown, summarize=summarize))
    return out


def _as_number(symbol: Any) -> int | None:
    try:
        return int(symbol)
    except (TypeError, ValueError):
        return None


def _actual_sizes(x: Tensor) -> Any:
    """The sizes of `x`: numbers where they are known, tensors otherwise; a scalar counts as one element."""
    if x.dims == ():
        return (1,)
    dynamic = array.shape(x)
    if x.dims is not None:
        return [dynamic[i] if d is None else d for i, d in enumerate(x.dims)]
    from thalweg._src.ops.control.control_flow import cond

    return cond(math.equal(array.rank(x), 0), lambda: to_tensor([1]), lambda: dynamic)
