"""How this process uses its processor and memory. As in TensorFlow, the first session decides for all of them."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from typing import Any

from thalweg._src.core.lazy import jax

_limited = False


def limit_threads(config: Any) -> None:
    """Obey `intra_op_parallelism_threads`: XLA's pool, which our kernels share, gets so many threads.

    XLA reads the number when its CPU client is made, which is now. A program that used JAX before has its pool already.
    """
    global _limited
    count = config.intra_op_parallelism_threads if config is not None else 0
    if count <= 0 or _limited:
        return
    _limited = True
    old = os.environ.get("NPROC")
    os.environ["NPROC"] = str(count)
    try:
        jax.devices()
    finally:
        if old is None:
            del os.environ["NPROC"]
        else:
            os.environ["NPROC"] = old


# The parameters of glibc's mallopt.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
_KEPT = 1 << 30  # bytes at the end of the heap


@functools.cache
def keep_memory() -> None:
    """Let the C library keep what is freed, up to a gigabyte, for the next step.

    XLA asks for the memory of a step when it begins and frees it at the end. Taken from the system and given back each time, every
    page of it is made anew: a quarter of a convolutional training step. THALWEG_KEEP_MEMORY=0 leaves the C library as it is, which
    only glibc lets us change.
    """
    if os.environ.get("THALWEG_KEEP_MEMORY") == "0" or not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, _KEPT)
    mallopt(_ARENA_MAX, max(2, os.cpu_count() or 1))  # or every thread keeps memory of its own


def give_back() -> None:
    """Return to the system what the C library keeps and nobody uses: after work that will not come again, as a step does.

    A hole where one tensor was may be some bytes too small for the next one, so that holes would add up.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)
