"""What rewritten functions call: tf.cond, tf.while_loop and the like where tensors of a graph decide, plain Python otherwise.

State is what the functions `get` and `put` pass: the values of the names that a branch or a loop changes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import nest
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import executing_eagerly, is_symbolic
from thalweg._src.core.funcgraph import FuncGraph, building
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.autograph.calls import converted as converted
from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.lib.data.experimental.transformations import scan, take_while
from thalweg._src.ops.arrays import constants, shaping
from thalweg._src.ops.arrays.scattering import tensor_scatter_update
from thalweg._src.ops.control import composites, control_flow, while_loop
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.numeric import compare
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful.variables import Variable

Get, Put = Callable[[], tuple], Callable[[Sequence[Any]], None]
_SCALARS = bool | int | float | complex | str | bytes


class Undefined:
    """Stands for a name that has no value yet. Any use raises UnboundLocalError."""

    def __init__(self, name: str):
        object.__setattr__(self, "_name", name)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise UnboundLocalError(f"'{object.__getattribute__(self, '_name')}' is used before assignment")

    __getattr__ = __call__ = __bool__ = __iter__ = __getitem__ = __len__ = __add__ = __radd__ = __sub__ = __mul__ = (
        _refuse
    )


class UndefinedResult(Undefined):
    """Stands for the result of a function that has not returned yet."""

    def __init__(self) -> None:
        super().__init__("the function's result")


def _decided(value: Any) -> Any:
    """A condition: a variable of a graph counts as its value."""
    return to_tensor(value) if isinstance(value, Variable) and not executing_eagerly() else value


def attribute(get: Callable[[], Any], name: str) -> Any:
    """The value of an attribute; Undefined if it is not there."""
    try:
        return get()
    except AttributeError:
        return Undefined(name)


# -- branches


def if_stmt(
    test: Any, then: Callable, otherwise: Callable, get: Get, put: Put, names: Sequence[str], needed: int
) -> None:
    """Run `then` or `otherwise`. Of the state, the first `needed` values are wanted behind it.

    Raises ValueError for a name that only one branch of a tf.cond gives a value, and TypeError where the types differ.
    """
    test = _decided(test)
    if not is_symbolic(test):
        (then if test else otherwise)()
        return
    before = get()
    made: list[Any] = []

    def branch(run: Callable[[], None], which: str) -> Callable[[], list[Tensor]]:
        def build() -> list[Tensor]:
            put(before)
            run()
            state = get()[:needed]
            _all_defined(state, names, which)
            made.append(_tensors(state))
            if len(made) == 2:
                _need_alike(names, made[0], made[1], _OF_BRANCHES)
            return composites.flatten(made[-1]) or [to_tensor(True)]

        return build

    found = control_flow.cond(test, branch(then, "if"), branch(otherwise, "else"), strict=True)
    put([*(composites.pack(made[0], found) if needed else []), *before[needed:]])


def _all_defined(state: Sequence[Any], names: Sequence[str], branch: str) -> None:
    if any(
        isinstance(v, UndefinedResult) or (n == "ag_result" and v is None) for n, v in zip(names, state, strict=False)
    ):
        raise ValueError(
            f"A value must also be returned from the {branch} branch. If a value is returned from one branch of a conditional a "
            "value must be returned from all branches."
        )
    undefined = tuple(n for n, v in zip(names, state, strict=False) if isinstance(v, Undefined))
    if undefined:
        raise ValueError(
            f"The following symbols must also be initialized in the {branch} branch: {undefined}. Alternatively, you may "
            "initialize them before the if statement."
        )


# What is said of values that differ: of their structures, and, with the name and both types, of their types.
_OF_BRANCHES = (
    "in the TRUE and FALSE branches",
    '"{}" has dtype {} in the TRUE branch, but dtype={} in the FALSE branch. '
    "TensorFlow control flow requires that they are the same.",
)
_OF_LOOPS = (
    "after one iteration",
    '"{}" has dtype {} before the loop, but dtype {} after one iteration. '
    "TensorFlow control flow requires it stays the same.",
)


def _need_alike(names: Sequence[str], one: Sequence[Any], other: Sequence[Any], messages: tuple[str, str]) -> None:
    """Raise TypeError, with one of `messages`, unless each value has the same structure and types in `one` and in `other`."""
    where, types_differ = messages
    for name, a, b in zip(names, one, other, strict=False):
        try:
            composites.same_structure(a, b)
        except (TypeError, ValueError) as error:
            raise TypeError(f'"{name}" does not have the same nested structure {where}.\n\n{error}') from None
        for x, y in zip(composites.flatten(a), composites.flatten(b), strict=True):
            if x.dtype.base_dtype != y.dtype.base_dtype:
                raise TypeError(types_differ.format(name, x.dtype.base_dtype.name, y.dtype.base_dtype.name))


def _tensors(state: Sequence[Any]) -> list[Any]:
    """The values of a state with tensors as leaves, but for TensorArrays and what is made of several tensors."""
    return [nest.map_leaves(_as_tensor, value) for value in state]


def _as_tensor(value: Any) -> Any:
    if isinstance(value, Variable) or not (isinstance(value, TensorArray) or hasattr(value, "_components")):
        return to_tensor(value)
    return value


def if_expression(test: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """`then() if test else otherwise()`."""
    test = _decided(test)
    if is_symbolic(test):
        return control_flow.cond(test, then, otherwise)
    return then() if test else otherwise()


# -- loops


def while_stmt(
    test: Callable[[], Any], body: Callable[[], None], get: Get, put: Put, names: Sequence[str], **options: Any
) -> None:
    """Run `body` while `test()` holds. What the first test gives says whether it is a tf.while_loop.

    Raises ValueError for names that have no value before a tf.while_loop.
    """
    if not executing_eagerly():
        # A graph of its own: this test must leave nothing behind.
        with building(FuncGraph("scratch", get_default_graph())):
            first = _decided(test())
        if is_symbolic(first):
            _loop(test, body, get, put, names, options)
            return
        if not first:
            return
        body()
    while test():
        body()


def for_stmt(
    values: Any,
    test: Callable[[], Any] | None,
    body: Callable[[Any], None],
    get: Get,
    put: Put,
    names: Sequence[str],
    **options: Any,
) -> None:
    """Run `body(value)` for each of `values` while `test()` holds: rows of a tensor, elements of a dataset, or Python's."""
    values = _decided(values)
    if is_symbolic(values):
        _loop_over_rows(values, test, body, get, put, names, options)
    elif isinstance(values, Dataset) and not executing_eagerly():
        _loop_over_elements(values, test, body, get, put, names)
    else:
        for value in values:
            if test is not None and not test():
                break
            body(value)


