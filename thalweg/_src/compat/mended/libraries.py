"""Smaller libraries: YAML, Pillow, networkx, librosa, pytest."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from thalweg._src.compat import scalars
from thalweg._src.compat.mended.calls import positional_functions, renamed, supply


def yaml(yaml: ModuleType) -> None:
    """`yaml.load(text)` reads what Python's own types were written as too (tuples, in models of Keras), but makes no objects."""
    for name in {"load", "load_all"} & vars(yaml).keys():
        setattr(yaml, name, _with_loader(getattr(yaml, name), yaml))


def _with_loader(read: Callable, yaml: ModuleType) -> Callable:
    return lambda stream, Loader=None: read(stream, Loader or yaml.FullLoader)


def image_draw(module: ModuleType) -> None:
    def textsize(self: Any, text: str, font: Any = None, *args: Any, **kwargs: Any) -> tuple[int, int]:
        left, top, right, bottom = self.textbbox((0, 0), text, font=font)
        return right - left, bottom - top

    supply(module.ImageDraw, {"textsize": textsize})


def image_font(module: ModuleType) -> None:
    def getsize(self: Any, text: str, *args: Any, **kwargs: Any) -> tuple[int, int]:
        left, top, right, bottom = self.getbbox(text)
        return right - left, bottom - top

    for kind in (module.FreeTypeFont, module.ImageFont):
        supply(kind, {"getsize": getsize})


def networkx(nx: ModuleType) -> None:
    """Methods of graphs that became functions or views, and functions that were renamed."""

    def iterating(view: str) -> Callable[..., Iterator]:
        return lambda self, *args, **kwargs: iter(getattr(self, view)(*args, **kwargs))

    supply(nx.Graph, {"node": property(lambda self: self.nodes)})
    supply(nx.Graph, {f"{view}_iter": iterating(view) for view in ("nodes", "edges", "neighbors", "degree")})
    for name in ("add_path", "add_cycle", "add_star", "selfloop_edges", "number_of_selfloops", "nodes_with_selfloops"):
        supply(nx.Graph, {name: getattr(nx, name)})
    supply(
        nx,
        {
            "connected_component_subgraphs": lambda g, copy=True: (
                g.subgraph(c).copy() for c in nx.connected_components(g)
            ),
            "from_numpy_matrix": lambda *a, **k: nx.from_numpy_array(*a, **k),
            "to_numpy_matrix": lambda *a, **k: nx.to_numpy_array(*a, **k),
            "from_scipy_sparse_matrix": lambda *a, **k: nx.from_scipy_sparse_array(*a, **k),
            "to_scipy_sparse_matrix": lambda *a, **k: nx.to_scipy_sparse_array(*a, **k),
            "info": lambda g: str(g),
            **{f"Ordered{kind}": getattr(nx, kind) for kind in ("Graph", "DiGraph", "MultiGraph", "MultiDiGraph")},
        },
    )


def pytest_skipping(module: ModuleType) -> None:
    """The reason of `pytest.mark.skip` by its other name, `message`."""
    module.Skip = renamed(module.Skip, {"message": "reason"})  # type: ignore[attr-defined]


def pytest_rewriting(module: ModuleType) -> None:
    """pytest loads test modules itself: they are rewritten as the program's other modules are, and kept under names of their own."""
    own = module.rewrite_asserts

    @functools.wraps(own)
    def rewrite_asserts(mod: Any, source: bytes, module_path: str | None = None, config: Any = None) -> None:
        if scalars.is_on() and module_path is not None and scalars.is_of_program(module_path):
            scalars.rewritten(mod)
        own(mod, source, module_path, config)

    module.rewrite_asserts = rewrite_asserts  # type: ignore[attr-defined]
    module.PYC_TAIL = f"-thalweg{module.PYC_TAIL}"  # type: ignore[attr-defined]


LIBROSA = ("filters", "core.audio", "core.spectrum", "core.convert", "effects", "feature.spectral", "feature.utils")
CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "yaml": yaml,
    "PIL.ImageDraw": image_draw,
    "PIL.ImageFont": image_font,
    "networkx": networkx,
    "_pytest.skipping": pytest_skipping,
    "_pytest.assertion.rewrite": pytest_rewriting,
    **{f"librosa.{name}": positional_functions for name in (*LIBROSA, "onset", "beat")},
}
