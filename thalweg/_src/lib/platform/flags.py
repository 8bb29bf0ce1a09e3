"""tf.flags: absl's flags with the manners of the era's.

Reading a flag parses the command line if nobody has; the DEFINE functions know the older argument names too; flags that
nobody defined are left to the program.
"""

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import flags as absl_flags

absl_flags.disclaim_key_flags()  # a flag belongs to the module that calls DEFINE_..., not to this one

OLDER_NAMES = {"flag_name": "name", "default_value": "default", "docstring": "help"}


class Flags:
    """The flags of the program. `FLAGS.batch_size` reads one, and sets it when it is assigned."""

    def __init__(self, held: absl_flags.FlagValues):
        self.__dict__["_held"] = held

    def __getattr__(self, name: str) -> Any:
        held = self.__dict__["_held"]
        if name == "__flags" or not name.startswith("_"):
            self._parse()
        return getattr(held, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_held"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__dict__["_held"], name)

    def __getitem__(self, name: str) -> Any:
        return self.__dict__["_held"][name]

    def __setitem__(self, name: str, flag: Any) -> None:
        self.__dict__["_held"][name] = flag

    def __contains__(self, name: str) -> bool:
        return name in self.__dict__["_held"]

    def __iter__(self) -> Any:
        return iter(self.__dict__["_held"])

    def __len__(self) -> int:
        return len(self.__dict__["_held"])

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_held"])

    def __str__(self) -> str:
        return str(self.__dict__["_held"])

    def __call__(self, argv: list[str], known_only: bool = False) -> list[str]:
        return self.__dict__["_held"](argv, known_only)

    def _parse(self) -> None:
        held = self.__dict__["_held"]
        if not held.is_parsed():
            held(sys.argv, known_only=True)

    def _parse_flags(self, args: list[str] | None = None) -> list[str]:
        """What programs of 0.x call before they read `FLAGS.__flags`: parse, and return what was not a flag."""
        return self.__dict__["_held"]([sys.argv[0], *(sys.argv[1:] if args is None else args)], known_only=True)[1:]


FLAGS = Flags(absl_flags.FLAGS)


def defining(function: Callable) -> Callable:
    """absl's DEFINE function, which takes the older names of its arguments and NumPy's numbers as well."""

    def plain(value: Any) -> Any:
        return value.item() if isinstance(value, np.generic) else value

    @functools.wraps(function)
    def define(*args: Any, **kwargs: Any) -> Any:
        named = {OLDER_NAMES.get(name, name): plain(value) for name, value in kwargs.items()}
        return function(*map(plain, args), **named)

    return define


DEFINE_string = defining(absl_flags.DEFINE_string)
DEFINE_boolean = DEFINE_bool = defining(absl_flags.DEFINE_boolean)
DEFINE_float = defining(absl_flags.DEFINE_float)
DEFINE_integer = defining(absl_flags.DEFINE_integer)
