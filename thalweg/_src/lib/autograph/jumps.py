"""Functions without `return`, `break` and `continue` in the middle: flags, conditions, and one `return` at the end."""

import ast
import copy
import itertools
from collections.abc import Callable, Iterable, Sequence

from thalweg._src.lib.autograph.liveness import SCOPES, inner
from thalweg._src.lib.autograph.pieces import Block, expression, made

RETURNED, RESULT = "ag_returned", "ag_result"
_LOOPS = (ast.While, ast.For)
_BLOCKS = ("body", "orelse", "finalbody")
_numbers = itertools.count()


def lowered(body: Block) -> Block:
    """The statements of a function, its jumps replaced."""
    if _returns(s for s in body if not isinstance(s, ast.Return)):
        body = [*_ended(body), *made(f"return {RESULT}")]
    return _straight(body)


# -- return


def _ended(body: Sequence[ast.stmt]) -> Block:
    """`body` with the result assigned at its ends: what follows an `if` that may return goes into both branches.

    A loop, `with` or `try` that may return sets a flag instead.
    """
    for i, s in enumerate(body):
        before, rest = body[:i], body[i + 1 :]
        if isinstance(s, ast.Return):
            return [*before, _assigned(s)]
        if isinstance(s, ast.If) and _returns([s]):
            ends = [_ended([*part, *copy.deepcopy(rest)]) for part in (s.body, s.orelse)]
            return [*before, ast.copy_location(ast.If(s.test, *ends), s)]
        if _returns([s]):
            start = made(f"{RETURNED} = False\n{RESULT} = ag__.UndefinedResult()")
            return [*before, *start, *_flagged([s], False), _unless(RETURNED, _ended(rest))]
    return [*body, *made(f"{RESULT} = None")]


def _flagged(body: Sequence[ast.stmt], in_loop: bool) -> Block:
    """`body` with flags in the place of `return`, which also end the loops around it."""
    for i, s in enumerate(body):
        if isinstance(s, ast.Return):
            leave = [ast.Break()] if in_loop else []
            return [*body[:i], _assigned(s), *made(f"{RETURNED} = True"), *leave]
        if _returns([s]):
            loop = isinstance(s, _LOOPS)
            s = _mapped(s, lambda part, within=in_loop or loop: _flagged(part, within))
            rest = _flagged(body[i + 1 :], in_loop)
            if not in_loop:
                return [*body[:i], s, _unless(RETURNED, rest)]
            leave = made(f"if {RETURNED}: break") if loop else []
            return [*body[:i], s, *leave, *rest]
    return list(body)


def _assigned(s: ast.Return) -> ast.stmt:
    return ast.copy_location(ast.Assign([ast.Name(RESULT, ast.Store())], s.value or ast.Constant(None)), s)


def _returns(statements: Iterable[ast.AST]) -> bool:
    return any(isinstance(n, ast.Return) for n in inner(statements))


# -- break and continue


def _straight(body: Sequence[ast.stmt]) -> Block:
    """`body`, whose loops hold conditions in the place of jumps. A `for` has the condition to go on as `ag_going`."""
    out: Block = []
    for s in body:
        if not isinstance(s, SCOPES):
            s = _mapped(s, _straight)
        out += _straight_loop(s) if isinstance(s, _LOOPS) else [s]
    return out


def _straight_loop(s: ast.While | ast.For) -> Block:
    number, before, after = next(_numbers), [], s.orelse
    s.orelse = []
    if _jumps(s.body, ast.Continue):
        flag = f"ag_continue_{number}"
        start = made(f"{flag} = False")
        s.body, before = [*start, *_guarded(s.body, ast.Continue, flag)], copy.deepcopy(start)
    if _jumps(s.body, ast.Break):
        flag = f"ag_break_{number}"
        s.body, before = _guarded(s.body, ast.Break, flag), [*before, *made(f"{flag} = False")]
        going = expression(f"not {flag}")
        if isinstance(s, ast.While):
            s.test = ast.copy_location(ast.BoolOp(ast.And(), [going, s.test]), s.test)
        else:
            s.ag_going = going  # type: ignore[attr-defined]
        after = [_unless(flag, after)] if after else []
    return [*before, s, *after]


def _guarded(body: Sequence[ast.stmt], kind: type, flag: str) -> Block:
    """`body` with `flag` set in the place of `break` or `continue` (`kind`); what follows asks for the flag."""
    for i, s in enumerate(body):
        if isinstance(s, kind):
            return [*body[:i], *made(f"{flag} = True")]
        if _jumps([s], kind):
            s = _mapped(s, lambda part: _guarded(part, kind, flag), loops=False)
            rest = _guarded(body[i + 1 :], kind, flag)
            return [*body[:i], s, *([_unless(flag, rest)] if rest else [])]
    return list(body)


def _jumps(statements: Sequence[ast.AST], kind: type) -> bool:
    """Whether `break` or `continue` of the loop around `statements` is among them."""
    for s in statements:
        if isinstance(s, kind):
            return True
        if not isinstance(s, (*SCOPES, *_LOOPS)):  # what breaks out of an inner loop stays there
            blocks = [getattr(s, name, None) or [] for name in (*_BLOCKS, "handlers")]
            if any(_jumps(b, kind) for b in blocks if isinstance(b, list)):
                return True
    return False


# -- blocks


def _mapped(s: ast.stmt, f: Callable[[Block], Block], loops: bool = True) -> ast.stmt:
    """A copy of `s` with `f` of each of its blocks; `loops` says whether the blocks of a loop count."""
    s = copy.copy(s)
    if isinstance(s, _LOOPS) and not loops:
        return s
    for name in _BLOCKS:
        if getattr(s, name, None):
            setattr(s, name, f(getattr(s, name)))
    for name in ("handlers", "cases"):
        if getattr(s, name, None):
            setattr(s, name, [_mapped(part, f) for part in getattr(s, name)])
    return s


def _unless(flag: str, body: Block) -> ast.stmt:
    (s,) = made(f"if not {flag}: pass")
    s.body = body or s.body  # type: ignore[attr-defined]
    return s
