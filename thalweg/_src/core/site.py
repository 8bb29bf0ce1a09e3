"""Where the user's program made an op: the stack, kept as cheaply as it can be and read only when somebody asks."""

from __future__ import annotations

import linecache
import os
import sys
from types import CodeType, FrameType

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep

Stack = tuple[tuple[CodeType, int], ...]  # innermost first: code and the instruction in it; lines are looked up later


def capture(depth: int = 2, limit: int = 64) -> Stack:
    """The stack of the caller, without the innermost `depth` frames."""
    frames: list[tuple[CodeType, int]] = []
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and len(frames) < limit:
        frames.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(frames)


def line_of(code: CodeType, lasti: int) -> int:
    for start, end, line in code.co_lines():
        if start <= lasti < end and line is not None:
            return line
    return code.co_firstlineno


def is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(_PACKAGE)


def user_line(stack: Stack) -> str:
    """'train.py:12' for the innermost frame that is not thalweg's; '' if there is none."""
    for code, lasti in stack:
        if not is_ours(code):
            return f"{code.co_filename}:{line_of(code, lasti)}"
    return ""


def traceback(stack: Stack) -> list[tuple[str, int, str, str]]:
    """The stack as TensorFlow gives it: (file, line, function, text), outermost first."""
    out = []
    for code, lasti in reversed(stack):
        line = line_of(code, lasti)
        text = linecache.getline(code.co_filename, line).strip()
        out.append((code.co_filename, line, code.co_name, text))
    return out
