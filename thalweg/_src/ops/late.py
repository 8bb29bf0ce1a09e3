"""Families of ops that need each other: imported when first used, so that no import runs in a circle.

A family is one or several files; `array.tile` finds `tile` in whichever of its files has it.
"""

import importlib
import types
from typing import Any


class _Family(types.ModuleType):
    """The public names of several modules of this package, looked up on first use."""

    def __init__(self, *files: str):
        super().__init__(files[0])
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


gathering: Any = _Family("gathering")
selecting: Any = _Family("selecting")
slicing: Any = _Family("slicing")
joining: Any = _Family("joining")
stacking: Any = _Family("stacking")
transposing: Any = _Family("transposing")
padding: Any = _Family("padding")
scattering: Any = _Family("scattering")
array: Any = _Family(
    *(
        "array",
        "transposing",
        "joining",
        "stacking",
        "slicing",
        "indexing",
        "padding",
        "gathering",
        "scattering",
        "selecting",
    ),
    *("constants", "distinct", "diagonals", "blocks", "partitioning", "grids"),
)
math: Any = _Family(
    *(
        "elementwise",
        "arithmetic",
        "compare",
        "casting",
        "reduce",
        "matmul",
        "cumulative",
        "segments",
        "ranges",
        "complex",
    ),
    *("clip", "special", "counting", "einsum", "broadcasting", "constants", "basic", "activations", "normalization"),
    "sparse_segments",
)
linear_systems: Any = _Family("linear_systems")
