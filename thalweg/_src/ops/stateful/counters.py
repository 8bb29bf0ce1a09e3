"""Counters: a variable that counts up to a limit."""

from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Handle, Ref, op, type_attr

T = type_attr("T", (int32, int64))


def _count(value, limit):
    check(value < limit, f"Reached limit of {limit}", errors.OutOfRangeError)
    return value + 1, value


@op("CountUpTo", effect="write", stateful=False)
def _count_up_to(ref: Ref(T), *, limit: int) -> T:
    """The variable's value, which then grows by one; OutOfRangeError at the limit."""
    return _count(ref, limit)


@op("ResourceCountUpTo", effect="write")
def _resource_count_up_to(resource: Handle(T), *, limit: int, T: T) -> T:
    """The resource variable's value, which then grows by one; OutOfRangeError at the limit."""
    return _count(resource, limit)


for _counter in (_count_up_to, _resource_count_up_to):
    _counter.shape_rule(lambda op: [()])
    _counter.not_differentiable()


def count_up_to(ref: Any, limit: int, name: str | None = None) -> Tensor:
    """The value of an integer variable, which grows by one with every run until it is `limit`; then OutOfRangeError."""
    handle = getattr(ref, "handle", None)
    if isinstance(handle, Tensor):
        return _resource_count_up_to(handle, limit=limit, T=ref.dtype.base_dtype, name=name)
    return _count_up_to(ref._ref() if not isinstance(ref, Tensor) else ref, limit=limit, name=name)
