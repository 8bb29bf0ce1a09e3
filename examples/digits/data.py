"""Pictures of handwritten digits: the 1,797 that scikit-learn bundles, or MNIST from its four files.

digits = load()             # 8x8 pixels, from scikit-learn
digits = load("mnist/")     # 28x28 pixels, from the folder's idx files
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

CLASSES = 10
IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class Examples(NamedTuple):
    """Pictures and what they show: [n, side * side] floats in 0..1, and [n, 10] with a one at the digit."""

    images: np.ndarray
    labels: np.ndarray


class Digits(NamedTuple):
    """A data set in two parts. The models never see `test` while they train."""

    name: str
    side: int
    train: Examples
    test: Examples


class DataError(Exception):
    """The pictures are not where they should be, or not what they should be."""


def load(folder: str | Path | None = None) -> Digits:
    """MNIST from the four idx files in `folder`, or without one the digits that come with scikit-learn."""
    return bundled() if folder is None else mnist(Path(folder))


def bundled() -> Digits:
    """scikit-learn's digits: 8x8 pixels; every fifth picture of each digit is for testing (363), the rest for training.

    They lie in the order in which 43 people wrote them, so both parts hold every hand, and a model's accuracy is that
    on new digits of people it knows. On people it has never seen it would be lower.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as e:
        raise DataError("The bundled digits come with scikit-learn: pip install scikit-learn, or give --data.") from e
    bunch = load_digits()
    images, labels = bunch.data.astype(np.float32) / 16, bunch.target
    test = np.zeros(len(labels), bool)
    for digit in range(CLASSES):
        test[np.flatnonzero(labels == digit)[::5]] = True
    return Digits(
        "scikit-learn's digits", 8, examples(images[~test], labels[~test]), examples(images[test], labels[test])
    )


def mnist(folder: Path) -> Digits:
    """MNIST: 60,000 pictures of 28x28 pixels to train with and 10,000 to test. Each file may be gzipped (.gz)."""
    paths = [idx_path(folder, name) for name in IDX_FILES]
    missing = [name for name, path in zip(IDX_FILES, paths, strict=True) if path is None]
    if missing:
        what = "is not a folder" if not folder.is_dir() else f"lacks {len(missing)} of MNIST's four files"
        lines = "\n".join(f"  {'missing' if name in missing else 'found  '}  {name}" for name in IDX_FILES)
        raise DataError(f"{folder} {what}; it must hold these, plain or with .gz at the end:\n{lines}")
    arrays = [read_idx(path) for path in paths if path is not None]
    for path, pictures, labels in ((paths[0], *arrays[:2]), (paths[2], *arrays[2:])):
        if pictures.ndim != 3 or pictures.shape[1] != pictures.shape[2] or labels.shape != pictures.shape[:1]:
            raise DataError(
                f"{path} and its labels do not fit: pictures {list(pictures.shape)}, labels {list(labels.shape)}; "
                "allowed are [n, side, side] and [n]."
            )
        if labels.size and labels.max() >= CLASSES:
            raise DataError(f"The labels of {path} go up to {labels.max()}; digits are 0 to 9.")
    pixels = [flat(arrays[0]), flat(arrays[2])]
    return Digits("MNIST", arrays[0].shape[1], examples(pixels[0], arrays[1]), examples(pixels[1], arrays[3]))


def idx_path(folder: Path, name: str) -> Path | None:
    """The file `name` or `name`.gz in `folder`."""
    found = (path for path in (folder / name, folder / (name + ".gz")) if path.is_file())
    return next(found, None)


def read_idx(path: Path) -> np.ndarray:
    """The array of bytes in an idx file: two zeros, 8 for bytes, the rank, each size as four bytes, the data."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as e:
        raise DataError(f"{path} cannot be read: {e}") from e
    if len(raw) < 4 or raw[:3] != b"\0\0\x08":
        raise DataError(f"{path} is no idx file of bytes: it starts with {raw[:4]!r}.")
    rank = raw[3]
    if len(raw) < 4 + 4 * rank:
        raise DataError(f"{path} ends within its header.")
    shape = struct.unpack_from(f">{rank}I", raw, 4)
    size = int(np.prod(shape, dtype=np.int64))
    if len(raw) != 4 + 4 * rank + size:
        raise DataError(
            f"{path} should hold {size} bytes after its header, for {shape}; it holds {len(raw) - 4 - 4 * rank}."
        )
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def flat(pictures: np.ndarray) -> np.ndarray:
    """Bytes [n, side, side] as floats [n, side * side] in 0..1."""
    return pictures.reshape(len(pictures), -1).astype(np.float32) / 255


def examples(images: np.ndarray, labels: np.ndarray) -> Examples:
    """`images` with their labels [n] turned into rows with a single one."""
    return Examples(images, np.eye(CLASSES, dtype=np.float32)[labels])


class Wobble(NamedTuple):
    """How far a picture may be moved (pixels), turned (degrees) and stretched (share of its size), either way."""

    shift: float
    turn: float = 0.0
    stretch: float = 0.0


def batches(
    part: Examples, size: int, steps: int, *, seed: int = 0, wobble: Wobble | None = None
) -> Iterator[Examples]:
    """`steps` batches of `size` examples, in a new order for each pass over `part`; with `wobble`, never twice the same."""
    rng = np.random.default_rng(seed)
    queue = np.empty(0, np.intp)
    for _ in range(steps):
        while len(queue) < size:
            queue = np.concatenate([queue, rng.permutation(len(part.images))])
        chosen, queue = queue[:size], queue[size:]
        images = part.images[chosen]
        yield Examples(wobbled(images, wobble, rng) if wobble else images, part.labels[chosen])


def wobbled(images: np.ndarray, by: Wobble, rng: np.random.Generator) -> np.ndarray:
    """Each of `images` [n, side * side] moved, turned and stretched at random: new pictures of the same digits.

    A pixel of a new picture mixes the four of the old one between which it falls (bilinear interpolation); outside of
    the old picture is background.
    """
    n, pixels = images.shape
    side = int(pixels**0.5)
    middle = (side - 1) / 2
    angle = np.radians(rng.uniform(-by.turn, by.turn, n))
    scale = 1 + rng.uniform(-by.stretch, by.stretch, n)
    down, right = middle + rng.uniform(-by.shift, by.shift, (2, n, 1))
    cos, sin = (scale * np.cos(angle))[:, None], (scale * np.sin(angle))[:, None]
    y, x = (np.mgrid[:side, :side] - middle).reshape(2, -1)
    # A frame of background two pixels wide, into which what is farther out is clipped.
    frame = 2
    padded = np.pad(images.reshape(n, side, side), ((0, 0), (frame, frame), (frame, frame))).reshape(-1)
    row = np.clip(cos * y - sin * x + down + frame, 0, side + 2 * frame - 1.001)
    column = np.clip(sin * y + cos * x + right + frame, 0, side + 2 * frame - 1.001)
    top, left = row.astype(np.int32), column.astype(np.int32)
    v, u = (row - top).astype(images.dtype), (column - left).astype(images.dtype)
    width = side + 2 * frame
    at = (np.arange(n, dtype=np.int32) * width * width)[:, None] + top * width + left
    upper = padded[at] * (1 - u) + padded[at + 1] * u
    lower = padded[at + width] * (1 - u) + padded[at + width + 1] * u
    return upper * (1 - v) + lower * v
