"""Functions of other libraries that still exist but no longer take what programs of the era give them.

`CHANGES` has a function per module, which gets the module right after it was imported. Each keeps the library's own behaviour
for calls that work today, and only answers those that would fail.
"""

from collections.abc import Callable
from types import ModuleType

from thalweg._src.compat.mended import arrays, keras, learners, libraries, plots, python, seaborn, tables

CHANGES: dict[str, Callable[[ModuleType], None]] = {
    name: mend
    for family in (arrays, keras, learners, libraries, plots, python, seaborn, tables)
    for name, mend in family.CHANGES.items()
}


def change(module: ModuleType) -> None:
    """Mend `module` if it is one of those known here; once."""
    if module.__name__ in CHANGES and not module.__dict__.get("_mended_by_thalweg"):
        CHANGES[module.__name__](module)
        module.__dict__["_mended_by_thalweg"] = True
