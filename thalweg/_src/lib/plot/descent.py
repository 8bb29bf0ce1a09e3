"""How training goes: curves over steps, and the surface that a loss makes over two parameters."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._src.formats.events import read_events
from thalweg._src.formats.tensors import from_proto
from thalweg._src.lib.plot.canvas import INK, axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curve = tuple[Sequence[float], Sequence[float]]
COLORS = ("#1f5f99", "#d35400", "#2e8b57", "#8e44ad", "#b7950b", "#7f8c8d", "#c0392b", "#16a085")


def curves(
    source: str | os.PathLike[str] | Mapping[str, Any],
    tag: str = "loss",
    *,
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """A value over the steps of training, one line for each run.

    `source` is a folder of event files, in which every subfolder that holds scalar summaries called `tag` is a run, as
    for TensorBoard; or a dictionary from a run's name to its values [n], or to (steps [n], values [n]). `log` makes the
    upward axis logarithmic. Raises FileNotFoundError for a folder that is not there, ValueError where no run has `tag`.

    >>> from thalweg import plot
    >>> ax = plot.curves({"train": [2.0, 1.0, 0.5], "test": ([0, 2], [2.1, 0.9])})
    >>> [line.get_xdata().tolist() for line in ax.lines]
    [[0, 1, 2], [0, 2]]
    """
    runs = from_dict(source) if isinstance(source, Mapping) else from_events(Path(source), tag)
    ax = plain(axes(ax, 6.4, 3.8))
    for i, (name, (steps, values)) in enumerate(runs.items()):
        # Runs called x/train and x/test are one model: one colour, the second line dashed.
        model, _, part = name.rpartition("/")
        models = list(dict.fromkeys(n.rpartition("/")[0] for n in runs))
        paired = part in ("train", "test") and bool(model)
        color = COLORS[(models.index(model) if paired else i) % len(COLORS)]
        dashed = paired and part == "test"
        ax.plot(steps, values, label=name, color=color, linewidth=1.4, linestyle="--" if dashed else "-")
    if log:
        ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel(tag)
    ax.grid(color="#eeeeee")
    ax.set_axisbelow(True)
    if len(runs) > 1 or "" not in runs:
        ax.legend(frameon=False, fontsize=9)
    return ax


def from_dict(source: Mapping[str, Any]) -> dict[str, Curve]:
    """Each entry as (steps, values): values alone are numbered from 0."""
    runs = {}
    for name, given in source.items():
        pair = isinstance(given, tuple) and len(given) == 2 and np.ndim(given[0]) == 1
        steps, values = given if pair else (range(len(given)), given)
        if len(steps) != len(values):
            raise ValueError(f"{name!r} has {len(steps)} steps, but {len(values)} values.")
        runs[name] = np.asarray(steps), np.asarray(values)
    return runs


def from_events(folder: Path, tag: str) -> dict[str, Curve]:
    """Each run below `folder` that has scalars called `tag`, by its path from there, as (steps, values)."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder of event files.")
    runs: dict[str, dict[int, float]] = {}
    seen = set()
    for path in sorted(folder.rglob("*tfevents*")):
        run = path.parent.relative_to(folder).as_posix()
        with path.open("rb") as stream:
            for event in read_events(stream, source=str(path)):
                for value in event.summary.value:
                    seen.add(value.tag)
                    if value.tag == tag:
                        runs.setdefault("" if run == "." else run, {})[event.step] = scalar(value)
    if not runs:
        has = f"there are {sorted(seen)}" if seen else "there are no summaries at all"
        raise ValueError(f"No run in {folder} has scalars called {tag!r}; {has}.")
    return {
        run: (np.array(sorted(points)), np.array([points[s] for s in sorted(points)])) for run, points in runs.items()
    }


def scalar(value: Any) -> float:
    """The number in a Summary.Value, in its old form or as a tensor."""
    if value.WhichOneof("value") == "simple_value":
        return float(value.simple_value)
    return float(np.asarray(from_proto(value.tensor)).reshape(()))


def loss_surface(
    loss: Callable[[np.ndarray, np.ndarray], Any] | np.ndarray,
    x: Sequence[float] | np.ndarray,
    y: Sequence[float] | np.ndarray,
    path: Sequence[Sequence[float]] | np.ndarray | None = None,
    *,
    levels: int = 18,
    ax: Axes | None = None,
) -> Axes:
    """The loss over two parameters as lines of equal height, and the way that training took down it.

    `x` [m] and `y` [n] are the values of the two parameters; `loss` is the losses [n, m], or a function that gives them
    when called with both parameters as grids [n, m]. `path` [steps, 2] holds the parameters during training: its start
    is the open circle, its end the full one. The heights of the lines grow like powers, so that the floor of the valley
    shows. Raises ValueError for other shapes.

    >>> from thalweg import plot
    >>> grid = np.linspace(-5, 5, 11)
    >>> ax = plot.loss_surface(lambda a, b: a**2 + b**2, grid, grid, path=[[5, 5], [1, 1]])
    >>> ax.lines[0].get_xydata().tolist()
    [[5.0, 5.0], [1.0, 1.0]]
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    z = np.asarray(loss(*np.meshgrid(x, y)) if callable(loss) else loss, np.float64)
    if z.shape != (len(y), len(x)):
        raise ValueError(f"loss must be [{len(y)}, {len(x)}] for these x and y, not {list(z.shape)}.")
    low, high = float(np.nanmin(z)), float(np.nanmax(z))
    steps = low + (high - low or 1.0) * np.linspace(0, 1, levels) ** 2.2
    ax = axes(ax, 5.4, 4.4)
    from matplotlib.colors import BoundaryNorm

    filled = ax.contourf(x, y, z, levels=steps, cmap="YlGnBu_r", norm=BoundaryNorm(steps, 256))
    ax.contour(x, y, z, levels=steps, colors="white", linewidths=0.4, alpha=0.5)
    ax.figure.colorbar(filled, ax=ax, label="loss", format="%.3g")
    if path is not None:
        way = np.asarray(path, np.float64)
        if way.ndim != 2 or way.shape[1] != 2:
            raise ValueError(f"path must be [steps, 2], not {list(way.shape)}.")
        ax.plot(way[:, 0], way[:, 1], color="#ff7f0e", linewidth=1.5, marker=".", markersize=4)
        ax.plot(*way[0], marker="o", markersize=8, markerfacecolor="white", markeredgecolor=INK, linestyle="")
        ax.plot(*way[-1], marker="o", markersize=8, markerfacecolor=INK, markeredgecolor="white", linestyle="")
    return ax
