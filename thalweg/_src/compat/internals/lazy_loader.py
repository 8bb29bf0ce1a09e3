"""tensorflow.python.util.lazy_loader: a module that is imported when it is first used."""

import importlib
import types
from typing import Any


class LazyLoader(types.ModuleType):
    """Stands for the module `name` until an attribute is asked for, then takes its place in `parent_module_globals`."""

    def __init__(self, local_name: str, parent_module_globals: dict[str, Any], name: str):
        super().__init__(name)
        self._local_name, self._globals = local_name, parent_module_globals

    def _load(self) -> types.ModuleType:
        module = importlib.import_module(self.__name__)
        self._globals[self._local_name] = module
        self.__dict__.update(module.__dict__)
        return module

    def __getattr__(self, item: str) -> Any:
        return getattr(self._load(), item)

    def __dir__(self) -> list[str]:
        return dir(self._load())
