"""Where pictures are drawn: an Axes in a Figure of its own, made without pyplot, and mosaics of small images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, FAINT, WRONG, RIGHT = "#222222", "#9a9a9a", "#c0392b", "#1f5f99"
SIGNED = "RdBu"  # below zero red, zero white, above zero blue
CAPTION = 9  # points


def axes(ax: Axes | None, width: float, height: float) -> Axes:
    """`ax`, or a new one in a figure of `width` x `height` inches that pyplot does not know: nothing is global."""
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("thalweg.plot draws with matplotlib: pip install 'thalweg[plot]'") from error
    return Figure(figsize=(width, height), layout="constrained", dpi=120).add_subplot()


def plain(ax: Axes) -> Axes:
    """`ax` without the frame's upper and right line."""
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def classes(given: object, name: str) -> np.ndarray:
    """Class numbers [n]: `given` itself, or the place of the largest entry of each row of [n, k]."""
    a = np.asarray(given)
    if a.ndim == 2:
        return a.argmax(axis=1)
    if a.ndim != 1 or not (np.issubdtype(a.dtype, np.integer) or (a == a.astype(np.int64)).all()):
        raise ValueError(
            f"{name} must be class numbers [n] or one row per example [n, k], not {a.dtype}{list(a.shape)}."
        )
    return a.astype(np.int64)


def same_length(**given: np.ndarray) -> int:
    """The length that all of `given` share."""
    lengths = {name: len(a) for name, a in given.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"One entry per example is wanted, but the lengths are {lengths}.")
    return next(iter(lengths.values()))


def names_of(names: Sequence[str] | None, count: int) -> list[str]:
    """`names`, or the numbers from 0, for `count` classes."""
    if names is None:
        return [str(i) for i in range(count)]
    if len(names) < count:
        raise ValueError(f"There are {count} classes, but {len(names)} names.")
    return [str(name) for name in names]


def pictures(images: object) -> np.ndarray:
    """[n, height, width] or [n, height, width, 3 or 4]; flat pictures [n, side * side] and [..., 1] are reshaped."""
    a = np.asarray(images)
    if a.ndim == 2:
        side = round(a.shape[1] ** 0.5)
        if side * side != a.shape[1]:
            raise ValueError(
                f"Flat pictures must be squares; {a.shape[1]} pixels are none. Reshape to [n, height, width]."
            )
        return a.reshape(-1, side, side)
    if a.ndim == 4 and a.shape[3] == 1:
        return a[..., 0]
    if a.ndim == 3 or (a.ndim == 4 and a.shape[3] in (3, 4)):
        return a
    raise ValueError(
        f"Pictures must be [n, pixels], [n, height, width] or [n, height, width, channels], not {list(a.shape)}."
    )


def mosaic(
    images: np.ndarray,
    captions: Sequence[str],
    *,
    colors: Sequence[str] | None = None,
    columns: int,
    ax: Axes | None,
    inches: float = 0.9,
    signed: bool = False,
    gap: float = 0.12,
    room: float = 0.0,
) -> Axes:
    """`images` [n, height, width(, channels)] in rows of `columns`, each over its caption: `ax.images`, `ax.texts`.

    All share one scale: white at 0 with `signed`, else from the least to the greatest value, dark for great. A tile is
    `inches` wide; `gap` and `room` (under each tile, for its caption) are in units of a tile's width.
    """
    n = len(images)
    columns = max(1, min(columns, n))
    rows = -(-n // columns)
    tall = images.shape[1] / images.shape[2] if n else 1.0
    across, down = 1 + gap, tall + gap + room
    ax = axes(ax, max(4.0, columns * across * inches + 0.2), rows * down * inches + 0.5)  # a title needs four inches
    if images.ndim == 4:
        style: dict = {}
    elif signed:
        top = float(np.abs(images).max(initial=0)) or 1.0
        style = {"cmap": SIGNED, "vmin": -top, "vmax": top}
    else:
        style = {"cmap": "gray_r", "vmin": float(images.min(initial=0)), "vmax": float(images.max(initial=0)) or 1.0}
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top_edge = i % columns * across, i // columns * down
        ax.imshow(image, extent=(left, left + 1, top_edge + tall, top_edge), interpolation="nearest", **style)
        if signed:  # white pixels at the edge would not end
            around = [left, left + 1, left + 1, left, left], [top_edge, top_edge, *[top_edge + tall] * 2, top_edge]
            ax.plot(*around, color="#cccccc", linewidth=0.6)
        if caption:
            color = INK if colors is None else colors[i]
            ax.text(left + 0.5, top_edge + tall + 0.04, caption, ha="center", va="top", fontsize=CAPTION, color=color)
    ax.set_xlim(-gap, columns * across)
    ax.set_ylim(rows * down, -gap)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax
