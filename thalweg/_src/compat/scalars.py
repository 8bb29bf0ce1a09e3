"""What arrays no longer do, in the source of a running program: `int(x)`, `math.sqrt(x)`, `"%d" % x`, `a[i] = x`, `x.tostring()`.

NumPy of the era turned any array of one element into a number where one was asked for; since 2.4 only those without
dimensions. Arrays are C objects that no hook reaches, so the calls themselves are rewritten in memory, in modules that
are the program's own (not installed ones); the files stay as they are. So are calls of other methods in C that Python
has dropped, `open(name, "rU")`, and `letter is "_"`.
"""

from __future__ import annotations

import array
import ast
import builtins
import functools
import sys
import sysconfig
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from thalweg._src.compat import mixing, python2

_OF = {"int": "__thalweg_int__", "float": "__thalweg_float__"}
_FORMAT, _METHOD, _SET = "__thalweg_format__", "__thalweg_method__", "__thalweg_set__"
_MATH, _SAME = "__thalweg_math__", "__thalweg_same__"
_ARRAYS = (np.ndarray, np.generic)
# Methods that are gone, and whose they were: of NumPy's arrays, of Python's, of elements of XML.
_METHODS = {
    "tostring": ((*_ARRAYS, array.array), lambda a: a.tobytes),
    "fromstring": ((array.array,), lambda a: a.frombytes),
    "ptp": (
        _ARRAYS,
        lambda a: lambda *args, **kwargs: type(a).max(a, *args, **kwargs) - type(a).min(a, *args, **kwargs),
    ),
    "itemset": (_ARRAYS, lambda a: lambda *args: a.__setitem__(args[:-1] or 0 if a.ndim < 2 else args[:-1], args[-1])),
    "newbyteorder": (_ARRAYS, lambda a: lambda order="S": a.view(a.dtype.newbyteorder(order))),
    "getchildren": ((Element,), lambda element: lambda: list(element)),
    "getiterator": ((Element,), lambda element: element.iter),
}


def _as_number(value: Any) -> Any:
    """A one-element array as a scalar; anything else as it is."""
    return value.item() if getattr(value, "size", None) == 1 and hasattr(value, "item") else value


def _number(kind: type) -> Any:
    def convert(value: Any) -> Any:
        try:
            return kind(value)
        except TypeError:
            number = _as_number(value)
            if number is value:
                raise
            return kind(number)

    return convert


def _method(value: Any, name: str) -> Any:
    """`value.name`, also where it is an array that lost it."""
    try:
        return getattr(value, name)
    except AttributeError:
        owners, method = _METHODS[name]
        if not isinstance(value, owners):
            raise
        return method(value)


def _of_numbers(function: Any, *args: Any) -> Any:
    """`function`, one of the module math, of numbers and of arrays of one element."""
    try:
        return function(*args)
    except TypeError:
        numbers = [_as_number(value) for value in args]
        if all(a is b for a, b in zip(args, numbers, strict=True)):
            raise
        return function(*numbers)


def _same(a: Any, b: Any) -> bool:
    """`a is b`, of which one is written as a text of one letter or none: in the era's Python it was one object."""
    return a is b or (type(a) is type(b) and a == b)


def _formatted(text: Any, values: Any) -> Any:
    try:
        return text % values
    except TypeError:
        if isinstance(values, dict):
            raise
        given = values if isinstance(values, tuple) else (values,)
        numbers = tuple(_as_number(v) for v in given)
        if all(a is b for a, b in zip(given, numbers, strict=True)):
            raise
        return text % numbers


def _set(value: Any, target: Any, index: Any) -> None:
    """`target[index] = value`, also of a one-element array into the place of a number."""
    try:
        target[index] = value
    except ValueError:
        number = _as_number(value)
        if number is value or not isinstance(target, np.ndarray):
            raise
        target[index] = number


_MODES_WITH_U = {"U": "r", "rU": "r", "Ur": "r", "rUb": "rb", "rbU": "rb", "Ub": "rb", "rU+": "r+", "r+U": "r+"}


