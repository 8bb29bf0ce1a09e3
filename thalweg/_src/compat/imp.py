"""The functions of Python's `imp` (gone from 3.12) that programs use."""

import importlib
import importlib.util
from types import ModuleType
from typing import Any

reload = importlib.reload


def new_module(name: str) -> ModuleType:
    return ModuleType(name)


def load_source(name: str, pathname: str, file: Any = None) -> ModuleType:
    """Run a source file as the module `name`."""
    import sys

    spec = importlib.util.spec_from_file_location(name, pathname)
    if spec is None or spec.loader is None:
        raise ImportError(f"{pathname} is no Python source file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
