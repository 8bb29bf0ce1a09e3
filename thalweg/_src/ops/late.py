"""Families of ops that need each other: imported when an attribute is first read, so that no import runs in a circle."""

from typing import Any

from thalweg._src.core.lazy import _Lazy

array: Any = _Lazy("thalweg._src.ops.array")
math: Any = _Lazy("thalweg._src.ops.math")
