"""What a function, class or op of ours takes: the names of its arguments, and how many may come without a name."""

import inspect
import re
from typing import Any

from thalweg._src.core.opdef import OpDef


class Takes:
    """`names` may be given by name (`anything`: every name may), at most `positional` arguments without (None: any number)."""

    def __init__(self, names: set[str], positional: int | None, *, anything: bool = False):
        self.names, self.positional, self.anything = names, positional, anything


def takes(target: Any) -> Takes | None:
    """The arguments of a callable, None where that can't be told."""
    if isinstance(target, OpDef):
        names = [*target.input_names, *(a.name for a in target.explicit), "name"]
        return Takes(set(names), len(names))
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    parameters = list(signature.parameters.values())
    kinds = {p.kind for p in parameters}
    named = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    open_ended = inspect.Parameter.VAR_POSITIONAL in kinds
    positional = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    former = former_names(target)
    return Takes(
        named | set(former),
        None if open_ended else max(positional, len(former)),
        anything=inspect.Parameter.VAR_KEYWORD in kinds,
    )


def former_names(target: Any) -> tuple[str, ...]:
    """The arguments under the names of an older release, where there is one that differs in their order."""
    names: tuple[str, ...] = ()
    while target is not None:
        names += getattr(target, "formerly", ())
        target = getattr(target, "__wrapped__", None)
    return names


def has_attribute(kind: type, name: str) -> bool:
    """Whether objects of the class `kind` have the attribute: in the class, or set by its methods."""
    if hasattr(kind, name) or hasattr(kind, "__getattr__"):
        return True
    pattern = re.compile(rf"\bself\.{re.escape(name)}\b[^=\n]*=|\bself\.[\w., ]*\b{re.escape(name)}\b")
    for base in kind.__mro__[:-1]:
        try:
            if pattern.search(inspect.getsource(base)):
                return True
        except (OSError, TypeError):
            return True  # it can't be told
    return False
