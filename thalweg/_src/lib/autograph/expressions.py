"""Expressions whose operators can't be overloaded (`and`, `or`, `not`, `a if c else b`, `assert`, calls, `x[i] = v`), as calls that can."""

import ast
import copy

from thalweg._src.lib.autograph.liveness import binds
from thalweg._src.lib.autograph.pieces import expression, made

_OF_THE_FRAME = {
    "locals",
    "globals",
    "vars",
    "dir",
    "eval",
    "exec",
    "breakpoint",
}  # what these give depends on who calls


def with_items_set(function: ast.FunctionDef) -> None:
    """In `function`: `x[i] = v` for its own names as `x = ag__.set_item(x, i, v)`, as a tensor can only be replaced."""
    a = function.args
    own = binds(function.body) | {x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs)}
    _Items(own).visit(function)


class _Items(ast.NodeTransformer):
    def __init__(self, own: set[str]):
        self.own = own

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        (target, *more) = node.targets
        if more or not _is_item(target) or target.value.id not in self.own:  # type: ignore[attr-defined]
            return node
        return _setting(target, node.value, node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        target = node.target
        plain = _is_item(target) and isinstance(target.slice, ast.Name | ast.Constant)  # type: ignore[union-attr]
        if not plain or target.value.id not in self.own:  # type: ignore[union-attr]
            return node
        old = copy.deepcopy(target)
        old.ctx = ast.Load()
        return _setting(target, ast.BinOp(old, node.op, node.value), node)


def _is_item(target: ast.expr) -> bool:
    """Whether `target` is an item, not a slice, of a name."""
    return (
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and not any(isinstance(n, ast.Slice) for n in ast.walk(target.slice))
    )


def _setting(target: ast.expr, value: ast.expr, node: ast.stmt) -> ast.stmt:
    assert isinstance(target, ast.Subscript)
    assert isinstance(target.value, ast.Name)
    (new,) = made(f"{target.value.id} = ag__.set_item({target.value.id}, 0, 0)")
    new.value.args[1:] = [target.slice, value]  # type: ignore[attr-defined]
    return ast.copy_location(new, node)


def rewritten(function: ast.FunctionDef) -> None:
    """Rewrite the expressions of `function` and of the functions in it."""
    _Expressions(function).generic_visit(function)


class _Expressions(ast.NodeTransformer):
    def __init__(self, function: ast.FunctionDef):
        self.function = function

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        node.decorator_list = [self.visit(d) for d in node.decorator_list]
        (self if node.name.startswith("ag_") else _Expressions(node)).generic_visit(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        f = node.func
        self.generic_visit(node)
        if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == "ag__":
            return node
        if isinstance(f, ast.Name) and f.id in _OF_THE_FRAME:
            return node
        if isinstance(f, ast.Name) and f.id == "super":
            first = self.function.args.posonlyargs + self.function.args.args
            # Without arguments it asks the frame, which is another one in the functions made here.
            if not node.args and first:
                node.args = [ast.Name("__class__", ast.Load()), ast.Name(first[0].arg, ast.Load())]
            return node
        node.func = ast.copy_location(_call("converted", node.func), f)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        name = "and_" if isinstance(node.op, ast.And) else "or_"
        *rest, out = node.values
        for value in reversed(rest):
            out = _call(name, _later(value), _later(out))
        return ast.copy_location(out, node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return ast.copy_location(_call("not_", node.operand), node) if isinstance(node.op, ast.Not) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return ast.copy_location(_call("if_expression", node.test, _later(node.body), _later(node.orelse)), node)

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        self.generic_visit(node)
        call = _call("assert_stmt", node.test, _later(node.msg or ast.Constant("")))
        return ast.copy_location(ast.Expr(call), node)


def _call(name: str, *args: ast.expr) -> ast.expr:
    call = expression(f"ag__.{name}()")
    call.args = list(args)  # type: ignore[attr-defined]
    return call


def _later(value: ast.expr) -> ast.expr:
    """`lambda: value`"""
    function = expression("lambda: 0")
    function.body = value  # type: ignore[attr-defined]
    return function
