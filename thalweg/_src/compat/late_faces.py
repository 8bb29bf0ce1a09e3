"""The faces that `import thalweg` leaves alone: they are imported when a program first asks for them."""

import importlib
import sys
from typing import Any

from thalweg._src.runtime import messages

LATE = ("autograph", "data", "distributions", "estimator", "feature_column", "profiler", "raw_ops", "tpu", "xla")


def __getattr__(name: str) -> Any:
    if name in LATE:
        return importlib.import_module(f"thalweg.{name}")
    return messages.__getattr__(name)


def __dir__() -> list[str]:
    return sorted({*vars(sys.modules["thalweg"]), *LATE, *messages.NAMES})
