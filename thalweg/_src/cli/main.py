"""The `thalweg` command. `run`, `check` and `demo` start at once; the other commands need typer and rich, and fetch them on use."""

import sys

from thalweg._src.cli import check, demo
from thalweg._src.cli.run import start

COMMANDS = ("run", "check", "demo", "board", "doctor", "inspect")


def main() -> None:
    first, *rest = sys.argv[1:] or ["--help"]
    if first == "run" and rest and rest[0] not in ("-h", "--help"):
        start(rest)
    elif first == "demo":
        demo.start(rest)
    elif first == "check":
        check.start(rest)
    elif first in COMMANDS or first in ("-h", "--help", "--version"):
        try:
            from thalweg._src.cli.commands import app
        except ModuleNotFoundError as error:
            if error.name not in ("typer", "rich"):
                raise
            sys.exit(f"thalweg {first} needs {error.name}, which is not installed: pip install 'thalweg[demo]'")
        app(prog_name="thalweg")
    elif started_as_module():
        start(sys.argv[1:])
    else:
        sys.exit(f"thalweg: no command {first!r}. To run a program: thalweg run {' '.join(sys.argv[1:])}")


def started_as_module() -> bool:
    """Whether this is `python -m thalweg`, which takes a program's name where `thalweg` takes a command's."""
    return getattr(sys.modules["__main__"], "__spec__", None) is not None
