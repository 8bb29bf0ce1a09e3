"""tf.contrib: what TensorFlow 1.x kept outside of its core. A package below is imported when it is first asked for."""

import importlib
import importlib.util
import pkgutil
from types import ModuleType

from thalweg.contrib import staging as staging


def __getattr__(name: str) -> ModuleType:
    if name.startswith("_") or importlib.util.find_spec(f"{__name__}.{name}") is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))