def _loop_over_rows(
    rows: Tensor, test: Any, body: Callable, get: Get, put: Put, names: Sequence[str], options: Any
) -> None:
    """A loop with a counter beside the state. Of a range only the counter is left."""
    if rows.op.type == "Range":
        first, end, step = rows.op.inputs
        row = lambda count: first + count * step
        size = shaping.size(rows)
    else:
        size = shaping.shape(rows)[0] if rows.dims is None or rows.dims[0] is None else to_tensor(rows.dims[0])
        array = TensorArray(rows.dtype, size=size, element_shape=rows.shape[1:]).unstack(rows)
        row = array.read
    count = to_tensor(0)

    def going() -> Any:
        more = compare.less(count, size)
        return more if test is None else and_(lambda: more, test)

    def turn() -> None:
        nonlocal count
        now = count
        body(row(now))
        count = now + 1

    def get_all() -> tuple:
        return (count, *get())

    def put_all(state: Sequence[Any]) -> None:
        nonlocal count
        count = state[0]
        put(state[1:])

    _loop(going, turn, get_all, put_all, ("the counter", *names), options)


def _loop(
    test: Callable[[], Any], body: Callable[[], None], get: Get, put: Put, names: Sequence[str], options: dict[str, Any]
) -> None:
    """tf.while_loop over the state."""
    before = get()
    _need_values(before, names)
    start = _tensors(before) or [to_tensor(0)]

    def with_state(run: Callable[[], Any]) -> Callable[..., Any]:
        def build(*state: Any) -> Any:
            put(state if before else ())
            return run()

        return build

    def turn() -> list[Any]:
        body()
        after = _tensors(get()) or [to_tensor(0)]
        _need_alike(names, start, after, _OF_LOOPS)
        return after

    found = while_loop.while_loop(with_state(test), with_state(turn), start, return_same_structure=True, **options)
    put(found if before else ())


def _need_values(state: Sequence[Any], names: Sequence[str]) -> None:
    if any(isinstance(v, UndefinedResult) for v in state):
        raise ValueError("return statements are not supported within a TensorFlow loop.")
    undefined = tuple(n for n, v in zip(names, state, strict=True) if isinstance(v, Undefined))
    if undefined:
        raise ValueError(f"TensorFlow requires that the following symbols must be defined before the loop: {undefined}")


def _loop_over_elements(values: Dataset, test: Any, body: Callable, get: Get, put: Put, names: Sequence[str]) -> None:
    """The state is what a dataset's elements are reduced to, until `test()` fails."""
    before = get()
    _need_values(before, names)
    start = tuple(_tensors(before)) or (to_tensor(0),)

    def turn(state: Any, value: Any) -> Any:
        put(state if before else ())
        body(value)
        return tuple(_tensors(get())) or state

    if test is None:
        found = values.reduce(start, turn)
    else:

        def step(state: Any, value: Any) -> Any:
            put(state if before else ())
            going = to_tensor(test())
            state = control_flow.cond(going, lambda: turn(state, value), lambda: state, strict=True)
            return state, (state, going)

        steps = values.apply(scan(start, step)).apply(take_while(lambda state, going: going))
        found = steps.reduce(start, lambda old, step: step[0])
    put(found if before else ())


# -- operators


def and_(a: Callable[[], Any], b: Callable[[], Any]) -> Any:
    """`a() and b()`, which asks for `b()` only where `a()` holds, also in a graph."""
    value = _decided(a())
    return control_flow.cond(value, b, lambda: value) if is_symbolic(value) else value and b()


def or_(a: Callable[[], Any], b: Callable[[], Any]) -> Any:
    """`a() or b()`"""
    value = _decided(a())
    return control_flow.cond(value, lambda: value, b) if is_symbolic(value) else value or b()


def not_(value: Any) -> Any:
    """`not value`"""
    value = _decided(value)
    return compare.logical_not(value) if is_symbolic(value) else not value


def assert_stmt(test: Any, message: Callable[[], Any]) -> None:
    """`assert test, message()`; of a tensor tf.Assert."""
    test = _decided(test)
    if is_symbolic(test):
        checks.Assert(test, [to_tensor(message())])
    elif not test:
        raise AssertionError(message())


def set_item(x: Any, i: Any, value: Any) -> Any:
    """`x` after `x[i] = value`: a tensor anew, anything else itself."""
    if is_symbolic(x):
        return tensor_scatter_update(x, constants.constant([[i]]) if isinstance(i, int) else [[i]], [value])
    operator.setitem(x, i, value)
    return x
