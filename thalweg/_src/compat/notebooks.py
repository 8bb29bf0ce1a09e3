"""Notebooks run as programs: their cells one after the other, without Jupyter.

A cell's last expression is shown as Jupyter would in a terminal. Of the lines for IPython, `%%writefile` writes its file,
`%cd`, `%env` and `!command` do what they say (packages are not installed), `%%time` and the like are passed over.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import re
import subprocess
import sys
from types import ModuleType
from typing import Any

from thalweg._src.compat import python2, scalars

INSTALLS = re.compile(r"!+\s*(sudo\s+)?(python\d?\s+-m\s+)?(pip\d?|conda|apt|apt-get|brew)\b")
SHELL = ("%%bash", "%%sh", "%%script", "%%javascript", "%%html", "%%latex", "%%markdown", "%%svg")


def cells(path: str) -> list[str]:
    """The source of each code cell. ValueError where the file is no notebook."""
    with open(path, encoding="utf-8") as f:
        notebook = json.load(f)
    if not isinstance(notebook, dict) or not ("cells" in notebook or "worksheets" in notebook):
        raise ValueError(f"{path} is not a notebook: it has no cells")
    found = notebook.get("cells") or [c for sheet in notebook.get("worksheets", ()) for c in sheet["cells"]]
    sources = [c.get("source", c.get("input", "")) for c in found if c.get("cell_type") == "code"]
    return [s if isinstance(s, str) else "".join(s) for s in sources]


def execute(path: str, main: ModuleType) -> None:
    """Run the cells of the notebook in the namespace of `main`. An error ends it."""
    for number, source in enumerate(cells(path), 1):
        run_cell(source, f"{path}[{number}]", main.__dict__)


def run_cell(source: str, filename: str, names: dict[str, Any]) -> None:
    """Run one cell."""
    python = without_magic(source)
    linecache.cache[filename] = (len(python), None, python.splitlines(True), filename)
    if python2.is_on():
        tree = python2.parsed(python, filename)
    else:
        tree = ast.parse(python, filename)
    last = tree.body[-1] if tree.body else None
    shown = isinstance(last, ast.Expr) and not python.rstrip().endswith(";")
    if shown:
        tree.body.pop()
    exec(_code(tree, filename), names)
    if shown:
        display(eval(_code(ast.Expression(last.value), filename, "eval"), names))  # type: ignore[union-attr]


def _code(tree: Any, filename: str, mode: str = "exec") -> Any:
    tree = scalars.rewritten(tree) if scalars.is_on() else tree
    return compile(tree, filename, mode, dont_inherit=True)


def display(value: Any) -> None:
    """Print what a cell gives, if it gives anything."""
    if value is not None:
        print(repr(value))


def without_magic(source: str) -> str:
    """The Python of a cell; what IPython would do besides has become calls, on the same lines."""
    first = source.lstrip().split("\n", 1)[0].strip()
    if first.startswith("%%writefile"):
        return f"open({first.split()[-1]!r}, 'w').write({source.lstrip().split(chr(10), 1)[-1]!r}) and None"
    if first.startswith(SHELL):
        return ""
    lines = source.split("\n")
    inside = _lines_inside_strings(source)
    return "\n".join(line if i in inside else _line(line) for i, line in enumerate(lines))


def _lines_inside_strings(source: str) -> set[int]:
    """The lines that begin within a string of several, where a % or ! is text."""
    found: set[int] = set()
    for match in re.finditer(r"('''|\"\"\").*?\1", source, re.S):
        start = source.count("\n", 0, match.start())
        found.update(range(start + 1, source.count("\n", 0, match.end()) + 1))
    return found


def _line(line: str) -> str:
    text = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    if text.startswith("!"):
        command = text.lstrip("!").strip()
        call = f"print({'not run: ' + text!r})" if INSTALLS.match(text) else f"__thalweg_shell__({command!r})"
        return f"{indent}{call}"
    if text.startswith("%"):
        name, _, rest = text.lstrip("%").partition(" ")
        if name == "cd":
            return f"{indent}__import__('os').chdir({os.path.expanduser(rest.strip())!r})"
        if name in ("env", "set_env") and re.match(r"\s*\w+[= ]", rest):
            key, value = re.split(r"[= ]", rest.strip(), maxsplit=1)
            return f"{indent}__import__('os').environ[{key!r}] = {value.strip()!r}"
        return f"{indent}{rest}" if name in ("time", "timeit") and rest.strip() else f"{indent}pass"
    return f"{indent}pass" if text.startswith("?") or re.fullmatch(r"[\w.]+\?{1,2}", text) else line


def shell(command: str) -> None:
    """What `!command` does."""
    sys.stdout.flush()
    subprocess.run(command, shell=True, check=False)
