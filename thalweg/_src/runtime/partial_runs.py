"""Runs in pieces: `partial_run_setup` announces what `partial_run` feeds and fetches, bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.compiler.interpret import RefValue
from thalweg._src.compiler.plan import Plan
from thalweg._src.core import errors
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.runtime.fetch import Fetches, expand_partial_feed
from thalweg._src.runtime.values import shape_of


def set_up(session: Any, fetches: Any, feeds: Any = None) -> str:
    """Announce what `go_on` will fetch and feed, piece by piece; returns the handle of the run."""
    if session._closed:
        raise RuntimeError("Attempted to use a closed Session.")
    wanted = Fetches(session._graph, fetches)
    if not wanted.tensors and not wanted.targets:
        raise errors.InvalidArgumentError(None, None, "Must specify at least one target to fetch or execute.")
    fed = set()
    for f in feeds or []:
        for t in expand_partial_feed(f):
            try:
                fed.add(session._graph.as_graph_element(t, allow_operation=False))
            except (TypeError, ValueError, KeyError) as error:
                raise TypeError(f"Cannot interpret feed_list key as Tensor: {error}") from None
    handle = f"partial_run_{len(session._partial)}"
    session._partial[handle] = PartialRun(set(wanted.tensors), set(wanted.targets), fed)
    return handle


def go_on(session: Any, handle: str, fetches: Any, feed_dict: Any = None) -> Any:
    """Go on with a partial run: feed some of what was announced, fetch some. Every operation runs once at most."""
    if session._closed:
        raise RuntimeError("Attempted to use a closed Session.")
    if handle not in session._partial:
        raise errors.InvalidArgumentError(None, None, "Must run 'setup' before performing partial runs!")
    run = session._partial[handle]
    wanted = Fetches(session._graph, fetches)
    feeds = session._feeds(feed_dict) if feed_dict else {}
    run.admit(wanted, feeds)
    shapes = {t: shape_of(v) for t, v in run.env.items()}
    plan = Plan(wanted.tensors, wanted.targets, shapes, session._devices.place)
    if any(cluster.is_elsewhere for cluster in plan.clusters):
        raise errors.UnimplementedError(None, None, "A partial run is not shared among the tasks of a cluster.")
    for cluster in plan.clusters:
        cluster.ops = [op for op in cluster.ops if op not in run.done]
        session._run_on_host(cluster, run.env)
        run.done.update(op for op in cluster.ops if op.opdef.effect is not None)
    run.forget_references()
    return wanted.build([session._result(plan, t, run.env) for t in wanted.tensors])


class PartialRun:
    """What a run in pieces has announced, and what it has come to."""

    def __init__(self, tensors: set[Tensor], targets: set[Operation], feeds: set[Tensor]):
        self.tensors, self.targets, self.feeds = tensors, targets, feeds
        self.env: dict[Tensor, Any] = {}
        self.done: set[Operation] = set()
        self.fed: set[Tensor] = set()
        self.fetched: set[Tensor] = set()

    def admit(self, wanted: Fetches, feeds: dict[Tensor, Any]) -> None:
        for what, own, announced, used in (
            ("feed", feeds, self.feeds, self.fed),
            ("fetch", wanted.tensors, self.tensors, self.fetched),
        ):
            for t in own:
                if t not in announced:
                    done = "has already been fed." if what == "feed" else "has already been fetched."
                    state = done if t in used else "was not specified in partial_run_setup."
                    raise errors.InvalidArgumentError(None, None, f"The {what} {t.name} {state}")
            announced.difference_update(own)
            used.update(own)
        self.env.update(feeds)
        for t in self.feeds:
            if _depends(wanted.tensors, t, self.env):
                raise errors.InvalidArgumentError(
                    None,
                    None,
                    f"Fetch {wanted.tensors[0].name} can't be computed from the feeds that have been fed so far: {t.name}.",
                )

    def forget_references(self) -> None:
        self.env = {t: v for t, v in self.env.items() if type(v) is not RefValue}


def _depends(tensors: Sequence[Tensor], feed: Tensor, known: dict[Tensor, Any]) -> bool:
    stack, seen = list(tensors), set()
    while stack:
        t = stack.pop()
        if t is feed:
            return True
        if t in seen or t in known:
            continue
        seen.add(t)
        stack += t.op._inputs
    return False
