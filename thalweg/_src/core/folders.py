"""Where files are kept that make the next start quicker."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(what: str) -> Path | None:
    """The folder for `what` in the user's cache folder, or None where nothing is to be kept.

    $THALWEG_CACHE names another folder for all that is kept; THALWEG_CACHE=off keeps nothing.
    """
    named = os.environ.get("THALWEG_CACHE")
    if named == "off":
        return None
    if named:
        return Path(named) if what == "xla" else Path(named) / what
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "thalweg" / what
