"""distutils.version for a Python without distutils: versions that compare by their parts."""

import re
from functools import total_ordering
from typing import Any


@total_ordering
class LooseVersion:
    """A version number: numbers and words, compared one by one."""

    def __init__(self, vstring: str = ""):
        self.vstring = vstring
        parts = [p for p in re.split(r"(\d+|[a-z]+|\.)", vstring) if p and p != "."]
        self.version: list[Any] = [int(p) if p.isdigit() else p for p in parts]

    def __str__(self) -> str:
        return self.vstring

    def __repr__(self) -> str:
        return f"LooseVersion ('{self.vstring}')"

    def _of(self, other: Any) -> list[Any]:
        return LooseVersion(other).version if isinstance(other, str) else other.version

    def __eq__(self, other: object) -> bool:
        return self.version == self._of(other)

    def __lt__(self, other: Any) -> bool:
        return self.version < self._of(other)

    def __hash__(self) -> int:
        return hash(self.vstring)


StrictVersion = LooseVersion
