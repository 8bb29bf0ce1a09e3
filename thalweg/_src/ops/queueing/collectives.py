"""Collectives: operations of one step that meet under the same keys, and go on when all of their group have come."""

from functools import reduce
from typing import Any

import numpy as np

from thalweg._src.core.dtypes import float16, float32, float64, int32, int64
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Enum, Outputs, Shape, TypeAttr, op
from thalweg._src.core.waiting import NOT_YET, Attempt, Shared

T = TypeAttr("T", (float32, float16, float64, int32, int64))
MERGED = {"Add": np.add, "Mul": np.multiply, "Min": np.minimum, "Max": np.maximum}
CANCELLED = "Operation was cancelled"


class Round:
    """What the members of a group have brought so far; `result` when all have come."""

    def __init__(self) -> None:
        self.brought: list[tuple[str, Any]] = []  # by whom, what
        self.result: Any = NOT_YET


class Meeting(Shared):
    """Where the members of one group meet, again and again."""

    def __init__(self, size: int):
        super().__init__()
        self.size, self.round = size, Round()

    def bring(self, member: str, value: Any, join: Any) -> Attempt:
        """Come with `value` (None of those who only listen); the attempt's value is `join(what all brought)`, in the order of members."""
        mine = self.round

        def come() -> None:
            mine.brought.append((member, value))
            if len(mine.brought) == self.size:
                ordered = sorted(mine.brought, key=lambda b: (len(b[0]), b[0]))  # :2 comes before :10
                self.round, mine.result = Round(), join([value for _, value in ordered])

        self.change(come)
        return self.attempt(lambda: mine.result, CANCELLED)


def _meeting(ctx: Any, group_size: int, group_key: int, instance_key: int) -> Meeting:
    met = ctx.resource(("meeting", group_key, instance_key), lambda: Meeting(group_size))
    if met.size != group_size:
        raise invalid(f"Group {group_key} has {met.size} members in one operation and {group_size} in another")
    return met


def _alike(brought: list[Any]) -> list[Any]:
    if len({b.shape for b in brought}) > 1:
        raise invalid(f"The members of a collective brought tensors of shapes {[b.shape for b in brought]}")
    return brought


_FACTS: dict[str, Any] = {"host": True, "effect": "host", "waits": True, "foldable": False}


@op("CollectiveReduce", **_FACTS)
def collective_reduce(
    input: T,
    *,
    group_size: int,
    group_key: int,
    instance_key: int,
    merge_op: Enum("Min", "Max", "Mul", "Add"),
    final_op: Enum("Id", "Div"),
    subdiv_offsets: list[int],
    wait_for: list[int] = [],  # noqa: B006
    communication_hint: str = "auto",
    ctx,
) -> Outputs(data=T):
    """The tensors of all members made one, for each of them; with `final_op` Div divided by their number."""

    def join(brought: list[Any]) -> Any:
        joined = reduce(MERGED[merge_op], _alike(brought))
        return joined / joined.dtype.type(group_size) if final_op == "Div" else joined

    joined = yield _meeting(ctx, group_size, group_key, instance_key).bring(ctx.op.device, np.asarray(input), join)
    return joined.astype(input.dtype)


@collective_reduce.shape_rule
def _(op):
    return [op.inputs[0].dims]


@op("CollectiveGather", **_FACTS)
def collective_gather(
    input: T,
    *,
    group_size: int,
    group_key: int,
    instance_key: int,
    shape: Shape,
    communication_hint: str = "auto",
    ctx,
) -> Outputs(data=T):
    """The tensors of all members behind one another, in the order of their devices."""
    meeting = _meeting(ctx, group_size, group_key, instance_key)
    return (yield meeting.bring(ctx.op.device, np.asarray(input), lambda brought: np.concatenate(_alike(brought))))


@op("CollectiveBcastSend", **_FACTS)
def collective_bcast_send(
    input: T,
    *,
    group_size: int,
    group_key: int,
    instance_key: int,
    shape: Shape,
    communication_hint: str = "auto",
    ctx,
) -> Outputs(data=T):
    """Give all members this tensor."""
    meeting = _meeting(ctx, group_size, group_key, instance_key)
    return (yield meeting.bring(ctx.op.device, np.asarray(input), _sent))


@op("CollectiveBcastRecv", **_FACTS)
def collective_bcast_recv(
    *,
    T: T,
    group_size: int,
    group_key: int,
    instance_key: int,
    shape: Shape,
    communication_hint: str = "auto",
    ctx,
) -> Outputs(data=T):
    """The tensor that one member gives all of them."""
    return (yield _meeting(ctx, group_size, group_key, instance_key).bring(ctx.op.device, None, _sent))


def _sent(brought: list[Any]) -> Any:
    sent = [b for b in brought if b is not None]
    if len(sent) != 1:
        raise invalid(f"{len(sent)} members of a collective send, where one has to")
    return sent[0]


for _op in (collective_gather, collective_bcast_send, collective_bcast_recv):
    _op.shape_rule(lambda op: [op.attrs["shape"]])
