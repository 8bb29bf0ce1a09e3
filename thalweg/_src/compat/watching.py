"""What happens when a running program imports something that has changed since the era.

A finder before the others does two things. A module that was renamed or dropped (`RENAMED`) is served from where its
contents are now, if nobody else finds it. A module that lost names or ways of calling gets them back right after its own
code has run. Modules of an old protoc are built anew (`old_protos`). `thalweg run --no-shims` leaves it out.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from thalweg._src.compat import mended, old_protos, removed

# dropped module -> the modules whose names it had; the first that has a name gives it
RENAMED: dict[str, tuple[str, ...]] = {
    "scipy.sparse.linalg.eigen": ("scipy.sparse.linalg",),
    "scipy.sparse.linalg.eigen.arpack": ("scipy.sparse.linalg",),
    "scipy.sparse.linalg.eigen.arpack.arpack": ("scipy.sparse.linalg",),
    "scipy.misc": ("thalweg._src.compat.pilutil", "scipy.special", "scipy.datasets"),
    "scipy.misc.pilutil": ("thalweg._src.compat.pilutil",),
    "scipy.ndimage.filters": ("scipy.ndimage",),
    "scipy.ndimage.interpolation": ("scipy.ndimage",),
    "scipy.ndimage.measurements": ("scipy.ndimage",),
    "scipy.ndimage.morphology": ("scipy.ndimage",),
    "scipy.signal.signaltools": ("scipy.signal",),
    "scipy.stats.stats": ("scipy.stats",),
    "sklearn.externals": ("sklearn",),
    "sklearn.externals.joblib": ("joblib",),
    "sklearn.externals.six": ("six",),
    "sklearn.externals.six.moves": ("six.moves",),
    "sklearn.cross_validation": ("sklearn.model_selection",),
    "sklearn.grid_search": ("sklearn.model_selection",),
    "sklearn.learning_curve": ("sklearn.model_selection",),
    "sklearn.lda": ("sklearn.discriminant_analysis",),
    "sklearn.qda": ("sklearn.discriminant_analysis",),
    "sklearn.datasets.base": ("sklearn.datasets", "sklearn.utils"),
    "sklearn.datasets.samples_generator": ("sklearn.datasets",),
    "sklearn.metrics.classification": ("sklearn.metrics",),
    "sklearn.metrics.ranking": ("sklearn.metrics",),
    "sklearn.utils.testing": ("sklearn.utils._testing",),
    "numpy.testing.utils": ("numpy.testing",),
    "numpy.linalg.linalg": ("numpy.linalg",),
    "pandas.tools.plotting": ("pandas.plotting",),
    "librosa.output": ("thalweg._src.compat.sound_files",),
    "pkg_resources": ("thalweg._src.compat.package_resources",),
    "cgi": ("html", "urllib.parse"),
    "imp": ("thalweg._src.compat.imp",),
    "pipes": ("shlex",),
    "distutils": ("setuptools._distutils",),
    "distutils.version": ("setuptools._distutils.version", "thalweg._src.compat.versions"),
}


class Renamed(ModuleType):
    """A module that is gone: its names come from other modules."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        for source in RENAMED[self.__name__]:
            try:
                module = importlib.import_module(source)
            except ImportError:
                continue
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


class RenamedLoader(Loader):
    """Makes a `Renamed`."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = Renamed(spec.name, f"What was {spec.name}, supplied by `thalweg run`.")
        module.__path__ = []
        return module

    def exec_module(self, module: ModuleType) -> None:
        pass


class Mending(Loader):
    """Another loader, and what is mended in its module afterwards."""

    def __init__(self, own: Any):
        self.own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.own.exec_module(module)
        mend(module)


def mend(module: ModuleType) -> None:
    """Give a module back what it lost."""
    removed.supply_to(module)
    mended.change(module)


class Watcher(MetaPathFinder):
    """The finder."""

    def __init__(self) -> None:
        self.asking: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        watched = fullname in removed.REMOVED or fullname in mended.CHANGES
        if (fullname not in RENAMED and not watched) or fullname in self.asking:
            return None
        self.asking.add(fullname)
        try:
            spec = _found(fullname, path, target)
        finally:
            self.asking.discard(fullname)
        if fullname in RENAMED and (spec is None or _is_a_shell(fullname)):
            return ModuleSpec(fullname, RenamedLoader(), is_package=True)
        if spec is not None and watched and spec.loader is not None:
            spec.loader = Mending(spec.loader)
        return spec


def _found(fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if not isinstance(finder, Watcher) and hasattr(finder, "find_spec"):
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                return spec
    return None


def _is_a_shell(fullname: str) -> bool:
    """Whether SciPy keeps the name for a warning alone: what was below it is gone."""
    return any(name.startswith(fullname + ".") for name in RENAMED) and fullname != "sklearn.externals"


_watcher = Watcher()


def watch() -> None:
    """Start. What is imported already is mended at once."""
    for finder in (old_protos.FINDER, _watcher):
        if finder not in sys.meta_path:
            sys.meta_path.insert(0, finder)
    for name in {*removed.REMOVED, *mended.CHANGES}:
        if name in sys.modules:
            mend(sys.modules[name])


def unwatch() -> None:
    """Stop, and take back the names that were supplied. What was changed inside other modules stays as the program saw it."""
    for finder in (old_protos.FINDER, _watcher):
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
    removed.withdraw()
