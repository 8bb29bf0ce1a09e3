"""The import hook: `import tensorflow` gives thalweg, as long as the hook is installed.

`install()` puts a finder before the others. It answers for `tensorflow` and everything below with alias modules: thin
modules whose attributes are those of our faces, the same objects. Nothing is written to disk and no distribution owns
the name, so other programs of the environment see what they saw before. TensorBoard, when the same process imports it,
is told by its own switch (`tensorboard.compat.notf`) to use its stub.
"""

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any

from thalweg._src.compat import modules, neighbours, second
from thalweg._src.compat.nearest import MissingModule, MissingSymbol
from thalweg._src.formats import protos
from thalweg._src.ops import raw

NAME = "tensorflow"
ESTIMATORS = (
    "tensorflow_estimator"  # where 1.14 and 1.15 keep tf.estimator, in the places that it had in TensorFlow's tree
)
SWITCH_OF_TENSORBOARD = "tensorboard.compat.notf"
SECOND = "compat.v2"


_own_names: Callable[[ModuleType], dict[str, Any]] = ModuleType.__dict__[  # type: ignore[index]
    "__dict__"
].__get__  # what a module holds itself


class Alias(ModuleType):
    """A module of TensorFlow's tree. `resolve` finds a name's value or raises LookupError; `names` lists its names."""

    def __init__(self, fullname: str, resolve: Callable[[str], Any], names: Callable[[], list[str]], doc: str | None):
        super().__init__(fullname, doc)
        self.__path__: list[str] = []  # a package: what is below it is asked of the finder
        self._thalweg_resolve, self._thalweg_names, self._thalweg_whole = resolve, names, False

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """The names with their values, all of them: programs walk over it, and ask for others meanwhile."""
        if not self._thalweg_whole:
            self._thalweg_whole = True
            for name in self._thalweg_names():
                with contextlib.suppress(AttributeError, ImportError):  # what needs a library that is not there
                    getattr(self, name)
        return _own_names(self)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [n for n in self._thalweg_names() if not n.startswith("_")]
        if name.startswith("__") and name not in SHARED_DUNDERS:
            raise AttributeError(name)
        try:
            value = self._thalweg_resolve(name)
            if isinstance(value, ModuleType):  # tf.nn of a program is an alias too: its errors say what is nearest
                value = submodule(self.__name__, name) or value
        except LookupError:
            value = submodule(self.__name__, name)
            if value is None:
                raise MissingSymbol(self.__name__, name, dir(self)) from None
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*self._thalweg_names(), *(n for n in _own_names(self) if not n.startswith("_"))})


SHARED_DUNDERS = ("__version__", "__git_version__", "__compiler_version__", "__file__")


def submodule(parent: str, name: str) -> ModuleType | None:
    """`parent.name`, as internal modules are reached by attribute: tensorflow.python.ops.math_ops after one import.

    What was imported before `uninstall` goes on without the import system.
    """
    fullname = f"{parent}.{name}"
    return import_or_none(fullname) if installed() else alias(fullname)


def find_face(path: str) -> ModuleType | None:
    """Our public module for `path`: a file of its own, or a module held as an attribute of a face."""
    if path.split(".")[0] in ("_src", NAME, "__main__"):
        return None
    found: Any = importlib.import_module("thalweg")
    for part in path.split(".") if path else []:
        inner = getattr(found, part, None)
        if inner is None and hasattr(found, "__path__"):
            inner = import_or_none(f"{found.__name__}.{part}")
        if not isinstance(inner, ModuleType):
            return None
        found = inner
    return found


@cache
def import_or_none(fullname: str) -> ModuleType | None:
    try:
        return importlib.import_module(fullname)
    except ModuleNotFoundError as error:
        if fullname not in (error.name, getattr(error, "fullname", None)):
            raise
        return None


def public_value(path: str) -> Any:
    """The object that `thalweg.PATH` names. LookupError when there is none."""
    namespace, _, name = path.rpartition(".")
    face = find_face(namespace)
    if face is None or not hasattr(face, name):
        raise LookupError(path)
    return getattr(face, name)


def alias(fullname: str) -> Alias | None:
    """The alias module for `fullname`, or None when neither we nor the recorded TensorFlow have such a module."""
    path = modules.current(fullname[len(NAME) :].lstrip("."))
    if path == SECOND or path.startswith(SECOND + "."):
        return second_alias(fullname, path[len(SECOND) :].lstrip("."))
    face = find_face(path)
    rows = modules.table().get(path, {}) if path else {}
    ours = None
    if path in modules.OURS:
        ours = importlib.import_module(modules.OURS[path])
    elif modules.is_proto(path):
        ours = protos
    sources = [m for m in (face, ours) if m is not None]
    if not sources and not any(reachable(public) for public in rows.values()) and not holds_something(path):
        return None

    def resolve(name: str) -> Any:
        for source in sources:
            if hasattr(source, name):
                return getattr(source, name)
        if path == "python":  # from tensorflow.python import debug, or any public name
            return public_value(name)
        if name in rows:
            return public_value(rows[name])
        return inherited(path, name)

    def names() -> list[str]:
        found = {n for source in sources for n in dir(source) if not n.startswith("_")}
        return sorted(found | {n for n, public in rows.items() if reachable(public)})

    return Alias(fullname, resolve, names, getattr(face, "__doc__", None))


