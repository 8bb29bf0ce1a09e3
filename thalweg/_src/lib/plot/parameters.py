"""What a model has learned, drawn as pictures of its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg._src.lib.plot.canvas import mosaic, names_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def weights(
    W: object,
    shape: tuple[int, int],
    *,
    names: Sequence[str] | None = None,
    columns: int = 5,
    ax: Axes | None = None,
) -> Axes:
    """Each column of `W` [height * width, units] as a picture: blue pixels speak for the unit, red ones against it.

    `shape` is (height, width). All pictures share one scale, whose middle, white, is 0. Raises ValueError where `W` is
    no matrix or its rows do not make such a picture.

    >>> from thalweg import plot
    >>> ax = plot.weights(np.eye(4), (2, 2))
    >>> len(ax.images), [text.get_text() for text in ax.texts]
    (4, ['0', '1', '2', '3'])
    """
    W = np.asarray(W)
    if W.ndim != 2 or W.shape[0] != shape[0] * shape[1]:
        raise ValueError(f"W must be [{shape[0]} * {shape[1]}, units] for pictures of {shape}, not {list(W.shape)}.")
    images = np.moveaxis(W.reshape(*shape, -1), -1, 0)
    captions = names_of(names, len(images))
    room = 0.2 if any(captions) else 0.0
    return mosaic(images, captions, columns=columns, ax=ax, signed=True, room=room)


def filters(kernel: object, *, channel: int | None = None, columns: int = 8, ax: Axes | None = None) -> Axes:
    """The filters of a convolution: `kernel` [height, width, in, out] as `out` pictures.

    With one channel going in, a picture shows the weights, blue above and red below zero, on one scale for all. With
    three it shows colours, each filter stretched to the whole range. With another number, `channel` says which one to
    show. Raises ValueError for other shapes, and for a `channel` that is missing or not there.

    >>> from thalweg import plot
    >>> len(plot.filters(np.zeros([5, 5, 1, 32])).images)
    32
    """
    kernel = np.asarray(kernel)
    if kernel.ndim != 4:
        raise ValueError(f"kernel must be [height, width, in, out], not {list(kernel.shape)}.")
    into = kernel.shape[2]
    if channel is None and into not in (1, 3):
        raise ValueError(f"{into} channels go into these filters: say which one to show, channel=0 to {into - 1}.")
    if channel is not None and not 0 <= channel < into:
        raise ValueError(f"channel={channel}, but the kernel has the channels 0 to {into - 1}.")
    images = np.moveaxis(kernel, 3, 0)
    captions = [""] * len(images)
    if channel is None and into == 3:
        low, high = images.min(axis=(1, 2, 3), keepdims=True), images.max(axis=(1, 2, 3), keepdims=True)
        return mosaic(
            (images - low) / np.where(high > low, high - low, 1), captions, columns=columns, ax=ax, inches=0.7
        )
    return mosaic(images[..., channel or 0], captions, columns=columns, ax=ax, inches=0.7, signed=True)
