"""A text as numbers: its characters, and batches of it in reading order.

text = read("input.txt")
for x, y in batches(text.train, 50, 50): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Text(NamedTuple):
    """The characters of a text, sorted, and its two parts as their numbers. Models never see `held_out` while they train."""

    characters: str
    train: np.ndarray
    held_out: np.ndarray

    def encode(self, string: str) -> list[int]:
        """The numbers of the characters of `string`. Raises ValueError for one that the text does not have."""
        return [self.characters.index(c) for c in string]

    def decode(self, ids: list[int]) -> str:
        return "".join(self.characters[i] for i in ids)


def read(path: str | Path, share: float = 0.1) -> Text:
    """The text of a file; the last `share` of it is held out."""
    return of_string(Path(path).read_text(encoding="utf-8"), share)


def of_string(string: str, share: float = 0.1) -> Text:
    characters = "".join(sorted(set(string)))
    number = {c: i for i, c in enumerate(characters)}
    ids = np.array([number[c] for c in string], np.int32)
    cut = len(ids) - int(len(ids) * share)
    return Text(characters, ids[:cut], ids[cut:])


def batches(ids: np.ndarray, rows: int, steps: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs [rows, steps] of characters and those that follow them. Each row goes on where it stopped in the batch before."""
    length = (len(ids) - 1) // rows // steps * steps
    if not length:
        raise ValueError(f"{len(ids)} characters are too few for {rows} rows of {steps}.")
    x = ids[: rows * length].reshape(rows, length)
    y = ids[1 : rows * length + 1].reshape(rows, length)
    for at in range(0, length, steps):
        yield x[:, at : at + steps], y[:, at : at + steps]