def second_alias(fullname: str, path: str) -> Alias | None:
    """`tensorflow.compat.v2.PATH`: what `second` names, and otherwise what the plain namespace has."""
    plain = alias(f"{NAME}.{second.MODULES.get(path, path)}".rstrip("."))
    if plain is None:
        return None

    def resolve(name: str) -> Any:
        try:
            return second.value(f"{path}.{name}".lstrip("."), public_value)
        except LookupError:
            return plain._thalweg_resolve(name)

    return Alias(fullname, resolve, plain._thalweg_names, plain.__doc__)


def inherited(path: str, name: str) -> Any:
    """What an internal module holds because it imported it: a public name of its contrib package, an op as it is
    generated, or a module beside it."""
    parts = path.split(".")
    if parts[-1].startswith("gen_") and parts[-1].endswith("_ops"):
        return raw.generated(name)
    if path.startswith("python.ops.distributions."):
        return public_value(f"contrib.distributions.{name}")
    if path in modules.OF_GENERATED:
        with contextlib.suppress(LookupError):
            return raw.generated(name)
    if parts[0] == "contrib" and len(parts) > 2:
        below = f"{path}.{name}"
        if below in modules.OURS or below in modules.table():  # a module and what it holds may be called the same
            module = submodule(NAME, below)
            if module is not None:
                return module
        return public_value(f"contrib.{parts[1]}.{name}")
    if parts[0] == "contrib" and len(parts) == 2 and name.endswith("_ops"):  # slim.init_ops
        module = submodule(NAME, f"python.ops.{name}")
        if module is not None:
            return module
    if parts[0] == "python" and len(parts) == 3:
        for folder in (parts[1], "framework", "ops"):
            beside = f"python.{folder}.{name}"
            if beside in modules.OURS or beside in modules.table():
                module = submodule(NAME, beside)
                if module is not None:
                    return module
    raise LookupError(name)


def holds_something(path: str) -> bool:
    """Whether `path` is a package with a module below it that we can serve. Empty shells are not served."""
    if path not in modules.packages():
        return False
    below = path + "."
    if any(modules.is_proto(m) for m in modules.table() if m.startswith(below)):
        return True
    if any(m.startswith(below) for m in modules.OURS) or any(old.startswith(below) for old, _ in modules.RENAMED):
        return True
    return any(reachable(p) for m, row in modules.table().items() if m.startswith(below) for p in row.values())


@cache
def reachable(public: str) -> bool:
    try:
        public_value(public)
    except LookupError:
        return False
    return True


def neighbour(fullname: str) -> ModuleSpec | None:
    """A file beside the program that it names by its place in TensorFlow's tree, or a package above one."""
    file, is_package = neighbours.find(fullname)
    if file is not None:
        return spec_from_file_location(fullname, file)
    if not is_package:
        return None
    spec = ModuleSpec(fullname, FINDER, is_package=True)
    spec.loader_state = Alias(fullname, _nothing, list, None)
    return spec


def _nothing(name: str) -> Any:
    raise LookupError(name)


class Finder(MetaPathFinder, Loader):
    """Answers for `tensorflow`, `tensorflow_estimator`, what is below them, and TensorBoard's switch; leaves everything else to the
    others.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == SWITCH_OF_TENSORBOARD:
            return ModuleSpec(fullname, self)
        top = fullname.partition(".")[0]
        if top not in (NAME, ESTIMATORS):
            return None
        module = alias(NAME + fullname[len(top) :])
        if module is None:
            spec = neighbour(fullname)
            if spec is None:
                raise MissingModule(fullname, all_modules())
            return spec
        spec = ModuleSpec(fullname, self, origin="thalweg", is_package=True)
        spec.loader_state = module
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return spec.loader_state or ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to run: an alias asks its face when it is asked."""


def all_modules() -> Iterator[str]:
    """The modules that an import can name, for the hint of a failed one."""
    faces = [m for m in sys.modules if m.startswith("thalweg.") and not m.startswith("thalweg._src")]
    yield from (m.replace("thalweg", NAME, 1) for m in faces)
    served = [m for m, row in modules.table().items() if any(reachable(public) for public in row.values())]
    yield from (f"{NAME}.{m}" for m in [*served, *modules.OURS])


FINDER = Finder()


def install() -> ModuleType:
    """Serve `tensorflow` from thalweg in this process, from now on; the module that `import tensorflow` gives.

    Twice is as good as once. RuntimeError if a real TensorFlow has been imported already.
    """
    there = sys.modules.get(NAME)
    if there is not None and not isinstance(there, Alias):
        raise RuntimeError(
            f"tensorflow is imported already, from {getattr(there, '__file__', 'an unknown place')}: "
            "call thalweg.install() before the first `import tensorflow`"
        )
    if FINDER not in sys.meta_path:
        sys.meta_path.insert(0, FINDER)
    return importlib.import_module(NAME)


def uninstall() -> None:
    """Take the hook away and forget the modules it made. What a program holds of them keeps working."""
    if FINDER in sys.meta_path:
        sys.meta_path.remove(FINDER)
    import_or_none.cache_clear()
    reachable.cache_clear()
    for name, module in list(sys.modules.items()):
        if isinstance(module, Alias) or (
            name == SWITCH_OF_TENSORBOARD and getattr(module, "__loader__", None) is FINDER
        ):
            del sys.modules[name]


def installed() -> bool:
    return FINDER in sys.meta_path
