"""Errors for what a program asks of `tensorflow` and thalweg does not have: the symbol, and the nearest that exists."""

import difflib
import sys
from collections.abc import Iterable

from thalweg._src.compat import left_out


def nearest(name: str, known: list[str]) -> list[str]:
    """Up to three of `known` that look like `name`; a difference in capitals alone comes first."""
    same = [k for k in known if k.lower() == name.lower()]
    return (same + [k for k in difflib.get_close_matches(name, known, n=3, cutoff=0.6) if k not in same])[:3]


def hint(prefix: str, name: str, known: list[str]) -> str:
    found = nearest(name, sorted(set(known)))
    return f"; the nearest is {' or '.join(prefix + f for f in found)}" if found else ""


class MissingSymbol(AttributeError):
    """`tf.nn.reluu`. The text is made when it is read: programs probe with hasattr, and a search costs milliseconds."""

    def __init__(self, module: str, name: str, known: list[str]):
        super().__init__(module, name)
        self._asked = (module, name, known)

    def __str__(self) -> str:
        module, name, known = self._asked
        shown = module.replace("tensorflow", "tf", 1)
        why = left_out.reason(f"{shown}.{name}")
        return f"thalweg has no {shown}.{name}{f' ({why})' if why else ''}{hint(shown + '.', name, known)}"


class MissingModule(ModuleNotFoundError):
    """`import tensorflow.contrib.sllim`, or `from tensorflow.nn import reluu`, which Python tries as a module too.

    `name` stays None: an error with the module's own name is taken by the from-import for "no such submodule", and its
    text is lost.
    """

    def __init__(self, fullname: str, known: Iterable[str]):
        super().__init__(fullname)
        self.fullname = fullname
        self._known = (
            known  # listing them imports every package that we have: programs that only probe don't wait for it
        )
        self._text: str | None = None

    def __str__(self) -> str:
        if self._text is None:
            parent, _, last = self.fullname.rpartition(".")
            known = list(self._known)
            beside = [k.removeprefix(parent + ".").split(".")[0] for k in known if k.startswith(parent + ".")]
            near = hint(parent + ".", last, [*beside, *dir(sys.modules.get(parent, sys))])
            why = left_out.reason(self.fullname.replace("tensorflow", "tf", 1))
            told = f" ({why})" if why else ""
            self._text = f"thalweg has no {self.fullname}{told}{near or hint('', self.fullname, known)}"
        return self._text


# A traceback names the classes as the program knows them.
MissingSymbol.__module__, MissingSymbol.__qualname__ = "builtins", "AttributeError"
MissingModule.__module__, MissingModule.__qualname__ = "builtins", "ModuleNotFoundError"
