"""Which names a piece of Python reads and binds, and which are still needed before and behind a statement."""

import ast
from collections.abc import Iterable, Iterator, Sequence

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def reads(*nodes: ast.AST | None) -> set[str]:
    """The names that are read anywhere in `nodes`, also by functions inside of them."""
    found = (n for node in nodes if node is not None for n in ast.walk(node))
    return {n.id for n in found if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def inner(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of the same scope: what is inside of functions, classes and comprehensions is left out, these themselves not."""
    for node in nodes:
        yield node
        if not isinstance(node, (*SCOPES, *_COMPREHENSIONS)):
            yield from inner(ast.iter_child_nodes(node))


def binds(statements: Iterable[ast.AST]) -> set[str]:
    """The names that `statements` bind in their own scope."""
    found: set[str] = set()
    for node in inner(statements):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def sets(statements: Iterable[ast.AST]) -> set[str]:
    """The attributes of names that `statements` set, as "name.attribute"."""
    nodes = (n for n in inner(statements) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store))
    return {f"{n.value.id}.{n.attr}" for n in nodes if isinstance(n.value, ast.Name)}


def captured(statements: Iterable[ast.AST]) -> set[str]:
    """The names that functions inside of `statements` read: they may be called at any time."""
    return set().union(*(reads(n) for n in inner(statements) if isinstance(n, SCOPES)))


def needed_before(statements: Sequence[ast.stmt], after: set[str]) -> set[str]:
    """The names needed before `statements`, given those needed `after` them."""
    for statement in reversed(statements):
        after = _before(statement, after)
    return after


def needed_in_loop(loop: ast.While | ast.For, after: set[str]) -> set[str]:
    """The names needed whenever a turn of `loop` may begin: by its condition, its body, or behind it."""
    turn = after | reads(loop.test if isinstance(loop, ast.While) else getattr(loop, "ag_going", None))
    while True:
        body = needed_before(loop.body, turn)
        more = turn | (body - binds([loop.target]) if isinstance(loop, ast.For) else body)
        if more == turn:
            return turn
        turn = more


def _before(s: ast.stmt, after: set[str]) -> set[str]:
    if isinstance(s, ast.Assign):
        return (after - {t.id for t in s.targets if isinstance(t, ast.Name)} - _unpacked(s)) | reads(s)
    if isinstance(s, ast.AugAssign):
        return after | reads(s) | ({s.target.id} if isinstance(s.target, ast.Name) else set())
    if isinstance(s, ast.If):
        return reads(s.test) | needed_before(s.body, after) | needed_before(s.orelse, after)
    if isinstance(s, ast.While):
        return needed_in_loop(s, after)
    if isinstance(s, ast.For):
        return needed_in_loop(s, after) | reads(s.iter)
    if isinstance(s, ast.With):
        return needed_before(s.body, after) - binds(s.items) | reads(*s.items)
    if isinstance(s, ast.Return):
        return reads(s)
    if isinstance(s, ast.FunctionDef | ast.ClassDef):
        return after - {s.name} | reads(s)
    return after | reads(s)  # of `try` and the like every part may be left early


def _unpacked(s: ast.Assign) -> set[str]:
    """The names in tuples on the left side."""
    return set().union(*(binds([t]) for t in s.targets if isinstance(t, ast.Tuple | ast.List)))
