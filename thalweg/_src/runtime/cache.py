"""XLA's results on disk, so that the second start of a program need not compile again.

The folder is $THALWEG_CACHE, else `thalweg/xla` in the user's cache folder; THALWEG_CACHE=off turns it off. A user who has set JAX's
own cache keeps it.
"""

from __future__ import annotations

import sys
from typing import Any

from thalweg._src.core.folders import cache_folder
from thalweg._src.core.lazy import jax

_done = False


def enable() -> None:
    """Point JAX's persistent compilation cache at our folder, once, unless the user chose another or none can be written."""
    global _done
    if _done:
        return
    _done = True
    if jax.config.jax_compilation_cache_dir is not None:
        return
    path = cache_folder("xla")
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(path))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    _read_only_texts()


class _System:
    """The module sys for JAX's keys, which look for flags among a program's arguments: programs put numbers there too."""

    @property
    def argv(self) -> list[str]:
        return [a for a in sys.argv if isinstance(a, str)]

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


def _read_only_texts() -> None:
    try:
        from jax._src import cache_key
    except ImportError:  # another JAX keeps it elsewhere
        return
    cache_key.sys = _System()  # type: ignore[assignment]
