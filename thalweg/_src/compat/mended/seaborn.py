"""Seaborn: `x, y` by position, `size` for `height`, and functions of before 0.9."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from thalweg._src.compat.mended.calls import positional, renamed, supply

_OF_VALUES = ("x", "y", "hue", "data")
_OF_RELATIONS = ("x", "y", "hue", "style", "size", "data")
_OF_REGRESSIONS = ("x", "y", "data")
# the names of what a function took by position, where that was another order than today's
ORDERS = {
    **dict.fromkeys(("barplot", "boxplot", "violinplot", "stripplot", "swarmplot", "pointplot"), _OF_VALUES),
    **dict.fromkeys(("countplot", "boxenplot", "catplot"), _OF_VALUES),
    **dict.fromkeys(("scatterplot", "lineplot", "relplot"), _OF_RELATIONS),
    **dict.fromkeys(("jointplot", "lmplot", "regplot", "residplot", "JointGrid"), _OF_REGRESSIONS),
    "kdeplot": ("x", "y"),
}
HEIGHTS = ("pairplot", "lmplot", "jointplot", "catplot", "FacetGrid", "PairGrid", "JointGrid")


def seaborn(sns: ModuleType) -> None:
    """Arguments by position or by old names, and `factorplot`, `lvplot` and `tsplot`."""
    for name, order in ORDERS.items():
        _wrap(sns, name, lambda own, order=order: _in_order(own, order))
    for name in ("heatmap", "clustermap", "pairplot", "FacetGrid", "PairGrid"):
        _wrap(sns, name, positional)
    for name in HEIGHTS:
        _wrap(sns, name, lambda own: renamed(own, {"size": "height"}))
    supply(
        sns,
        {
            "factorplot": lambda *args, kind="point", **kwargs: sns.catplot(*args, kind=kind, **kwargs),
            "lvplot": sns.boxenplot,
            "tsplot": functools.partial(_over_time, sns.lineplot),
        },
    )


def _wrap(sns: ModuleType, name: str, wrapped: Callable[[Callable], Callable]) -> None:
    """Put `wrapped(function)` in the place of a function, or of what makes a class's objects."""
    own = getattr(sns, name)
    if isinstance(own, type):
        own.__init__ = wrapped(own.__init__)  # type: ignore[misc]
    else:
        setattr(sns, name, wrapped(own))


def _in_order(own: Callable, order: tuple[str, ...]) -> Callable:
    """`own`, to which two and more arguments by position, or one beside `data`, come in another `order` than it knows."""
    bound = own.__name__ == "__init__"

    @functools.wraps(own)
    def call(*args: Any, **kwargs: Any) -> Any:
        fixed = args[: int(bound)]
        given = args[len(fixed) :]
        if not ("data" not in kwargs) < len(given) <= len(order):
            return own(*args, **kwargs)
        return own(*fixed, **dict(zip(order, map(_flat, given), strict=False)), **kwargs)

    return call


def _flat(value: Any) -> Any:
    """One column of numbers, [n, 1], as [n]."""
    return value[:, 0] if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] == 1 else value


def _over_time(
    lineplot: Callable,
    data: Any,
    time: Any = None,
    unit: Any = None,
    condition: Any = None,
    value: Any = None,
    err_style: Any = "ci_band",
    ci: Any = 68,
    interpolate: bool = True,
    color: Any = None,
    estimator: Any = np.mean,
    n_boot: int = 5000,
    err_palette: Any = None,
    err_kws: Any = None,
    legend: bool = True,
    ax: Any = None,
    **kwargs: Any,
) -> Any:
    """`tsplot`: means over time with a band, of a table or of numbers [times], [units, times] or [units, times, conditions]."""
    if ci is None or err_style is None:
        errorbar = None
    else:
        errorbar = "sd" if ci == "sd" else ("ci", np.max(ci))
    kwargs.update(estimator=estimator, errorbar=errorbar, n_boot=n_boot, err_kws=err_kws)
    kwargs["err_style"] = "bars" if err_style == "ci_bars" else "band"
    if not interpolate:
        kwargs["linestyle"] = ""
    if hasattr(data, "columns"):
        colours = {"color": color} if condition is None else {"palette": color}
        shown = "auto" if legend else False
        return lineplot(data=data, x=time, y=value, hue=condition, legend=shown, ax=ax, **colours, **kwargs)
    table = np.asarray(data, float)
    table = table.reshape((1,) * (table.ndim < 2) + table.shape + (1,) * (table.ndim < 3))
    at = np.tile(np.arange(table.shape[1]) if time is None else np.asarray(time), table.shape[0])
    count = table.shape[2]
    labels = [condition] * count if condition is None or isinstance(condition, str) else list(condition)
    tints = color if isinstance(color, list | tuple) and count > 1 else [color] * count
    for i in range(count):
        label = labels[i] if legend else None
        ax = lineplot(x=at, y=table[:, :, i].reshape(-1), label=label, color=tints[i], ax=ax, **kwargs)
    return ax


CHANGES: dict[str, Callable[[ModuleType], None]] = {"seaborn": seaborn}
