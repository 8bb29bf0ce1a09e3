"""The processor that this process runs on."""

from __future__ import annotations

import functools
from pathlib import Path


@functools.cache
def features() -> frozenset[str]:
    """The features that Linux lists for this processor; elsewhere none are counted on."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    lines = [line.partition(":")[2] for line in text.splitlines() if line.startswith("flags")]
    return frozenset(lines[0].split()) if lines else frozenset()
