"""How a C++ compiler makes the library of CPU kernels from `source/`.

It imports nothing of the package and nothing beyond Python's own library, since the build of a wheel loads it by its path too
(`packaging/kernels_in_wheel.py`).
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parent / "source"
CARRIED = Path(__file__).parent / "made"  # where a wheel carries libraries, one for each of LEVELS
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


def levels_here() -> list[str]:
    """The levels that a compiler for machines of this kind can make."""
    ours = platform.machine().lower() in ("x86_64", "amd64")
    return [name for name, level in LEVELS.items() if ours or not level.flags]


def compiler() -> str | None:
    """The C++ compiler that makes the library: `$CXX`, or the first one on the path."""
    return os.environ.get("CXX") or next(filter(None, map(shutil.which, COMPILERS)), None)


def interface(headers: str) -> tuple[int, int]:
    """The version of XLA's interface for foreign functions that the headers of a jaxlib describe; (-1, -1) if they can't be read."""
    try:
        text = (Path(headers) / "xla" / "ffi" / "api" / "c_api.h").read_text(encoding="utf-8")
    except OSError:
        return (-1, -1)
    found = [re.search(rf"#define XLA_FFI_API_{name} (\d+)", text) for name in ("MAJOR", "MINOR")]
    major, minor = (int(m[1]) if m else -1 for m in found)
    return major, minor


def file_name(level: str, interface: str) -> str:
    """The file of a library: its name changes with the sources, the instructions, the kind of machine, and what it is called through."""
    parts = [*LEVELS[level].flags, platform.machine(), interface]
    parts += [p.read_text(encoding="utf-8") for p in sorted(SOURCE.iterdir()) if p.suffix in (".h", ".cc")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16] + f"-{level}.so"


def carried_name(level: str, version: tuple[int, int]) -> str:
    """The file of a wheel that holds the library of `level`, made for a version of XLA's interface."""
    return file_name(level, f"{version[0]}.{version[1]}")


def carried(level: str, version: tuple[int, int]) -> Path | None:
    """The library that the wheel carries for `level`, if XLA's interface of `version` takes it: it takes those of older minor versions."""
    if not CARRIED.is_dir():
        return None
    paths = (CARRIED / carried_name(level, (version[0], minor)) for minor in range(version[1], -1, -1))
    return next((path for path in paths if path.exists()), None)


def arguments(level: str, headers: str, *, alone: bool = False) -> list[str]:
    """What the compiler is told, but for the name of the result; `alone` for a library that goes to machines without the compiler's own."""
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
    if alone and sys.platform == "linux":
        own += ["-static-libstdc++", "-static-libgcc", "-s", "-Wl,--exclude-libs,ALL,--gc-sections"]
    return [*own, *flags, "-isystem", headers, str(SOURCE / "bindings.cc")]


def make(compiler: str, level: str, headers: str, path: Path, *, alone: bool = False) -> str:
    """Makes the library at `path`, which is there only when it is whole. Returns why that went wrong, or ""."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            new = Path(folder) / path.name
            command = [*compiler.split(), *arguments(level, headers, alone=alone), "-o", str(new)]
            ran = subprocess.run(command, capture_output=True, text=True)
            if ran.returncode:
                return f"{compiler} failed: {_first_error(ran.stderr)}"
            os.replace(new, path)
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line), lines[0] if lines else "no message")
