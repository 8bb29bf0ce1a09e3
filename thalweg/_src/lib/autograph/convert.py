"""Functions of Python compiled anew from their rewritten source."""

from __future__ import annotations

import ast
import copy
import functools
import linecache
import types
from collections.abc import Iterator
from typing import Any

from thalweg._src.lib.autograph import expressions, statements

_FUTURE = 0x1FF0000  # the bits of a code's flags that say what it imported from __future__
_new: dict[types.CodeType, types.CodeType | str] = {}  # the code for a code, or why there is none
_made: set[types.CodeType] = set()


def converted(f: types.FunctionType) -> types.FunctionType:
    """`f` with branches and loops that may be about tensors. Raises ValueError for a function whose source can't be had or rewritten."""
    code = f.__code__
    if code in _made:
        return f
    new = _new.get(code)
    if new is None:
        try:
            new = _compiled(f)
        except ValueError as error:
            new = str(error)
        _new[code] = new
    if isinstance(new, str):
        raise ValueError(new)
    cells = dict(zip(code.co_freevars, f.__closure__ or (), strict=True))
    closure = tuple(_operators() if name == "ag__" else cells[name] for name in new.co_freevars)
    out = types.FunctionType(new, f.__globals__, f.__name__, f.__defaults__, closure)
    out.__kwdefaults__, out.__qualname__, out.__doc__, out.__module__ = (
        *(f.__kwdefaults__, f.__qualname__, f.__doc__, f.__module__),
    )
    return out


@functools.cache
def _operators() -> types.CellType:
    from thalweg._src.lib.autograph import operators

    return types.CellType(operators)


def rewritten(f: types.FunctionType) -> tuple[ast.FunctionDef, list[str]]:
    """The new definition of `f`, and the classes around the old one. Raises ValueError where that can't be."""
    node, classes = _definition(f.__code__, f.__globals__)
    if any(isinstance(n, ast.Yield | ast.YieldFrom | ast.Await) for n in ast.walk(node)):
        raise ValueError(f"{f.__qualname__} is a generator")
    node.decorator_list, node.returns = [], None
    for a in ast.walk(node.args):
        if isinstance(a, ast.arg):
            a.annotation = None
    none = [ast.Constant(None)]
    node.args.defaults, node.args.kw_defaults = none * len(node.args.defaults), none * len(node.args.kw_defaults)
    expressions.with_items_set(node)
    statements.functional(node, set(f.__code__.co_freevars))
    expressions.rewritten(node)
    return ast.fix_missing_locations(node), classes


def _compiled(f: types.FunctionType) -> types.CodeType:
    node, classes = rewritten(f)
    names = ["ag__", *f.__code__.co_freevars]
    body: ast.stmt = node
    if classes:  # names with two underscores are those of the class
        body = ast.copy_location(ast.ClassDef(classes[-1], [], [], [node], []), node)
        if hasattr(body, "type_params") or "type_params" in ast.ClassDef._fields:
            body.type_params = []  # type: ignore[attr-defined]
    (factory,) = ast.parse(f"def ag_factory({', '.join(names)}): pass").body
    factory.body = [body]  # type: ignore[attr-defined]
    module = ast.fix_missing_locations(ast.Module([factory], []))
    flags = f.__code__.co_flags & _FUTURE
    code = compile(module, f.__code__.co_filename, "exec", flags=flags, dont_inherit=True)
    found = next(c for c in _codes(code) if c.co_name == node.name)
    found = found.replace(co_name=f.__code__.co_name)
    _made.update(_codes(found), [found])
    return found


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """All code inside of `code`."""
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            yield c
            yield from _codes(c)


def _definition(code: types.CodeType, names: dict[str, Any]) -> tuple[ast.FunctionDef, list[str]]:
    """A copy of the definition behind `code`, a lambda's as a function, and the names of the classes around it."""
    text = "".join(linecache.getlines(code.co_filename, names))
    if not text:
        raise ValueError(f"The source of {code.co_name} is not there")
    try:
        tree = _parsed(text)
    except SyntaxError as error:
        raise ValueError(f"The source of {code.co_name} can't be read: {error}") from None
    found = [(n, classes) for n, classes in _functions(tree, []) if _is_of(n, code)]
    if len(found) != 1:
        raise ValueError(f"{len(found)} functions are candidates for {code.co_name} in line {code.co_firstlineno}")
    node, classes = found[0]
    node = copy.deepcopy(node)
    if isinstance(node, ast.Lambda):
        (new,) = ast.parse("def ag_lambda(): pass").body
        assert isinstance(new, ast.FunctionDef)
        new.args, new.body = node.args, [ast.copy_location(ast.Return(node.body), node)]
        return ast.copy_location(new, node), classes
    return node, classes


@functools.lru_cache(maxsize=8)
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _functions(node: ast.AST, classes: list[str]) -> Iterator[tuple[Any, list[str]]]:
    """All functions below `node`, with the classes around each."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child, classes
        yield from _functions(child, [*classes, child.name] if isinstance(child, ast.ClassDef) else classes)


def _is_of(node: ast.FunctionDef | ast.Lambda, code: types.CodeType) -> bool:
    a = node.args
    given = (*a.posonlyargs, *a.args, *a.kwonlyargs)
    count = code.co_argcount + code.co_kwonlyargcount
    if tuple(x.arg for x in given) != code.co_varnames[:count]:
        return False
    if isinstance(node, ast.Lambda):
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return node.name == code.co_name and first == code.co_firstlineno