class Rewriter(ast.NodeTransformer):
    """Rewrites the calls; of `int` and `float` those in `names`."""

    def __init__(self, names: set[str] | None = None):
        self.names = set(_OF) if names is None else names

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = node.func
        if isinstance(called, ast.Name) and called.id in self.names and len(node.args) == 1 and not node.keywords:
            node.func = ast.copy_location(ast.Name(_OF[called.id], ast.Load()), called)
        if isinstance(called, ast.Name | ast.Attribute):
            _without_u(node)
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "math":
            if not node.keywords:
                node.func, node.args = ast.copy_location(ast.Name(_MATH, ast.Load()), called), [called, *node.args]
        elif isinstance(called, ast.Attribute) and called.attr in _METHODS:
            method = ast.Call(ast.Name(_METHOD, ast.Load()), [called.value, ast.Constant(called.attr)], [])
            node.func = ast.fix_missing_locations(ast.copy_location(method, called))
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        if len(sides) > 2 or not isinstance(node.ops[0], ast.Is | ast.IsNot) or not any(map(_is_letter, sides)):
            return node
        call: ast.expr = ast.Call(ast.Name(_SAME, ast.Load()), sides, [])
        if isinstance(node.ops[0], ast.IsNot):
            call = ast.UnaryOp(ast.Not(), call)
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Subscript):
            return node
        if any(isinstance(part, ast.Slice | ast.Starred) for part in ast.walk(target.slice)):
            return node
        call = ast.Call(ast.Name(_SET, ast.Load()), [node.value, target.value, target.slice], [])
        return ast.fix_missing_locations(ast.copy_location(ast.Expr(call), node))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        return mixing.mixed_in_place(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        left = node.left
        if isinstance(node.op, ast.Mod) and isinstance(left, ast.Constant) and isinstance(left.value, str):
            call = ast.Call(ast.Name(_FORMAT, ast.Load()), [left, node.right], [])
            return ast.fix_missing_locations(ast.copy_location(call, node))
        return mixing.mixed(node)


def _is_letter(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and len(node.value) < 2


def _without_u(node: ast.Call) -> None:
    """Takes the U, line ends of all kinds, from the mode of an `open`: Python 3 reads text so anyway."""
    called: Any = node.func
    name = called.id if isinstance(called, ast.Name) else called.attr
    modes = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "mode")]
    for mode in modes if name == "open" else ():
        if isinstance(mode, ast.Constant) and mode.value in _MODES_WITH_U:
            mode.value = _MODES_WITH_U[mode.value]


def compiled(source: str | bytes, filename: str) -> CodeType:
    """The code of a program's source, with the calls rewritten, and mended first where it is for Python 2."""
    if python2.is_on():
        tree: Any = python2.parsed(source, filename)
    else:
        tree = compile(source, filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    return compile(rewritten(tree), filename, "exec", dont_inherit=True)


def rewritten(tree: Any) -> Any:
    """`tree` with the calls rewritten, but for names that it binds itself."""
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}
    bound |= {d.name for d in ast.walk(tree) if isinstance(d, ast.FunctionDef | ast.ClassDef)}
    bound |= {a.asname or a.name for i in ast.walk(tree) if isinstance(i, ast.ImportFrom | ast.Import) for a in i.names}
    return Rewriter(set(_OF) - bound).visit(tree)


class ProgramLoader(SourceFileLoader):
    """Loads a module of the program's own."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return compiled(self.get_data(path), path)


@functools.cache
def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")}) + (__file__.partition("_src")[0],)


def is_of_program(path: str) -> bool:
    """Whether a file is the program's own: it lies neither in the standard library nor among installed packages."""
    return not path.startswith(_installed()) and "site-packages" not in path


class ProgramFinder(MetaPathFinder):
    """Finds the modules that lie neither in the standard library nor among installed packages."""

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or spec.origin is None:
            return None
        if not is_of_program(spec.origin):
            return None
        spec.loader = ProgramLoader(fullname, spec.origin)
        return spec


_finder = ProgramFinder()


def rewrite() -> None:
    """Start: what the program imports from now on is rewritten."""
    for name, kind in (("int", int), ("float", float)):
        setattr(builtins, _OF[name], _number(kind))
    setattr(builtins, _FORMAT, _formatted)
    setattr(builtins, _METHOD, _method)
    setattr(builtins, _SET, _set)
    setattr(builtins, _MATH, _of_numbers)
    setattr(builtins, _SAME, _same)
    np.set_printoptions(legacy="1.25")  # numbers in lists print as numbers, without their types
    for called, function in mixing.names().items():
        setattr(builtins, called, function)
    if _finder not in sys.meta_path:
        at = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)  # type: ignore[arg-type]
        sys.meta_path.insert(at, _finder)


def stop() -> None:
    """Undo `rewrite`."""
    np.set_printoptions(legacy=False)
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)


def is_on() -> bool:
    return _finder in sys.meta_path
