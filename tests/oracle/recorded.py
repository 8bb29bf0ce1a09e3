"""What scripts of this folder recorded under TensorFlow, for the tests that compare with it."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"


def recorded(name: str) -> Any:
    """The values of `golden/NAME.json.gz`."""
    return json.loads(gzip.decompress((GOLDEN / f"{name}.json.gz").read_bytes()))


def same(got: Any, expected: Any, rel: float, abs: float) -> None:
    """Fail where nested lists differ: numbers by more than `rel` of them and `abs`, anything else at all."""
    if isinstance(expected, list):
        assert isinstance(got, list | tuple)
        assert len(got) == len(expected), (got, expected)
        for g, e in zip(got, expected, strict=True):
            same(g, e, rel, abs)
    elif isinstance(expected, float):
        assert got == pytest.approx(expected, rel=rel, abs=abs, nan_ok=True)
    else:
        assert got == expected
