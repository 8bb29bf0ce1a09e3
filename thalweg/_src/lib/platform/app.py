"""tf.app.run: parse the flags and call the program's main."""

import sys
from collections.abc import Callable
from typing import Any, NoReturn

from thalweg._src.lib.platform import flags


def run(main: Callable[[list[str]], Any] | None = None, argv: list[str] | None = None) -> NoReturn:
    """Call `main` (by default the program's own) with what is no flag of the arguments; exit with what it returns."""
    from absl import app

    app.run(main or sys.modules["__main__"].main, argv, flags_parser=lambda given: flags.FLAGS(given, known_only=True))
    raise AssertionError("absl.app.run returned")
