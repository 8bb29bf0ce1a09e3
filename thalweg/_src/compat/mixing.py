"""Arithmetic between arrays and numbers as NumPy computed it before version 2, in the source of a running program.

NumPy 1 looked at the value of a number: `np.sqrt(2.0) * a` had the type of the float32 array `a`, `pixels + 300` made
room for 300, and `np.uint8(3) - 5` was -2. NumPy 2 looks at types alone (NEP 50): float64, an OverflowError, 254. A
program's first weights then have the wrong type. Arrays are C objects that no hook reaches, so `a * b` in a program's
own modules becomes a call.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}
_NUMPY = "__thalweg_numpy__"
_IN_PLACE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.iadd,
    ast.Sub: operator.isub,
    ast.Mult: operator.imul,
    ast.Div: operator.itruediv,
}
_CATEGORIES = {
    "b": 0,
    "i": 1,
    "u": 1,
    "f": 2,
    "c": 2,
}  # a number changes an array's type only when it is of a higher one, or too large
_SIGNED = (np.int8, np.int16, np.int32, np.int64)


# The classes of arrays and of NumPy's numbers.
_KINDS = frozenset((np.ndarray, *(t for t in np.sctypeDict.values() if np.dtype(t).kind in _CATEGORIES)))


def _room_for(value: Any, dtype: np.dtype) -> np.dtype:
    """The type in which NumPy 1 computes with a number `value` and an array of `dtype`, whose category is not lower."""
    if dtype.kind in "iu" and isinstance(value, int):
        if np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
            return dtype
        if dtype.kind == "i":
            fits = [t for t in _SIGNED if np.iinfo(t).min <= value <= np.iinfo(t).max]
            return np.promote_types(dtype, fits[0] if fits else np.min_scalar_type(value))
    return np.promote_types(dtype, np.min_scalar_type(value))


def _beside_array(number: Any, array: np.ndarray) -> Any:
    """`number`, in a type that makes NumPy 2 compute with `array` in the type that NumPy 1 did."""
    of_numpy = isinstance(number, np.ndarray | np.generic)
    kind = number.dtype.kind if of_numpy else np.asarray(number).dtype.kind
    if (
        kind not in _CATEGORIES
        or array.dtype.kind not in _CATEGORIES
        or _CATEGORIES[kind] > _CATEGORIES[array.dtype.kind]
    ):
        return number
    if not of_numpy and (kind not in "iu" or array.dtype.kind not in "iu"):
        return number  # of Python's own numbers only large integers have become strict
    value = number.item() if of_numpy else number
    return _room_for(value, array.dtype).type(value)


def _beside_number(number: Any, other: np.ndarray | np.generic) -> Any:
    """Python's `number` in its own type: two numbers have no array whose type would win."""
    own = np.asarray(number).dtype
    return own.type(number) if own.kind in _CATEGORIES and other.dtype.kind in _CATEGORIES else number


def _as_before(a: Any, b: Any) -> tuple[Any, Any]:
    """Both operands, such that NumPy 2 computes with them in the type that NumPy 1 did."""
    if type(a) is type(b) and (type(a) is not np.ndarray or bool(a.ndim) == bool(b.ndim)):
        return a, b
    if type(b) is float and type(a) is np.ndarray and a.ndim:  # the most frequent one, and nothing has changed
        return a, b
    rows = [isinstance(x, np.ndarray) and x.ndim > 0 for x in (a, b)]
    plain = [isinstance(x, int | float | complex) and not isinstance(x, np.generic) for x in (a, b)]
    known = [p or isinstance(x, np.ndarray | np.generic) for p, x in zip(plain, (a, b), strict=True)]
    if all(rows) or not all(known):
        return a, b
    if rows[0]:
        return a, _beside_array(b, a)
    if rows[1]:
        return _beside_array(a, b), b
    if plain[1]:
        return a, _beside_number(b, a)
    return (_beside_number(a, b), b) if plain[0] else (a, b)


def calculating(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`compute`, an operator, with the types of NumPy 1."""

    def computed(a: Any, b: Any) -> Any:
        if type(a) in _KINDS or type(b) in _KINDS:
            a, b = _as_before(a, b)
        return compute(a, b)

    return computed


def _calculating_in_place(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`compute`, such as `+=`: an array keeps its type, a sum of numbers takes that of NumPy 1."""

    def computed(a: Any, b: Any) -> Any:
        if type(b) in _KINDS and type(a) is not np.ndarray:
            a, b = _as_before(a, b)
        return compute(a, b)

    return computed


def names() -> dict[str, Any]:
    """What the rewritten source calls."""
    calls = {_name(op): calculating(compute) for op, compute in _OPERATORS.items()}
    in_place = {_name(op, "i"): _calculating_in_place(compute) for op, compute in _IN_PLACE.items()}
    return {_NUMPY: _KINDS, **calls, **in_place}


def _name(op: type, before: str = "") -> str:
    return f"__thalweg_{before}{op.__name__.lower()}__"


_NO_NUMBERS = (ast.JoinedStr, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.Lambda)


def mixed(node: ast.BinOp) -> ast.AST:
    """`node` as a call that looks at the types of both operands; as it is where one of them is known to be no number."""
    sides = (node.left, node.right)
    constants = sum(isinstance(side, ast.Constant) for side in sides)
    if type(node.op) not in _OPERATORS or constants == 2 or not all(map(_may_be_number, sides)):
        return node
    call: ast.expr = ast.Call(ast.Name(_name(type(node.op)), ast.Load()), list(sides), [])
    named = [side for side in sides if isinstance(side, ast.Name)]
    if constants + len(named) == 2:  # asked in place: loops over Python's numbers stay fast
        asked = [_is_of_numpy(side) for side in named]
        call = ast.IfExp(asked[0] if constants else ast.BoolOp(ast.Or(), asked), call, node)
    return ast.fix_missing_locations(ast.copy_location(call, node))


def mixed_in_place(node: ast.AugAssign) -> ast.stmt:
    """`total += loss` as an assignment of what a call gives; as it is for elements, and where a constant is added."""
    target: Any = node.target
    simple = isinstance(target, ast.Name) or (isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name))
    if not simple or type(node.op) not in _IN_PLACE or isinstance(node.value, (ast.Constant, *_NO_NUMBERS)):
        return node
    if isinstance(target, ast.Name):
        now: ast.expr = ast.Name(target.id, ast.Load())
    else:
        now = ast.Attribute(ast.Name(target.value.id, ast.Load()), target.attr, ast.Load())
    call = ast.Call(ast.Name(_name(type(node.op), "i"), ast.Load()), [now, node.value], [])
    return ast.fix_missing_locations(ast.copy_location(ast.Assign([target], call), node))


def _may_be_number(side: ast.expr) -> bool:
    if isinstance(side, ast.Constant):
        return isinstance(side.value, int | float | complex)
    return not isinstance(side, _NO_NUMBERS)


def _is_of_numpy(name: ast.Name) -> ast.expr:
    kind = ast.Attribute(ast.Name(name.id, ast.Load()), "__class__", ast.Load())
    return ast.Compare(kind, [ast.In()], [ast.Name(_NUMPY, ast.Load())])
