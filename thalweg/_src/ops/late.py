"""Families of ops that need each other: imported when first used, so that no import runs in a circle.

A family is one or several files; `array.tile` finds `tile` in whichever of its files has it.
"""

import importlib
import types
from typing import Any


class _Family(types.ModuleType):
    """The public names of several modules of this package, looked up on first use."""

    def __init__(self, *files: str):
        super().__init__(files[0].rpartition(".")[2])
        self._files = files

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        for file in self._files:
            module = importlib.import_module(f"{__package__}.{file}")
            if hasattr(module, name):
                value = getattr(module, name)
                setattr(self, name, value)
                return value
        raise AttributeError(f"none of {', '.join(self._files)} has {name!r}")


def _in(folder: str, files: str) -> list[str]:
    return [f"{folder}.{file}" for file in files.split()]


gathering: Any = _Family("arrays.gathering")
selecting: Any = _Family("arrays.selecting")
slicing: Any = _Family("arrays.slicing")
joining: Any = _Family("arrays.joining")
stacking: Any = _Family("arrays.stacking")
transposing: Any = _Family("arrays.transposing")
padding: Any = _Family("arrays.padding")
scattering: Any = _Family("arrays.scattering")
array: Any = _Family(
    "array",
    *_in("arrays", "transposing joining stacking slicing indexing padding gathering scattering selecting"),
    *_in("arrays", "constants distinct diagonals blocks partitioning grids"),
)
math: Any = _Family(
    *_in("numeric", "elementwise arithmetic compare casting reduce matmul cumulative segments"),
    *("arrays.ranges", *_in("numeric", "complex clip special counting einsum")),
    *("arrays.broadcasting", "arrays.constants", "basic", "nets.activations", "nets.normalization"),
    "sparse_tensors.sparse_segments",
)
linear_systems: Any = _Family("linear.linear_systems")
