"""Programs that come from TensorFlow's own tree of models and examples, and name the files beside them by their place in it.

`from tensorflow.models.rnn.translate import data_utils` means the `data_utils.py` in the program's folder, where there is one.
Which of the names are packages and which are files is read from the import statements of that folder.
"""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TREES = ("tensorflow.models.", "tensorflow.examples.")


def find(fullname: str) -> tuple[str | None, bool]:
    """The file that `fullname` means, or None; and whether it is a package above such a file."""
    if not fullname.startswith(TREES):
        return None, False
    files = named(sys.path[0] or os.getcwd())
    package = any(other.startswith(fullname + ".") for other in files)
    return (None if package else files.get(fullname)), package


@cache
def named(folder: str) -> dict[str, str]:
    """{name in TensorFlow's tree: file} of the files of `folder` that one of its programs imports so."""
    found = {}
    for path in sorted(Path(folder).glob("*.py")):
        for name in _imported(path):
            file = os.path.join(folder, name.rpartition(".")[2] + ".py")
            if name.startswith(TREES) and os.path.isfile(file):
                found[name] = file
    return found


def _imported(path: Path) -> Iterator[str]:
    """What the import statements of a file may name as a module; nothing for a file of another Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
