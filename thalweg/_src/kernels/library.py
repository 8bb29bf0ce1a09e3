"""The library of CPU kernels, called by XLA: the one that came with the package, or made once by a C++ compiler for the user's cache.

It is asked for when the first lowering wants a kernel. Where it can't be had, a warning says so once, and the plain lowerings stay.
THALWEG_KERNELS=off leaves it out; `avx512`, `avx2` or `portable` chooses the instructions.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import logging
import os
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from thalweg._src.core import foreign, machine
from thalweg._src.core.folders import cache_folder
from thalweg._src.core.lazy import jax
from thalweg._src.kernels import building
from thalweg._src.kernels.building import LEVELS

TARGETS = (
    "thalweg_convolution",
    "thalweg_convolution_by_input",
    "thalweg_convolution_by_filter",
    "thalweg_depthwise",
    "thalweg_separable",
    "thalweg_depthwise_by_input",
    "thalweg_depthwise_by_filter",
    "thalweg_pool",
    "thalweg_pool_by_input",
    "thalweg_statistics",
    "thalweg_normalize",
    "thalweg_normalize_gradient",
    "thalweg_update",
    "thalweg_multiply",
    "thalweg_turns",
)


class Library(NamedTuple):
    """What was found: the file, or None and the reason; `wanted` says whether its absence is worth a warning."""

    level: str
    path: Path | None
    reason: str
    wanted: bool = True


_lock = threading.Lock()


def available() -> bool:
    """Whether kernels can be called from compiled steps. Makes and loads the library where that has not been tried."""
    with _lock:
        return _loaded()


def opened() -> ctypes.CDLL | None:
    """The library for calls from Python, made where that has not been tried; None where it can't be had."""
    with _lock:
        return _opened()


@functools.cache
def _opened() -> ctypes.CDLL | None:
    found = library()
    if found.path is not None:
        return ctypes.CDLL(str(found.path))
    if found.wanted:
        logging.getLogger("thalweg").warning(
            "Convolutions and recurrent loops run without kernels of machine code, at a half of the speed or less: %s",
            found.reason,
        )
    return None


@functools.cache
def _loaded() -> bool:
    handle = _opened()
    if handle is None:
        return False
    for name in TARGETS:
        jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(handle, name)), platform="cpu")
    return True


@functools.cache
def library() -> Library:
    """The library for this processor, made if it is not in the cache yet."""
    asked = os.environ.get("THALWEG_KERNELS", "")
    if asked in ("off", "0"):
        return Library("", None, f"THALWEG_KERNELS={asked}", wanted=False)
    if asked and asked not in LEVELS:
        return Library("", None, f"THALWEG_KERNELS={asked} is none of off, {', '.join(LEVELS)}")
    level = asked or best_level()
    headers = jax.ffi.include_dir()
    if (given := building.carried(level, building.interface(headers))) is not None:
        return Library(level, given, "came with the package")
    folder = cache_folder("kernels")
    if folder is None:
        return Library(level, None, "THALWEG_CACHE=off leaves no folder to keep them in", wanted=False)
    path = folder / building.file_name(level, importlib.metadata.version("jaxlib"))
    if path.exists():
        return Library(level, path, "made earlier")
    compiler = building.compiler()
    if compiler is None:
        return Library(level, None, f"no C++ compiler was found ({', '.join(building.COMPILERS)}, or $CXX)")
    print(f"thalweg: making the CPU kernels ({level}), once for this machine, in {path.parent}", file=sys.stderr)
    if wrong := building.make(compiler, level, headers, path):
        return Library(level, None, wrong)
    return Library(level, path, f"made by {compiler}")


def _name() -> str:
    path = library().path
    return "" if path is None else path.name


foreign.provide(
    asked=lambda: _name() if _loaded.cache_info().currsize else None,
    ready=lambda: _name() if available() else "",
)


def lanes() -> int:
    """How many floats a vector of the library holds."""
    return LEVELS[library().level].lanes


def best_level() -> str:
    """The first of LEVELS whose instructions this processor has."""
    has = machine.features()
    return next(name for name, level in LEVELS.items() if level.needs <= has)
