"""tf.keras: the Keras library itself, with thalweg as its TensorFlow, where it is installed.

Keras is imported when a name of `tf.keras` is first asked for. The import statements in its own modules, also those that
run later inside its functions, find `tensorflow` served by the hook; other modules see what they saw before.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from thalweg._src.compat import hook, mended, removed, watching

PACKAGES = ("keras", "keras_applications", "keras_preprocessing")
HOW = (
    "tf.keras is served from the Keras library of TensorFlow 1.x: pip install 'thalweg[keras]', or "
    "pip install --no-deps keras==2.2.4 keras-applications==1.0.8 keras-preprocessing==1.1.2 (and h5py, pyyaml, six)"
)


@contextlib.contextmanager
def served() -> Iterator[None]:
    """`tensorflow` is thalweg inside the block; afterwards the hook is as it was."""
    before = hook.installed()
    hook.install()
    try:
        yield
    finally:
        if not before:
            hook.uninstall()


def _import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    """The `__import__` of Keras's modules."""
    if level == 0 and name.split(".")[0] == hook.NAME:
        with served():
            return builtins.__import__(name, globals, locals, fromlist, level)
    found = builtins.__import__(name, globals, locals, fromlist, level)
    if level == 0 and name in removed.REMOVED and "." not in name:
        return Mended(found)
    return found


class Mended(ModuleType):
    """Another module as Keras sees it: with the names that it has lost since."""

    def __init__(self, own: ModuleType):
        super().__init__(own.__name__, own.__doc__)
        self.__dict__["_own"] = own

    def __getattr__(self, name: str) -> Any:
        lost = removed.REMOVED[self.__name__]
        own = self.__dict__["_own"]
        return removed.stand_in(name, lost[name]) if name in lost and name not in vars(own) else getattr(own, name)


class Serving(watching.Mending):
    """Another loader, for a module whose import statements find `tensorflow`."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import}
        self.own.exec_module(module)
        mended.change(module)


class Finder(MetaPathFinder):
    """Finds the modules of Keras where the others do, and has them loaded by `Serving`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.split(".")[0] not in PACKAGES:
            return None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(fullname, path, target)
                if spec is not None:
                    if spec.loader is not None:
                        spec.loader = Serving(spec.loader)
                    return spec
        return None


FINDER = Finder()


def check_version(version: str) -> None:
    """ModuleNotFoundError unless `version` is one that runs on TensorFlow 1.x: 2.0 to 2.3."""
    numbers = [int(n) for n in version.split(".")[:2] if n.isdigit()]
    if len(numbers) == 2 and (2, 0) <= tuple(numbers) <= (2, 3):
        return
    raise ModuleNotFoundError(f"Keras {version} is installed, which cannot be tf.keras. {HOW}", name="keras")


def leans_on_tensorflow() -> bool:
    """Whether the Keras that is there finds half of its backend in `tensorflow.python.keras`: from 2.3 on."""
    there = sys.modules.get("keras")
    version = getattr(there, "__version__", None)
    if version is None:
        try:
            version = importlib.metadata.version("keras")
        except importlib.metadata.PackageNotFoundError:
            return False
    return version.startswith("2.3.")


def library() -> ModuleType:
    """The package `keras`. ModuleNotFoundError, with what to install, where it is absent or of another age."""
    there = sys.modules.get("keras")
    if there is not None and hasattr(there, "models"):
        check_version(there.__version__)
        return there
    if importlib.util.find_spec("keras") is None:
        raise ModuleNotFoundError(f"{HOW}. It is not installed", name="keras")
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        check_version(importlib.metadata.version("keras"))
    if FINDER not in sys.meta_path:
        sys.meta_path.insert(0, FINDER)
    before = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        return importlib.import_module("keras")
    finally:
        if before is None:
            del os.environ["KERAS_BACKEND"]
        else:
            os.environ["KERAS_BACKEND"] = before


def __getattr__(name: str) -> Any:
    """A name of tf.keras: an attribute of Keras, or a module below it."""
    if name.startswith("_") and name != "__version__":
        raise AttributeError(f"module 'thalweg.keras' has no attribute {name!r}")
    if name == "backend" and leans_on_tensorflow():
        return importlib.import_module("thalweg._src.compat.keras_backend")
    if name == "estimator":
        return importlib.import_module("thalweg._src.compat.keras_estimator")
    keras = library()
    if not hasattr(keras, name) and importlib.util.find_spec(f"keras.{name}") is not None:
        importlib.import_module(f"keras.{name}")
    if hasattr(keras, name):
        return getattr(keras, name)
    raise AttributeError(f"module 'thalweg.keras' has no attribute {name!r}: Keras {keras.__version__} has none")


def __dir__() -> list[str]:
    try:
        return sorted(name for name in dir(library()) if not name.startswith("_"))
    except ModuleNotFoundError:
        return []
