"""tensorflow.python.util.all_util: what modules of TensorFlow hide of themselves."""

from typing import Any


def remove_undocumented(module_name: str, allowed_exception_list: Any = None, doc_string_modules: Any = None) -> None:
    """Hides nothing: a program's own modules keep their names."""


def make_all(module_name: str, doc_string_modules: Any = None) -> list[str]:
    """The public names of a module."""
    import sys

    return sorted(name for name in vars(sys.modules[module_name]) if not name.startswith("_"))
