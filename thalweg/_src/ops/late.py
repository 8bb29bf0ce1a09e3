"""Families of ops that need each other: imported when first used, so that no import runs in a circle."""

from typing import Any

from thalweg._src.core.lazy import _Lazy

array: Any = _Lazy("thalweg._src.ops.array")
math: Any = _Lazy("thalweg._src.ops.math")
gathering: Any = _Lazy("thalweg._src.ops.gathering")
selecting: Any = _Lazy("thalweg._src.ops.selecting")
slicing: Any = _Lazy("thalweg._src.ops.slicing")
joining: Any = _Lazy("thalweg._src.ops.joining")
stacking: Any = _Lazy("thalweg._src.ops.stacking")
transposing: Any = _Lazy("thalweg._src.ops.transposing")
joining: Any = _Lazy("thalweg._src.ops.joining")
padding: Any = _Lazy("thalweg._src.ops.padding")
stacking: Any = _Lazy("thalweg._src.ops.stacking")
transposing: Any = _Lazy("thalweg._src.ops.transposing")
scattering: Any = _Lazy("thalweg._src.ops.scattering")
