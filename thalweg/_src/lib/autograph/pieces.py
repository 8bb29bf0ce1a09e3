"""Pieces of syntax that are made here: they have no place in a file until they get that of what they stand for."""

import ast

Block = list[ast.stmt]


def made(text: str) -> Block:
    """The statements of `text`, without places."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            if hasattr(node, name):
                delattr(node, name)
    return tree.body


def expression(text: str) -> ast.expr:
    """The expression of `text`, without places."""
    (s,) = made(text)
    assert isinstance(s, ast.Expr)
    return s.value
