"""Assertions of test cases over Python's own values: what Abseil's TestCase has, which TensorFlow's is made of."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


class Assertions:
    """A part of tf.test.TestCase; the methods fail with AssertionError."""

    def _fail(self, text: str, msg: str | None) -> None:
        self.fail(f"{text} : {msg}" if msg else text)  # type: ignore[attr-defined]

    def assertEmpty(self, container: Any, msg: str | None = None) -> None:
        """There is nothing in `container`."""
        if len(container):
            self._fail(f"{container!r} has length of {len(container)}.", msg)

    def assertNotEmpty(self, container: Any, msg: str | None = None) -> None:
        """There is something in `container`."""
        if not len(container):
            self._fail(f"{container!r} has length of 0.", msg)

    def assertLen(self, container: Any, expected_len: int, msg: str | None = None) -> None:
        """`container` has so many entries."""
        if len(container) != expected_len:
            self._fail(f"{container!r} has length of {len(container)}, expected {expected_len}.", msg)

    def assertBetween(self, value: Any, minv: Any, maxv: Any, msg: str | None = None) -> None:
        """minv <= value <= maxv"""
        if not minv <= value <= maxv:
            self._fail(f"{value!r} unexpectedly not between {minv!r} and {maxv!r}", msg)

    def assertEndsWith(self, actual: str, expected_end: str, msg: str | None = None) -> None:
        """The text ends with that."""
        if not actual.endswith(expected_end):
            self._fail(f"{actual!r} does not end with {expected_end!r}", msg)

    def assertNotStartsWith(self, actual: str, unexpected_start: str, msg: str | None = None) -> None:
        """The text does not start with that."""
        if actual.startswith(unexpected_start):
            self._fail(f"{actual!r} does start with {unexpected_start!r}", msg)

    def assertNotEndsWith(self, actual: str, unexpected_end: str, msg: str | None = None) -> None:
        """The text does not end with that."""
        if actual.endswith(unexpected_end):
            self._fail(f"{actual!r} does end with {unexpected_end!r}", msg)

    def assertSameElements(self, expected_seq: Any, actual_seq: Any, msg: str | None = None) -> None:
        """Both have the same elements, however often."""
        missing = [x for x in expected_seq if x not in actual_seq]
        extra = [x for x in actual_seq if x not in expected_seq]
        if missing or extra:
            self._fail(f"Expected, but missing: {missing}. Unexpected, but present: {extra}.", msg)

    def assertContainsSubset(self, expected_subset: Any, actual_set: Any, msg: str | None = None) -> None:
        """Everything expected is there."""
        missing = set(expected_subset) - set(actual_set)
        if missing:
            self._fail(f"Missing elements {missing!r}", msg)

    def assertNoCommonElements(self, expected_seq: Any, actual_seq: Any, msg: str | None = None) -> None:
        """Nothing is in both."""
        common = set(expected_seq) & set(actual_seq)
        if common:
            self._fail(f"Common elements {common!r}", msg)

    def assertSequenceStartsWith(self, prefix: Any, whole: Sequence[Any], msg: str | None = None) -> None:
        """The first entries of `whole` are those of `prefix`."""
        wanted = list(prefix) if isinstance(prefix, list | tuple) else [prefix]
        if list(whole[: len(wanted)]) != wanted:
            self._fail(f"prefix: {wanted} not found at start of whole: {whole}.", msg)

    def assertSequenceAlmostEqual(
        self,
        expected_seq: Any,
        actual_seq: Any,
        places: int | None = None,
        msg: str | None = None,
        delta: float | None = None,
    ) -> None:
        """Both are of one length, and equal entry by entry, up to rounding."""
        self.assertLen(actual_seq, len(expected_seq), msg)
        for a, b in zip(expected_seq, actual_seq, strict=True):
            self.assertAlmostEqual(a, b, places=places, msg=msg, delta=delta)  # type: ignore[attr-defined]  # noqa: PT009

    def assertTotallyOrdered(self, *groups: Any, **kwargs: Any) -> None:
        """The entries of one group are equal, and less than those of the next."""
        for i, group in enumerate(groups):
            for a in group:
                for j, other in enumerate(groups):
                    for b in other:
                        if ((a < b), (a == b)) != ((i < j), (i == j)):
                            self._fail(f"{a!r} and {b!r} are not in order", kwargs.get("msg"))

    def assertContainsSubsequence(self, container: Any, subsequence: Any, msg: str | None = None) -> None:
        """The entries of `subsequence` are in `container` in that order, with others between them."""
        rest = iter(container)
        if not all(any(x == y for y in rest) for x in subsequence):
            self._fail(f"{subsequence!r} not a subsequence of {container!r}.", msg)

    def assertContainsExactSubsequence(self, container: Any, subsequence: Any, msg: str | None = None) -> None:
        """The entries of `subsequence` are in `container`, one after the other."""
        whole, part = list(container), list(subsequence)
        if not any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1)):
            self._fail(f"{part!r} not an exact subsequence of {whole!r}.", msg)

    def assertContainsInOrder(self, strings: Any, target: str, msg: str | None = None) -> None:
        """The strings are in `target` in that order."""
        at = 0
        for s in [strings] if isinstance(strings, str) else strings:
            found = target.find(s, at)
            if found < 0:
                self._fail(f"Did not find {s!r} after position {at} of {target!r}", msg)
            at = found + len(s)

    def assertRegexMatch(self, actual_str: str, regexes: Any, message: str | None = None) -> None:
        """One of the patterns is found in the text."""
        if not any(re.search(r, actual_str, re.MULTILINE) for r in regexes):
            self._fail(f"No expected regex matches {actual_str!r}: {list(regexes)}", message)

    def assertRaisesWithLiteralMatch(
        self,
        expected_exception: Any,
        expected_exception_message: str,
        callable_obj: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """An error of that class is raised, with exactly that message."""
        pattern = "^" + re.escape(expected_exception_message) + r"\Z"
        context = self.assertRaisesRegex(expected_exception, pattern)  # type: ignore[attr-defined]  # noqa: PT027
        if callable_obj is None:
            return context
        with context:
            callable_obj(*args, **kwargs)
        return None

    def assertJsonEqual(self, first: str, second: str, msg: str | None = None) -> None:
        """Both texts are JSON of the same value."""
        if json.loads(first) != json.loads(second):
            self._fail(f"{first!r} and {second!r} are not the same", msg)

    def assertUrlEqual(self, a: str, b: str, msg: str | None = None) -> None:
        """Both addresses are the same, but for the order of their parameters."""
        (first, _, query_a), (second, _, query_b) = a.partition("?"), b.partition("?")
        if first != second or Counter(re.split("[&;]", query_a)) != Counter(re.split("[&;]", query_b)):
            self._fail(f"{a!r} and {b!r} are not the same", msg)

    def assertNotAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """The arrays differ somewhere."""
        if np.shape(a) == np.shape(b) and np.array_equal(np.asarray(a), np.asarray(b)):
            self._fail("The two values are equal at all elements.", msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """The array is of that type."""
        found = np.asarray(target).dtype
        if found != np.dtype(expected_dtype):
            self._fail(f"dtype {found}, expected {np.dtype(expected_dtype)}", None)

    def assertSameStructure(self, a: Any, b: Any, aname: str = "a", bname: str = "b", msg: str | None = None) -> None:
        """Two nested dicts and lists have the same keys, lengths and leaves; the message tells the first places that differ."""
        problems = [*_differences(a, b, aname, bname)]
        if problems:
            self._fail("; ".join(problems[:5]) + ("; ..." if len(problems) > 5 else ""), msg)

    def assertCommandSucceeds(
        self, command: Any, regexes: Any = (b"",), env: Any = None, close_fds: bool = True, msg: str | None = None
    ) -> None:
        """The command ends with 0, and one of the patterns is found in what it prints."""
        code, printed = _outcome(command, env, close_fds)
        if code != 0:
            self._fail(f"Running command {command} failed with error code {code}: {printed!r}", msg)
        self._found(regexes, printed, msg)

    def assertCommandFails(
        self, command: Any, regexes: Any, env: Any = None, close_fds: bool = True, msg: str | None = None
    ) -> None:
        """The command ends with another number than 0, and one of the patterns is found in what it prints."""
        code, printed = _outcome(command, env, close_fds)
        if code == 0:
            self._fail(f"The following command succeeded while expected to fail: {command}", msg)
        self._found(regexes, printed, msg)

    def _found(self, regexes: Any, printed: bytes, msg: str | None) -> None:
        patterns = [r.encode() if isinstance(r, str) else r for r in regexes]
        if not any(re.search(p, printed, re.DOTALL) for p in patterns):
            self._fail(f"Running command printed {printed!r}, in which none of {patterns} is found", msg)


def _outcome(command: Any, env: Any, close_fds: bool) -> tuple[int, bytes]:
    done = subprocess.run(
        command,
        env=env,
        close_fds=close_fds,
        shell=isinstance(command, str),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout


def _differences(a: Any, b: Any, aname: str, bname: str) -> Iterator[str]:
    """Where two structures differ, in words."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in a:
            if key in b:
                yield from _differences(a[key], b[key], f"{aname}[{key!r}]", f"{bname}[{key!r}]")
            else:
                yield f"{aname} has [{key!r}] with value {a[key]} but it's missing in {bname}"
        yield from (f"{aname} lacks [{key!r}] but {bname} has it with value {b[key]}" for key in b if key not in a)
    elif isinstance(a, list | tuple) and isinstance(b, list | tuple):
        for i, (x, y) in enumerate(zip(a, b, strict=False)):
            yield from _differences(x, y, f"{aname}[{i}]", f"{bname}[{i}]")
        if len(a) != len(b):
            yield f"{aname} has length {len(a)} but {bname} has {len(b)}"
    elif type(a) is not type(b) or a != b:
        yield f"{aname} is {a!r} but {bname} is {b!r}"
