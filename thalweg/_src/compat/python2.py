"""Programs for Python 2, mended in memory as they are loaded: `thalweg run --py2`. Their files stay as they are.

fissix, the descendant of lib2to3, rewrites the syntax and the names (print statements, xrange, iteritems, urllib2 ...); `/`
between integers divides as it did, pickles are text, and a StringIO takes text and bytes.
"""

from __future__ import annotations

import ast
import builtins
import functools
import operator
import re
from collections.abc import Callable
from typing import Any

from thalweg._src.compat import mixing
from thalweg._src.compat.text_buffers import StringIO

HOW = "--py2 needs the package fissix: pip install 'thalweg[py2]'"
# `from . import x` has no meaning in a program that is run by its path; idioms and spaces are matters of taste. fissix
# takes the array of `np.sort(a)` for a function that compares: `_Sorts` asks whose `sort` it is.
LEFT_OUT = ("import", "buffer", "idioms", "set_literal", "ws_comma", "sorted")
TRUE_DIVISION = re.compile(r"^from\s+__future__\s+import\b[^#]*\bdivision\b", re.M)
_DIVIDE = "__thalweg_divide__"
IN_MEMORY = re.compile(r"^\s*(from|import)\s+c?StringIO\b", re.M)
_BUFFER = "__thalweg_buffer__"
_SORT, _SORTED = "__thalweg_sort__", "__thalweg_sorted__"
_PICKLE, _PICKLES = "thalweg._src.compat.pickles", ("pickle", "cPickle")
_on = False


def turn_on() -> None:
    """From now on, what the program loads is mended. ModuleNotFoundError without fissix."""
    global _on
    try:
        _tool()
    except ModuleNotFoundError:
        raise ModuleNotFoundError(HOW, name="fissix") from None
    setattr(builtins, _DIVIDE, _divided)
    setattr(builtins, _BUFFER, StringIO)
    setattr(builtins, _SORT, _sort)
    setattr(builtins, _SORTED, _sorted)
    _on = True


def turn_off() -> None:
    """Undo `turn_on`, for what is loaded later."""
    global _on
    _on = False


def is_on() -> bool:
    return _on


@functools.cache
def _tool() -> Any:
    from fissix import refactor

    fixers = refactor.get_fixers_from_package("fissix.fixes")
    return refactor.RefactoringTool([f for f in fixers if f.rpartition(".fix_")[2] not in LEFT_OUT])


def translated(source: str | bytes, filename: str) -> str:
    """The program in Python 3. What fissix can't read comes back as it was, for Python's own message."""
    from fissix.pgen2.parse import ParseError
    from fissix.pgen2.tokenize import TokenError

    text = source if isinstance(source, str) else _decoded(source)
    text = text.expandtabs(8) if "\t" in text else text
    try:
        return str(_tool().refactor_string(text if text.endswith("\n") else text + "\n", filename))
    except (ParseError, TokenError):
        return text


def _decoded(source: bytes) -> str:
    """Text of the encoding that it names; of any, where it names none, as Python 2 took it."""
    import io
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        return source.decode(encoding).replace("\r\n", "\n")
    except (SyntaxError, UnicodeDecodeError):
        return source.decode("latin-1").replace("\r\n", "\n")


def parsed(source: str | bytes, filename: str) -> ast.Module:
    """The syntax tree of a program for Python 2, divisions included."""
    tree = _Sorts().visit(_Pickles().visit(ast.parse(translated(source, filename), filename)))
    text = source if isinstance(source, str) else _decoded(source)
    if IN_MEMORY.search(text):  # fissix says io.StringIO, which takes text alone
        tree = _Buffers().visit(tree)
    if TRUE_DIVISION.search(text):  # fissix takes such imports away
        return ast.fix_missing_locations(tree)
    return ast.fix_missing_locations(_Divisions().visit(tree))


class _Pickles(ast.NodeTransformer):
    """Imports of pickle, by all its names, become imports of `compat/pickles.py`."""

    def visit_Import(self, node: ast.Import) -> ast.AST:
        for alias in node.names:
            if alias.name in _PICKLES:
                alias.name, alias.asname = _PICKLE, alias.asname or alias.name
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        if node.module in _PICKLES and not node.level:
            node.module = _PICKLE
        made: list[ast.stmt] = [node]
        if node.module == "six.moves":
            found = [a for a in node.names if a.name in _PICKLES]
            node.names = [a for a in node.names if a not in found]
            made = [node] if node.names else []
            made += [ast.copy_location(ast.Import([ast.alias(_PICKLE, a.asname or a.name)]), node) for a in found]
        return made


class _Sorts(ast.NodeTransformer):
    """Sorting by a function that compares, `l.sort(f)` and `sorted(l, f)`, becomes a call."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called, compares = node.func, any(k.arg == "cmp" for k in node.keywords)
        if isinstance(called, ast.Attribute) and called.attr == "sort" and (node.args or compares):
            node.func, node.args = ast.copy_location(ast.Name(_SORT, ast.Load()), called), [called, *node.args]
        elif isinstance(called, ast.Name) and called.id == "sorted" and (len(node.args) > 1 or compares):
            called.id = _SORTED
        return node


def _sort(method: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """A list's `sort`, with Python 2's arguments; that of anything else as it is."""
    return (
        method(**_order(args, named)) if isinstance(getattr(method, "__self__", None), list) else method(*args, **named)
    )


def _sorted(values: Any, *args: Any, **named: Any) -> list[Any]:
    return sorted(values, **_order(args, named))


def _order(args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """`cmp`, `key` and `reverse` as the arguments that are left."""
    given = {**dict(zip(("cmp", "key", "reverse"), args, strict=False)), **named}
    compare, key = given.pop("cmp", None), given.get("key")
    if compare is not None:
        as_key = functools.cmp_to_key(compare)
        given["key"] = as_key if key is None else lambda value: as_key(key(value))
    return given


class _Buffers(ast.NodeTransformer):
    """io.StringIO becomes that of `compat/text_buffers.py`."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        found = [a for a in node.names if node.module == "io" and a.name == "StringIO"]
        node.names = [a for a in node.names if a not in found]
        made: list[ast.stmt] = [node] if node.names else []
        for a in found:
            target = ast.Name(a.asname or a.name, ast.Store())
            made.append(ast.copy_location(ast.Assign([target], ast.Name(_BUFFER, ast.Load())), node))
        return made

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "StringIO" and isinstance(node.value, ast.Name) and node.value.id == "io":
            return ast.copy_location(ast.Name(_BUFFER, ast.Load()), node)
        return node


class _Divisions(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return ast.copy_location(ast.Call(ast.Name(_DIVIDE, ast.Load()), [node.left, node.right], []), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or not isinstance(node.target, ast.Name):
            return node
        value = ast.Call(ast.Name(_DIVIDE, ast.Load()), [ast.Name(node.target.id, ast.Load()), node.value], [])
        return ast.copy_location(ast.Assign([ast.Name(node.target.id, ast.Store())], value), node)


def _divided(a: Any, b: Any) -> Any:
    """a / b as Python 2 has it: between whole numbers, and arrays and tensors of them, rounded down."""
    for one, other, method in ((a, b, "__div__"), (b, a, "__rdiv__")):
        if hasattr(type(one), method):
            return getattr(one, method)(other)
    return (_rounded_down if _whole(a) and _whole(b) else _exact)(a, b)


_rounded_down, _exact = mixing.calculating(operator.floordiv), mixing.calculating(operator.truediv)


def _whole(value: Any) -> bool:
    if isinstance(value, int):
        return True
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    return isinstance(kind, str) and kind in "iub"
