"""What a small model has learned, drawn over its whole input: the regions of a classifier, the curve of a regression."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._src.lib.plot.canvas import axes, names_of, plain
from thalweg._src.lib.plot.descent import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def decision_surface(
    predict: Callable[[np.ndarray], Any],
    points: object,
    labels: object,
    *,
    names: Sequence[str] | None = None,
    resolution: int = 200,
    margin: float = 0.15,
    ax: Axes | None = None,
) -> Axes:
    """The plane as a classifier of two inputs sees it, and the examples it was trained on.

    `predict` takes points [n, 2] and gives the probability of class 1 [n] (or [n, 1]), or that of each class [n, k]; `points` [m, 2] and
    class numbers `labels` [m] are the examples. Paler ground is less certain; the line is where the decision changes. Raises ValueError
    for other shapes.

    >>> from thalweg import plot
    >>> ax = plot.decision_surface(lambda p: p[:, 0] > 0, [[-1, 0], [1, 0]], [0, 1], resolution=5)
    >>> ax.get_xlim()[0] < -1 < 1 < ax.get_xlim()[1]
    True
    """
    xy, kinds = np.asarray(points, np.float64), np.asarray(labels)
    kinds = kinds.argmax(axis=1) if kinds.ndim == 2 and kinds.shape[1] > 1 else kinds.reshape(-1).astype(np.int64)
    if xy.ndim != 2 or xy.shape[1] != 2 or len(xy) != len(kinds):
        raise ValueError(f"points must be [m, 2] with m labels, not {list(xy.shape)} and {len(kinds)}.")
    low, high = xy.min(axis=0), xy.max(axis=0)
    reach = np.where(high > low, high - low, 1.0) * margin
    x, y = (np.linspace(low[i] - reach[i], high[i] + reach[i], resolution) for i in (0, 1))
    ground = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    p = np.asarray(predict(ground), np.float64)
    p = p.reshape(-1, 1) if p.ndim == 1 else p
    if p.ndim != 2 or len(p) != len(ground):
        raise ValueError(
            f"predict gave {list(p.shape)} for {len(ground)} points; [{len(ground)}] or [{len(ground)}, k] is wanted."
        )
    if p.shape[1] == 1:
        p = np.concatenate([1 - p, p], axis=1)
    count = max(p.shape[1], int(kinds.max(initial=0)) + 1)
    ax = plain(axes(ax, 5.0, 4.6))
    from matplotlib.colors import to_rgb

    shades = np.array([to_rgb(COLORS[i % len(COLORS)]) for i in range(count)])
    winner = p.argmax(axis=1)
    sure = np.clip(p.max(axis=1), 0, 1)
    strength = 0.1 + 0.35 * (sure - 1 / p.shape[1]) / (1 - 1 / p.shape[1])
    picture = 1 - strength[:, None] * (1 - shades[winner])
    ax.imshow(
        np.clip(picture, 0, 1).reshape(resolution, resolution, 3),
        extent=(x[0], x[-1], y[0], y[-1]),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    if len(np.unique(winner)) > 1:
        for kind in range(p.shape[1]):
            others = np.delete(p, kind, axis=1).max(axis=1)
            lead = (p[:, kind] - others).reshape(resolution, resolution)
            if lead.min() < 0 < lead.max():
                ax.contour(x, y, lead, levels=[0], colors="#444444", linewidths=1.0)
    for kind, name in enumerate(names_of(names, count)):
        own = xy[kinds == kind]
        if len(own):
            ax.plot(
                *own.T,
                linestyle="",
                marker="o",
                markersize=5,
                color=COLORS[kind % len(COLORS)],
                markeredgecolor="white",
                label=name,
            )
    if count > 1:
        ax.legend(frameon=True, fontsize=9, loc="upper right")
    return ax


def capacity(
    x: object,
    y: object,
    models: Mapping[str, Callable[[np.ndarray], Any]],
    truth: Callable[[np.ndarray], Any] | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Points [n], and the curves that models of several capacities have put through them: under- and overfitting.

    `models` maps a name to a function of x; `truth` is what the points were drawn from, if that is known. What a model does far from the
    points is cut off.

    >>> from thalweg import plot
    >>> ax = plot.capacity([0, 1, 2], [0, 1, 4], {"line": lambda x: 2 * x - 1}, truth=np.square)
    >>> [line.get_label() for line in ax.lines]
    ['truth', 'line', 'points']
    """
    xs, ys = np.asarray(x, np.float64).reshape(-1), np.asarray(y, np.float64).reshape(-1)
    if xs.shape != ys.shape or not xs.size:
        raise ValueError(f"x and y must be of one length, which is not 0: {xs.size} and {ys.size}.")
    ax = plain(axes(ax, 6.0, 4.0))
    grid = np.linspace(xs.min(), xs.max(), 400)
    if truth is not None:
        ax.plot(grid, np.asarray(truth(grid)), color="#9a9a9a", linewidth=1.2, linestyle="--", label="truth")
    for i, (name, model) in enumerate(models.items()):
        ax.plot(grid, np.asarray(model(grid)), color=COLORS[i % len(COLORS)], linewidth=1.6, label=name)
    ax.plot(xs, ys, linestyle="", marker="o", markersize=5, color="#222222", label="points")
    reach = 0.35 * (np.ptp(ys) or 1.0)
    ax.set_ylim(ys.min() - reach, ys.max() + reach)
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    ax.legend(frameon=False, fontsize=9)
    return ax
