"""A library of machine code that compiled programs call, known to those who run programs that were compiled earlier.

XLA must know the functions of a library before it loads a program that calls them. Whoever has such a library says here how to make it
ready; while programs are traced, the lowerings that use it do that themselves.
"""

from __future__ import annotations

from collections.abc import Callable

_asked: Callable[[], str | None] = lambda: None
_ready: Callable[[], str] = lambda: ""


def provide(asked: Callable[[], str | None], ready: Callable[[], str]) -> None:
    """`ready` makes the library ready and gives its name, "" where it can't be had; `asked` gives that if it has been done, or None."""
    global _asked, _ready
    _asked, _ready = asked, ready


def asked() -> str | None:
    """The name of the library if a lowering has asked for it, "" if it was asked for in vain, None if nobody has asked."""
    return _asked()


def ready() -> str:
    """The name of the library, which can be called from now on; "" where it can't be had."""
    return _ready()
