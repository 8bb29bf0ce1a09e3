"""Branches and loops as functions over the names that they change: what tf.cond and tf.while_loop need, and Python can do too."""

import ast
import itertools
from collections.abc import Sequence
from typing import Any

from thalweg._src.lib.autograph.jumps import lowered
from thalweg._src.lib.autograph.liveness import binds, captured, inner, needed_before, needed_in_loop, reads, sets
from thalweg._src.lib.autograph.pieces import Block, expression, made


def functional(function: ast.FunctionDef, outside: set[str]) -> None:
    """Rewrite the statements of `function` and of the functions in it; `outside` are the names that belong to a scope around it."""
    _Scope(function, outside).rewrite()


class _Scope:
    """The names of one function, while its statements are rewritten."""

    def __init__(self, function: ast.FunctionDef, outside: set[str]):
        self.function = function
        self.numbers = itertools.count(1)
        declared = [n for n in inner(function.body) if isinstance(n, ast.Global | ast.Nonlocal)]
        self.globals = {name for n in declared if isinstance(n, ast.Global) for name in n.names}
        self.outside = {name for n in declared if isinstance(n, ast.Nonlocal) for name in n.names} | outside
        self.always: set[str] = set()
        self.shared: dict[str, None] = {}  # the function's own names that functions made here bind

    def rewrite(self) -> None:
        body = lowered(self.function.body)
        self.always = captured(body) | self.globals | self.outside
        body = self.block(body, set())
        a = self.function.args
        given = {x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if x is not None}
        first = [s for n in self.shared if n not in given for s in made(f"{n} = ag__.Undefined({n!r})")]
        at = next((i for i, s in enumerate(body) if not _is_heading(s)), len(body))
        self.function.body = [*body[:at], *first, *body[at:]]

    def block(self, statements: Sequence[ast.stmt], after: set[str]) -> Block:
        """`statements` rewritten, given the names that are needed `after` them."""
        out: Block = []
        for s in reversed(statements):
            before = needed_before([s], after)
            out = [*self.statement(s, before, after), *out]
            after = before
        return out

    def statement(self, s: ast.stmt, before: set[str], after: set[str]) -> Block:
        after = after | self.always
        if isinstance(s, ast.If):
            return self.branch(s, before, after)
        if isinstance(s, ast.While | ast.For):
            return self.loop(s, needed_in_loop(s, after))
        if isinstance(s, ast.FunctionDef) and not any(isinstance(n, ast.Yield | ast.YieldFrom) for n in inner(s.body)):
            functional(s, set())
        elif isinstance(s, ast.With):
            s.body = self.block(s.body, after)
        elif isinstance(s, ast.Try):
            after = after | reads(s)  # each of its blocks may end early
            s.body, s.orelse, s.finalbody = (self.block(b, after) for b in (s.body, s.orelse, s.finalbody))
            for handler in s.handlers:
                handler.body = self.block(handler.body, after)
        return [s]

    def branch(self, s: ast.If, before: set[str], after: set[str]) -> Block:
        """`if` as a call of two functions. What is needed behind it they give; what they change beside that must not reach the other."""
        both = [*s.body, *s.orelse]
        changed = binds(both)
        out = [*sorted(changed & after), *sorted(sets(both))]
        names = [*out, *sorted((changed & before) - set(out))]
        n = next(self.numbers)
        ways = self.functions(n, names, {"then": ([], s.body, after), "otherwise": ([], s.orelse, after)})
        call = f"ag__.if_stmt(0, ag_then_{n}, ag_otherwise_{n}, ag_get_{n}, ag_set_{n}, {tuple(names)!r}, {len(out)})"
        return _placed([*ways, _call(call, s.test)], s)

    def loop(self, s: ast.While | ast.For, needed: set[str]) -> Block:
        """A loop as a call of functions for its condition and its body."""
        target = [s.target] if isinstance(s, ast.For) else []
        body, options = _options(s.body)
        names = [*sorted(binds([*target, *body]) & needed), *sorted(sets([*target, *body]))]
        n = next(self.numbers)
        going = s.test if isinstance(s, ast.While) else getattr(s, "ag_going", None)
        condition: Block = [ast.Return(going)] if going is not None else []
        assign: Block = [ast.Assign([s.target], ast.Name("ag_value", ast.Load()))] if target else []
        ways = self.functions(n, names, {"test": ([], condition, needed), "body": (assign, body, needed)})
        test = f"ag_test_{n}" if going is not None else "None"
        rest = f"ag_body_{n}, ag_get_{n}, ag_set_{n}, {tuple(names)!r})"
        if isinstance(s, ast.For):
            ways[-1].args = expression("lambda ag_value: 0").args  # type: ignore[attr-defined]
            call = _call(f"ag__.for_stmt(0, {test}, {rest}", s.iter)
        else:
            call = _call(f"ag__.while_stmt({test}, {rest}")
        call.value.keywords = options  # type: ignore[attr-defined]
        return _placed([*ways, call], s)

    def functions(self, number: int, names: list[str], bodies: dict[str, Any]) -> Block:
        """Functions that get and set `names`, and one for each of `bodies`: its first statements, those to rewrite, what they leave."""
        plain = [n for n in names if "." not in n]
        attributes = [f"ag__.attribute(lambda: {n}, {n!r})" for n in names if "." in n]
        got, put = ", ".join([*plain, *attributes]), ", ".join(names)
        ways = made(
            f"def ag_get_{number}(): return ({got}{',' if names else ''})\n"
            f"def ag_set_{number}(ag_values): {f'({put},) = ag_values' if names else 'pass'}"
        )
        ways[-1].body[:0] = self.declared(plain)  # type: ignore[attr-defined]
        for kind, (first, statements, after) in bodies.items():
            (f,) = made(f"def ag_{kind}_{number}(): pass")
            bound = sorted(binds([*first, *statements]))
            f.body = [*self.declared(bound), *first, *self.block(statements, after)] or f.body  # type: ignore[attr-defined]
            ways.append(f)
        return ways

    def declared(self, names: Sequence[str]) -> Block:
        """The declarations by which a function made here binds names of the function around it."""
        own = [n for n in names if n not in self.globals]
        self.shared.update(dict.fromkeys(n for n in own if n not in self.outside))
        shared, general = [n for n in names if n in own], [n for n in names if n in self.globals]
        return [*([ast.Nonlocal(shared)] if shared else []), *([ast.Global(general)] if general else [])]


def _options(body: Block) -> tuple[Block, list[ast.keyword]]:
    """A loop's body without `set_loop_options(...)` at its head, and what that says."""
    first = body[0].value if isinstance(body[0], ast.Expr) else None
    if isinstance(first, ast.Call) and ast.unparse(first.func).split(".")[-1] == "set_loop_options":
        return body[1:] or [ast.Pass()], first.keywords
    return body, []


def _call(text: str, first: ast.expr | None = None) -> ast.stmt:
    """The call that `text` says, with `first` in the place of its first argument, if given."""
    call = expression(text)
    if first is not None:
        call.args[0] = first  # type: ignore[attr-defined]
    return ast.Expr(call)


def _placed(block: Block, s: ast.stmt) -> Block:
    """`block`, in the place of `s`."""
    return [ast.copy_location(made, s) for made in block]


def _is_heading(s: ast.stmt) -> bool:
    """Whether `s` is the docstring or declares names."""
    return isinstance(s, ast.Global | ast.Nonlocal) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
