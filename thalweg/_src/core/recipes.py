"""How a value was made, for an op that could make it over together with its own work: a bias and a relu behind a convolution.

A lowering notes a recipe beside the value that it returns. The lowering of the op that takes the value alone may ask for the recipe and
return something made from scratch; nobody else needs the first value, and XLA drops it. The compiler says who takes a value alone.

Constants that were brought into the form that a kernel reads, before the program began (`ready`).

And what has been made from the variables that the executable replaces: who writes a new value in the place of the old one must wait
until that is done.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Any


class _Notes(threading.local):
    def __init__(self) -> None:
        self.made: dict[int, tuple[Any, Any]] | None = None  # by the identity of the value, which is kept alive
        self.own: Collection[int] = ()
        self.takers: dict[int, list[Any]] = {}
        self.ready: dict[int, Any] = {}


_notes = _Notes()


@contextlib.contextmanager
def noted(variables: Sequence[Any], packed: Sequence[tuple[Any, Any]] = ()) -> Iterator[None]:
    """Within the block, which traces one executable that replaces `variables`, recipes are noted.

    `packed`: constants, each with what it became in the form that a kernel reads.
    """
    old = _notes.made, _notes.own, _notes.takers, _notes.ready
    _notes.made, _notes.own, _notes.takers = {}, (), {id(v): [] for v in variables}
    _notes.ready = {id(v): p for v, p in packed}
    try:
        yield
    finally:
        _notes.made, _notes.own, _notes.takers, _notes.ready = old


def ready(constant: Any) -> Any:
    """A constant in the form that the kernel reads for which it was made, or None."""
    return _notes.ready.get(id(constant))


def taking(values: Collection[Any]) -> None:
    """The operation that is lowered next is the only one that takes `values`."""
    _notes.own = [id(v) for v in values]


def note(value: Any, recipe: Any) -> Any:
    """`value`, made by `recipe`."""
    if _notes.made is not None:
        _notes.made[id(value)] = value, recipe
    return value


def of(value: Any) -> Any:
    """The recipe of a value that the operation at hand takes alone, or None."""
    if _notes.made is None or id(value) not in _notes.own:
        return None
    return _notes.made.get(id(value), (None, None))[1]


def seen(value: Any) -> Any:
    """The recipe of a value, whoever else takes it, or None."""
    return None if _notes.made is None else _notes.made.get(id(value), (None, None))[1]


def took(values: Sequence[Any], outputs: Sequence[Any]) -> None:
    """An operation made `outputs` from `values`."""
    for v in values:
        found = _notes.takers.get(id(v))
        if found is not None:
            found.extend(o for o in outputs if o is not v)


def is_replaced(value: Any) -> bool:
    """Whether `value` is what a variable held before, whose memory the new value may take."""
    return id(value) in _notes.takers


def made_from(variable: Any) -> list[Any]:
    """What has been made, so far, directly from a variable that is replaced; but for values that may have been made over since."""
    return [v for v in _notes.takers.get(id(variable), []) if id(v) not in (_notes.made or ())]
