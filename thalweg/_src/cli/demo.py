"""`thalweg demo`: the digit classifiers of examples/digits, which an installed wheel carries beside the package."""

import sys
from pathlib import Path

PROGRAM = Path("digits") / "demo.py"


def start(args: list[str]) -> None:
    """Run the demo as `python examples/digits/demo.py ARGS` would; it has its own --help."""
    package = Path(__file__).parents[2]
    found = [f / PROGRAM for f in (package / "_examples", package.parent / "examples") if (f / PROGRAM).is_file()]
    if not found:
        sys.exit(
            "thalweg demo: the examples are not beside this installation; they are in the source's examples/ folder"
        )
    from thalweg._src.compat import program

    program.run_path(str(found[0]), args)
