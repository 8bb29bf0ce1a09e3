"""Matplotlib: arguments, methods and names of styles and colour maps that were renamed or dropped."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from thalweg._src.compat.mended.calls import renamed, supply
from thalweg._src.compat.removed import RENAMED_MAPS


def axes(module: ModuleType) -> None:
    kind = module.Axes
    supply(
        kind,
        {
            "set_axis_bgcolor": kind.set_facecolor,
            "get_axis_bgcolor": kind.get_facecolor,
            "set_color_cycle": lambda self, colors: self.set_prop_cycle(color=list(colors)),
            "hold": lambda self, b=None: None,
        },
    )
    for name, names in (
        ("hist", {"normed": "density"}),
        ("grid", {"b": "visible"}),
        ("annotate", {"s": "text"}),
        ("stem", {"use_line_collection": None}),
        ("__init__", {"axisbg": "facecolor"}),
    ):
        setattr(kind, name, renamed(getattr(kind, name), names))
    supply(kind.ArtistList, {"pop": _pop, "remove": lambda self, artist: artist.remove()})


def _pop(artists: Any, index: int = -1) -> Any:
    artist = artists[index]
    artist.remove()
    return artist


def figure(module: ModuleType) -> None:
    kind = module.Figure
    own, own_save = kind.gca, kind.savefig

    @functools.wraps(own)
    def gca(self: Any, **kwargs: Any) -> Any:
        if not kwargs:
            return own(self)
        current = self.axes[-1] if self.axes else None
        same = current is not None and getattr(current, "name", None) == kwargs.get("projection")
        return current if same else self.add_subplot(**kwargs)

    kind.gca = gca
    kind.savefig = renamed(own_save, {"frameon": None, "quality": None})


def pyplot(module: ModuleType) -> None:
    """The functions take their arguments from the methods' signatures; those that name them get the old names too."""
    supply(module, {"hold": lambda b=None: None, "ishold": lambda: True})
    for name, names in (
        ("hist", {"normed": "density"}),
        ("grid", {"b": "visible"}),
        ("annotate", {"s": "text"}),
        ("stem", {"use_line_collection": None}),
        ("axes", {"axisbg": "facecolor"}),
        ("subplot", {"axisbg": "facecolor"}),
        ("savefig", {"frameon": None, "quality": None}),
    ):
        setattr(module, name, renamed(getattr(module, name), names))
    module.show = _shown(module.show)  # type: ignore[attr-defined]


def _shown(own: Callable[..., Any]) -> Callable[..., Any]:
    """`show`, which took `block` without its name; programs give it a figure."""

    @functools.wraps(own)
    def show(*given: Any, **kwargs: Any) -> Any:
        if given:
            kwargs.setdefault("block", bool(given[0]))
        return own(**kwargs)

    return show


def colour_maps(cm: ModuleType) -> None:
    """`get_cmap`, which also knows the maps by their old names (`cm`'s own old names are in `removed`)."""

    def get_cmap(name: Any = None, lut: int | None = None) -> Any:
        from matplotlib import pyplot

        return pyplot.get_cmap(RENAMED_MAPS.get(name, name), lut)

    supply(cm, {"get_cmap": get_cmap})


def styles(module: ModuleType) -> None:
    own = module.use

    def current(style: Any) -> Any:
        old = isinstance(style, str) and style.startswith("seaborn") and style not in module.available
        return style.replace("seaborn", "seaborn-v0_8", 1) if old else style

    @functools.wraps(own)
    def use(style: Any) -> None:
        own([current(s) for s in style] if isinstance(style, list | tuple) else current(style))

    module.use = use  # type: ignore[attr-defined]


def legends(module: ModuleType) -> None:
    def draggable(self: Any, state: bool | None = None, use_blit: bool = False, update: str = "loc") -> Any:
        return self.set_draggable(not self.get_draggable() if state is None else state, use_blit, update)

    handles = property(lambda self: self.legend_handles)
    supply(module.Legend, {"draggable": draggable, "legendHandles": handles})


def texts(module: ModuleType) -> None:
    """The number of degrees that a text is turned by may be a text itself."""
    own = module.Text.set_rotation

    def set_rotation(self: Any, s: Any) -> None:
        with contextlib.suppress(TypeError, ValueError):
            s = float(s)
        own(self, s)

    module.Text.set_rotation = set_rotation


def ticks(module: ModuleType) -> None:
    supply(module.Tick, {"label": property(lambda self: self.label1)})


def contours(module: ModuleType) -> None:
    supply(module.ContourSet, {"collections": property(lambda self: [self])})


def canvas(module: ModuleType) -> None:
    supply(module.FigureCanvasBase, {"set_window_title": lambda self, title: None})


def axes_3d(module: ModuleType) -> None:
    supply(
        module.Axes3D, {f"w_{a}axis": property(lambda self, a=a: getattr(self, a + "axis")) for a in ("x", "y", "z")}
    )


def mlab(module: ModuleType) -> None:
    """Densities, which SciPy has: of one variable, and of two that may correlate."""

    def normpdf(x: Any, mu: float, sigma: float) -> Any:
        return np.exp(-0.5 * ((np.asarray(x) - mu) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))

    def bivariate_normal(
        X: Any,
        Y: Any,
        sigmax: float = 1.0,
        sigmay: float = 1.0,
        mux: float = 0.0,
        muy: float = 0.0,
        sigmaxy: float = 0.0,
    ) -> Any:
        x, y = (X - mux) / sigmax, (Y - muy) / sigmay
        rho = sigmaxy / (sigmax * sigmay)
        left = 1 - rho**2
        return np.exp(-(x**2 + y**2 - 2 * rho * x * y) / (2 * left)) / (2 * np.pi * sigmax * sigmay * np.sqrt(left))

    supply(module, {"normpdf": normpdf, "bivariate_normal": bivariate_normal})


def drawn(module: ModuleType) -> None:
    """The bytes of a drawn figure without its transparency."""
    supply(module.FigureCanvasAgg, {"tostring_rgb": lambda self: np.asarray(self.buffer_rgba())[..., :3].tobytes()})


def matplotlib(module: ModuleType) -> None:
    module.use = renamed(module.use, {"warn": None})  # type: ignore[attr-defined]


CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "matplotlib.axes._axes": axes,
    "matplotlib.figure": figure,
    "matplotlib.pyplot": pyplot,
    "matplotlib.cm": colour_maps,
    "matplotlib.style": styles,
    "matplotlib.contour": contours,
    "matplotlib.legend": legends,
    "matplotlib.axis": ticks,
    "matplotlib.text": texts,
    "matplotlib.backend_bases": canvas,
    "matplotlib.backends.backend_agg": drawn,
    "matplotlib": matplotlib,
    "matplotlib.mlab": mlab,
    "mpl_toolkits.mplot3d.axes3d": axes_3d,
}
