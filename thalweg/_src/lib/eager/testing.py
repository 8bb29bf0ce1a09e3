"""Tests that run twice: in a graph with a session, and eagerly."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from thalweg._src.lib.eager import context


def run_in_graph_and_eager_modes(
    func: Any = None,
    config: Any = None,
    use_gpu: bool = True,
    reset_test: bool = True,
    assert_no_eager_garbage: bool = False,
) -> Any:
    """Decorator of a test method: it runs in a graph, in a session, and then eagerly, with setUp and tearDown around the second run.

    Raises ValueError for classes.
    """

    def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
        if isinstance(f, type):
            raise ValueError("`run_in_graph_and_eager_modes` only supports test methods.")

        @functools.wraps(f)
        def both(self: Any, *args: Any, **kwargs: Any) -> None:
            with context.graph_mode(), self.test_session(use_gpu=use_gpu, config=config):
                f(self, *args, **kwargs)
            if reset_test:
                self.tearDown()
                self._tempdir = None
            with context.eager_mode():
                if reset_test:
                    self.setUp()
                f(self, *args, **kwargs)

        return both

    return decorate if func is None else decorate(func)


def run_all_in_graph_and_eager_modes(cls: type) -> type:
    """Class decorator: every test method runs in a graph, then eagerly."""
    for name, value in list(vars(cls).items()):
        if callable(value) and name.startswith("test") and name not in ("test_session", "testSkipEager"):
            setattr(cls, name, run_in_graph_and_eager_modes(value))
    return cls
