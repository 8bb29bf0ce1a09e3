"""Python's own library: what 3.8 and later took away."""

from __future__ import annotations

import functools
from collections.abc import Callable, Set
from types import ModuleType
from typing import Any

from thalweg._src.compat.mended.calls import renamed, supply

ASSERTIONS = {
    "assertEquals": "assertEqual",
    "assertNotEquals": "assertNotEqual",
    "assert_": "assertTrue",
    "assertAlmostEquals": "assertAlmostEqual",
    "assertNotAlmostEquals": "assertNotAlmostEqual",
    "assertRegexpMatches": "assertRegex",
    "assertNotRegexpMatches": "assertNotRegex",
    "assertRaisesRegexp": "assertRaisesRegex",
    "assertItemsEqual": "assertCountEqual",
}


def random(module: ModuleType) -> None:
    """`sample` of a set, and `shuffle` with a function that draws from [0, 1)."""
    own, own_shuffle = module.sample, module.shuffle

    @functools.wraps(own)
    def sample(population: Any, k: int, **kwargs: Any) -> list:
        return own(tuple(population) if isinstance(population, Set) else population, k, **kwargs)

    @functools.wraps(own_shuffle)
    def shuffle(x: Any, random: Callable[[], float] | None = None) -> None:
        if random is None:
            return own_shuffle(x)
        for i in reversed(range(1, len(x))):
            j = int(random() * (i + 1))
            x[i], x[j] = x[j], x[i]

    module.sample, module.shuffle = sample, shuffle  # type: ignore[attr-defined]


def regular_expressions(module: ModuleType) -> None:
    r"""`re.split` by a pattern like `(\W+)?`, which until 3.6 did not split where it matched nothing.

    Since then None stands between any two letters.
    """
    own = module.split

    @functools.wraps(own)
    def split(pattern: Any, string: Any, *args: Any, **kwargs: Any) -> list:
        parts = own(pattern, string, *args, **kwargs)
        if None not in parts or args or kwargs or not module.compile(pattern).fullmatch(string[:0]):
            return parts
        parts, begin = [], 0
        for match in module.finditer(pattern, string):
            if match.group():
                parts += [string[begin : match.start()], *match.groups()]
                begin = match.end()
        return [*parts, string[begin:]]

    module.split = split  # type: ignore[attr-defined]


def threading(module: ModuleType) -> None:
    supply(module.Thread, {"isAlive": module.Thread.is_alive})


def html_parser(module: ModuleType) -> None:
    supply(module.HTMLParser, {"unescape": staticmethod(module.unescape)})


def unittest_case(module: ModuleType) -> None:
    kind = module.TestCase
    supply(kind, {old: getattr(kind, new) for old, new in ASSERTIONS.items()})


def json(module: ModuleType) -> None:
    """The `encoding` of what is read, which has long been ignored."""
    for name in ("load", "loads"):
        setattr(module, name, renamed(getattr(module, name), {"encoding": None}))


def pydoc(module: ModuleType) -> None:
    """`pydoc.locate("tensorflow.train.AdamOptimizer")`, which tries each part as a module: our errors have no module's name."""
    own = module.safeimport

    @functools.wraps(own)
    def safeimport(path: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return own(path, *args, **kwargs)
        except module.ErrorDuringImport as error:
            if getattr(error.value, "fullname", None) == path:
                return None
            raise

    module.safeimport = safeimport  # type: ignore[attr-defined]


CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "pydoc": pydoc,
    "random": random,
    "re": regular_expressions,
    "html.parser": html_parser,
    "threading": threading,
    "unittest.case": unittest_case,
    "json": json,
}
