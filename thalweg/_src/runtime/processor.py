"""How this process uses its processor and memory. As in TensorFlow, the first session decides for all of them."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thalweg._src.core.lazy import jax

_limited = 0  # threads, as the first session that says a number wants them


def limit_threads(config: Any) -> None:
    """Obey `intra_op_parallelism_threads`: XLA's pool, which our kernels share, gets so many threads.

    XLA reads the number when its CPU client is made, which is now. A program that used JAX before has its pool already.
    """
    global _limited
    count = config.intra_op_parallelism_threads if config is not None else 0
    if count <= 0 or _limited:
        return
    _limited = count
    old = os.environ.get("NPROC")
    os.environ["NPROC"] = str(count)
    try:
        jax.devices()
    finally:
        if old is None:
            del os.environ["NPROC"]
        else:
            os.environ["NPROC"] = old


def threads() -> int:
    """How many threads a session asked for; 0 where none did."""
    return _limited


# The parameters of glibc's mallopt.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8
_KEPT = 1 << 30  # bytes at the end of the heap


@functools.cache
def keep_memory() -> None:
    """Let the C library keep what is freed, up to a gigabyte, for the next step.

    XLA asks for the memory of a step when it begins and frees it at the end. Taken from the system and given back each time, every
    page of it is made anew: a quarter of a convolutional training step. All threads share one heap: that of another thread than the first
    has pieces of 64 MB, is given back when a step ends, and what is larger is taken from the system each time. THALWEG_KEEP_MEMORY=0 leaves
    the C library as it is, which only glibc lets us change.
    """
    if os.environ.get("THALWEG_KEEP_MEMORY") == "0" or not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, _KEPT)
    mallopt(_TOP_PAD, _KEPT)  # a thread that has a heap of its own by now keeps it
    mallopt(_ARENA_MAX, 1)
    _ask_for_huge_pages()


_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_HUGE, _HUGE_PAGES = 1 << 21, 14  # bytes of such a page; madvise's MADV_HUGEPAGE
_WIDE = 1 << 29  # bytes of the heap


def _ask_for_huge_pages() -> None:
    """Have the system back what the heap grows by, up to half a gigabyte, by pages of 2 MB, where it does so for those who ask.

    A step goes over tens of megabytes, and looking up a page of 4 KB costs more than reading it. Nothing is touched, so nothing is used.
    """
    with contextlib.suppress(OSError):
        if "[madvise]" not in _PAGES.read_text():
            return
        library = ctypes.CDLL(None)
        library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        library.free.restype, library.free.argtypes = None, [ctypes.c_void_p]
        library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        start = library.malloc(_WIDE)
        if start:
            first = -(-start // _HUGE) * _HUGE
            library.madvise(first, start + _WIDE - first, _HUGE_PAGES)
            library.free(start)


@functools.cache
def _products() -> tuple[Any, Any] | None:
    """What reads and what sets the number of threads of the OpenBLAS that NumPy computes products with; None where it has another."""
    if not sys.platform.startswith("linux"):
        return None
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "openblas" in line}
    for path in sorted(paths):
        library = ctypes.CDLL(path)
        for before, after in (("scipy_", "64_"), ("", "64_"), ("", "")):
            read, change = (getattr(library, f"{before}openblas_{w}_num_threads{after}", None) for w in ("get", "set"))
            if read is not None and change is not None:
                return read, change
    return None


_alone_lock, _alone, _threads = threading.Lock(), 0, 1


@contextlib.contextmanager
def products_alone() -> Iterator[None]:
    """NumPy's products on the calling thread.

    Small ones hardly gain by a second thread, and wait for it where other processes want the processor too.
    """
    global _alone, _threads
    found = _products()
    if found is None:
        yield
        return
    read, change = found
    with _alone_lock:
        if not _alone:
            _threads = read()
            change(1)
        _alone += 1
    try:
        yield
    finally:
        with _alone_lock:
            _alone -= 1
            if not _alone:
                change(_threads)


def give_back() -> None:
    """Return to the system what the C library keeps and nobody uses: after work that will not come again, as a step does.

    A hole where one tensor was may be some bytes too small for the next one, so that holes would add up.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)
