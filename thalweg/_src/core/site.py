"""Where the user's program made an op: the stack, kept as cheaply as it can be and read only when somebody asks."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep

# Innermost first: code, the instruction in it, code, instruction ... Lines are looked up later. One flat tuple, because
# a graph keeps one for each node and the garbage collector visits every tuple.
Stack = tuple[Any, ...]


def capture(depth: int = 2, limit: int = 64) -> Stack:
    """The stack of the caller, without the innermost `depth` frames."""
    flat: list[Any] = []
    add = flat.append
    frame: FrameType | None = sys._getframe(depth)
    for _ in range(limit):
        if frame is None:
            break
        add(frame.f_code)
        add(frame.f_lasti)
        frame = frame.f_back
    return tuple(flat)


def frames(stack: Stack) -> Iterator[tuple[CodeType, int]]:
    """The frames of a stack, innermost first: code, and the instruction in it."""
    return zip(stack[::2], stack[1::2], strict=True)


def line_of(code: CodeType, lasti: int) -> int:
    for start, end, line in code.co_lines():
        if start <= lasti < end and line is not None:
            return line
    return code.co_firstlineno


def is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(_PACKAGE)


def user_line(stack: Stack) -> str:
    """'train.py:12' for the innermost frame that is not thalweg's; '' if there is none."""
    for code, lasti in frames(stack):
        if not is_ours(code):
            return f"{code.co_filename}:{line_of(code, lasti)}"
    return ""


def text(file: str, line: int) -> str:
    return linecache.getline(file, line).strip()


def traceback(stack: Stack) -> list[tuple[str, int, str, str]]:
    """The stack as TensorFlow gives it: (file, line, function, text), outermost first."""
    out = []
    for code, lasti in reversed(list(frames(stack))):
        line = line_of(code, lasti)
        out.append((code.co_filename, line, code.co_name, text(code.co_filename, line)))
    return out
