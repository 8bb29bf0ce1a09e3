"""The library of CPU kernels: made once for this processor by a C++ compiler, kept in the user's cache, called by XLA.

It is asked for when the first lowering wants a kernel. Where it can't be had, a warning says so once, and the plain lowerings stay.
THALWEG_KERNELS=off leaves it out; `avx512`, `avx2` or `portable` chooses the instructions.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.metadata
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

from thalweg._src.core import foreign, machine
from thalweg._src.core.folders import cache_folder
from thalweg._src.core.lazy import jax

SOURCE = Path(__file__).parent / "source"
TARGETS = (
    "thalweg_convolution",
    "thalweg_convolution_by_input",
    "thalweg_convolution_by_filter",
    "thalweg_depthwise",
    "thalweg_depthwise_by_input",
    "thalweg_depthwise_by_filter",
    "thalweg_pool",
    "thalweg_pool_by_input",
    "thalweg_statistics",
    "thalweg_normalize",
    "thalweg_normalize_gradient",
    "thalweg_update",
    "thalweg_turns",
)
COMPILERS = ("c++", "g++", "clang++")


class Level(NamedTuple):
    """A set of instructions: floats in a vector, rows of sums that the registers hold, how to ask the compiler, what a processor needs."""

    lanes: int
    rows: int
    flags: tuple[str, ...]
    needs: frozenset[str]


LEVELS = {
    "avx512": Level(
        16,
        14,
        ("-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"),
        frozenset({"avx512f", "avx512vl", "avx512dq", "avx512bw", "fma"}),
    ),
    "avx2": Level(8, 6, ("-mavx2", "-mfma"), frozenset({"avx2", "fma"})),
    "portable": Level(4, 6, (), frozenset()),
}


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
    folder = cache_folder("kernels")
    if folder is None:
        return Library(level, None, "THALWEG_CACHE=off leaves no folder to keep them in", wanted=False)
    path = folder / f"{_fingerprint(level)}-{level}.so"
    if path.exists():
        return Library(level, path, "made earlier")
    compiler = os.environ.get("CXX") or next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        return Library(level, None, f"no C++ compiler was found ({', '.join(COMPILERS)}, or $CXX)")
    return _made(compiler, level, path)


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


def _made(compiler: str, level: str, path: Path) -> Library:
    print(f"thalweg: making the CPU kernels ({level}), once for this machine, in {path.parent}", file=sys.stderr)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            new = Path(folder) / path.name
            ran = subprocess.run([*compiler.split(), *arguments(level), "-o", str(new)], capture_output=True, text=True)
            if ran.returncode:
                return Library(level, None, f"{compiler} failed: {_first_error(ran.stderr)}")
            os.replace(new, path)
    except OSError as error:
        return Library(level, None, f"{type(error).__name__}: {error}")
    return Library(level, path, f"made by {compiler}")


def arguments(level: str) -> list[str]:
    """What the compiler is told, but for the name of the result."""
    lanes, rows, flags, _ = LEVELS[level]
    own = [
        "-std=c++17",
        "-O3",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-fPIC",
        "-shared",
        f"-DLANES={lanes}",
        f"-DROWS={rows}",
    ]
    return [*own, *flags, "-isystem", jax.ffi.include_dir(), str(SOURCE / "bindings.cc")]


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line), lines[0] if lines else "no message")


def best_level() -> str:
    """The first of LEVELS whose instructions this processor has."""
    has = machine.features()
    return next(name for name, level in LEVELS.items() if level.needs <= has)


def _fingerprint(level: str) -> str:
    """A name that changes with the sources, the level, the machine and XLA's interface."""
    parts = [*LEVELS[level].flags, platform.machine(), importlib.metadata.version("jaxlib")]
    parts += [p.read_text(encoding="utf-8") for p in sorted(SOURCE.iterdir()) if p.suffix in (".h", ".cc")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
