"""What single units of a network answer to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg._src.lib.plot.canvas import INK, axes, mosaic, names_of, pictures, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def of_unit(activations: object, unit: int) -> np.ndarray:
    """The largest activation of `unit` for each example: [n] of [n, units], or of feature maps [n, height, width, units]."""
    a = np.asarray(activations, np.float64)
    if a.ndim not in (2, 4):
        raise ValueError(f"activations must be [n, units] or [n, height, width, units], not {list(a.shape)}.")
    if not 0 <= unit < a.shape[-1]:
        raise ValueError(f"unit={unit}, but there are the units 0 to {a.shape[-1] - 1}.")
    return a[..., unit].reshape(len(a), -1).max(axis=1) if a.size else np.zeros(0)


def activations(
    activations: object,
    unit: int,
    labels: object = None,
    *,
    names: Sequence[str] | None = None,
    bins: int = 30,
    ax: Axes | None = None,
) -> Axes:
    """How strongly `unit` answers to the examples: a histogram, or with class numbers `labels` [n] a row of points for each class.

    `activations` is [n, units], or feature maps [n, height, width, units], of which the strongest place counts. Raises ValueError for
    other shapes, for a unit that is not there, and for a number of labels that is not n.

    >>> from thalweg import plot
    >>> ax = plot.activations(np.eye(3), 1, labels=[0, 1, 1])
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['0', '1']
    """
    a = of_unit(activations, unit)
    ax = plain(axes(ax, 6.0, 3.4))
    ax.set_xlabel(f"activation of unit {unit}")
    if labels is None:
        ax.hist(a, bins=bins, color="#1f5f99")
        ax.set_ylabel("examples")
        return ax
    kinds = np.asarray(labels)
    kinds = kinds.argmax(axis=1) if kinds.ndim == 2 else kinds
    if len(kinds) != len(a):
        raise ValueError(f"There are {len(a)} examples, but {len(kinds)} labels.")
    count = int(kinds.max(initial=0)) + 1
    rng = np.random.default_rng(0)  # points of one class are spread, so that they can be told apart
    ax.scatter(a, kinds + rng.uniform(-0.3, 0.3, len(a)), s=5, alpha=0.5, color="#1f5f99", linewidths=0)
    for kind in range(count):
        if (kinds == kind).any():
            ax.plot([np.median(a[kinds == kind])] * 2, [kind - 0.4, kind + 0.4], color=INK, linewidth=1.5)
    ax.set_yticks(range(count), names_of(names, count))
    ax.set_ylabel("class; the line is its median")
    ax.invert_yaxis()
    return ax


def most_exciting(
    images: object, activations: object, unit: int, count: int = 20, *, columns: int = 10, ax: Axes | None = None
) -> Axes:
    """The `count` pictures to which `unit` answers most strongly, the strongest first, each over its activation.

    `images` are [n, height, width], with channels, or flat squares; `activations` as for `plot.activations`. Raises ValueError where
    they are not of one number.

    >>> from thalweg import plot
    >>> ax = plot.most_exciting(np.zeros([3, 4]), np.array([[1.0], [3.0], [2.0]]), unit=0, count=2)
    >>> [text.get_text() for text in ax.texts]
    ['3.00', '2.00']
    """
    shown, a = pictures(images), of_unit(activations, unit)
    if len(shown) != len(a):
        raise ValueError(f"There are {len(shown)} pictures, but activations for {len(a)}.")
    best = np.argsort(-a, kind="stable")[:count]
    captions = [f"{a[i]:.2f}" for i in best]
    ax = mosaic(shown[best], captions, columns=columns, ax=ax, inches=0.7, room=0.3)
    ax.set_title(f"what excites unit {unit} most")
    return ax
