"""XLA's results on disk, so that the second start of a program need not compile again.

The folder is $THALWEG_CACHE, else `thalweg/xla` in the user's cache folder; THALWEG_CACHE=off turns it off. A user who has set JAX's
own cache keeps it.
"""

from __future__ import annotations

import os
from pathlib import Path

from thalweg._src.core.lazy import jax

_done = False


def folder() -> Path | None:
    """Where compiled programs are kept, or None."""
    named = os.environ.get("THALWEG_CACHE")
    if named == "off":
        return None
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "thalweg" / "xla"


def enable() -> None:
    """Point JAX's persistent compilation cache at our folder, once, unless the user chose another or none can be written."""
    global _done
    if _done:
        return
    _done = True
    if jax.config.jax_compilation_cache_dir is not None:
        return
    path = folder()
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(path))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
