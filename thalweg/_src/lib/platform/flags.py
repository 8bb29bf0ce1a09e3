"""tf.flags: absl's flags with the manners of the era's.

Reading a flag parses the command line if nobody has; the DEFINE functions know the older argument names too; flags that
nobody defined are left to the program.
"""

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from absl import flags as absl_flags

absl_flags.disclaim_key_flags()  # a flag belongs to the module that calls DEFINE_..., not to this one

OLDER_NAMES = {"flag_name": "name", "default_value": "default", "docstring": "help"}


class Flags:
    """The flags of the program. `FLAGS.batch_size` reads one, and sets it when it is assigned.

    Until 1.4 an assignment to a name that is no flag made one: programs keep more of their settings there. Such values are
    attributes of ours. `FLAGS.__dict__["__flags"]` is what it was then too: every value by its name.
    """

    __slots__ = ("_held", "_more")

    def __init__(self, held: absl_flags.FlagValues):
        object.__setattr__(self, "_held", held)
        object.__setattr__(self, "_more", {})

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        self._parse()
        return {"__parsed": True, "__flags": {**self._held.flag_values_dict(), **self._more}}

    def __getattr__(self, name: str) -> Any:
        if name == "__flags" or not name.startswith("_"):
            self._parse()
        if name in self._more and name not in self._held:
            return self._more[name]
        return getattr(self._held, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._held or name.startswith("_"):
            setattr(self._held, name, value)
        else:
            self._more[name] = value

    def __delattr__(self, name: str) -> None:
        if name in self._more:
            del self._more[name]
        else:
            delattr(self._held, name)

    def __getitem__(self, name: str) -> Any:
        return self._held[name]

    def __setitem__(self, name: str, flag: Any) -> None:
        self._held[name] = flag

    def __contains__(self, name: str) -> bool:
        return name in self._held or name in self._more

    def __iter__(self) -> Any:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __dir__(self) -> list[str]:
        return dir(self._held)

    def __str__(self) -> str:
        return str(self._held)

    def __call__(self, argv: list[str], known_only: bool = False) -> list[str]:
        return self._held(self._joined(argv), known_only)

    def _parse(self) -> None:
        if not self._held.is_parsed():
            self(sys.argv, known_only=True)

    def _parse_flags(self, args: list[str] | None = None) -> list[str]:
        """What programs of 0.x call before they read `FLAGS.__flags`: parse, and return what was not a flag."""
        return self([sys.argv[0], *(sys.argv[1:] if args is None else args)], known_only=True)[1:]

    def _joined(self, argv: Sequence[str]) -> list[str]:
        """`argv` with `--train False` as `--train=False`, where `train` is a boolean flag.

        Until 1.4 such a flag took the word behind it. absl leaves the word to the program, and the flag is true.
        """
        words: list[str] = []
        for word in argv:
            before = words[-1].removeprefix("-").removeprefix("-") if words and words[-1].startswith("-") else ""
            if word.lower() in ("true", "false") and before in self._held and self._held[before].boolean:
                words[-1] += f"={word}"
            else:
                words.append(word)
        return words


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
