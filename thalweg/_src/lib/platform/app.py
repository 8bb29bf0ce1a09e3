"""tf.app.run: parse the flags and call the program's main."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from thalweg._src.lib.platform import flags


def run(main: Callable[[list[str]], Any] | None = None, argv: list[str] | None = None) -> NoReturn:
    """Call `main` (by default the program's own) with what is no flag of the arguments; exit with what it returns."""
    own = {name: (flags.FLAGS[name], flags.FLAGS.find_module_defining_flag(name)) for name in flags.FLAGS}
    app = _absl_app(own)

    def parse(given: list[str]) -> list[str]:
        rest = flags.FLAGS(given, known_only=True)
        if "verbosity" in own:  # or absl.app would take it for its own, and set it
            own["verbosity"][0].using_default_value = False
        return rest

    app.run(main or sys.modules["__main__"].main, argv, flags_parser=parse)
    raise AssertionError("absl.app.run returned")


def _absl_app(own: dict[str, tuple[Any, str]]) -> ModuleType:
    """absl.app, whose flags (log_dir, verbosity, v ...) give way to the program's: until 1.10 TensorFlow did not define them."""
    strict = [flag for flag, _ in own.values() if not flag.allow_override]
    for flag in strict:
        flag.allow_override = True
    from absl import app

    for name, (flag, module) in own.items():
        if flags.FLAGS[name] is not flag:
            flags.FLAGS[name] = flag
            flags.FLAGS.register_flag_by_module(module, flag)
    for flag in strict:  # what the program defines twice is refused as before
        flag.allow_override = False
    if "verbosity" in own:  # absl asks the flag of this name to set its loggers
        own["verbosity"][0]._update_logging_levels = lambda: None
    return app
