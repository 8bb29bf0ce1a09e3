"""slim.summaries: summaries under the names of the tensors."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.summary import summary
from thalweg._src.ops.nets.normalization import zero_fraction
from thalweg._src.ops.reports.printing import Print


def _name(tensor: Any, name: str | None, prefix: str | None, postfix: str | None = None) -> str:
    return "/".join(part for part in (prefix, name or tensor.op.name, postfix) if part)


def _printed(op: Any, tensor: Any, name: str, wanted: bool) -> Any:
    if wanted:
        op = Print(op, [tensor], name)
        scopes.add_to_collection(GraphKeys.SUMMARIES, op)
    return op


def add_histogram_summary(tensor: Any, name: str | None = None, prefix: str | None = None) -> Any:
    """A histogram."""
    return summary.histogram(_name(tensor, name, prefix), tensor)


def add_image_summary(
    tensor: Any, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> Any:
    """Images; printed too with `print_summary`."""
    full = _name(tensor, name, prefix)
    op = summary.image(name=full, tensor=tensor, collections=[] if print_summary else None)
    return _printed(op, tensor, full, print_summary)


def add_scalar_summary(
    tensor: Any, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> Any:
    """A number; printed too with `print_summary`."""
    full = _name(tensor, name, prefix)
    op = summary.scalar(name=full, tensor=tensor, collections=[] if print_summary else None)
    return _printed(op, tensor, full, print_summary)


def add_zero_fraction_summary(
    tensor: Any, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> Any:
    """The share of zeros."""
    full = _name(tensor, name, prefix, "Fraction_of_Zero_Values")
    return add_scalar_summary(zero_fraction(tensor), full, print_summary=print_summary)


def add_histogram_summaries(tensors: Any, prefix: str | None = None) -> list[Any]:
    """A histogram of each."""
    return [add_histogram_summary(t, prefix=prefix) for t in tensors]


def add_image_summaries(tensors: Any, prefix: str | None = None) -> list[Any]:
    """Images of each."""
    return [add_image_summary(t, prefix=prefix) for t in tensors]


def add_scalar_summaries(tensors: Any, prefix: str | None = None, print_summary: bool = False) -> list[Any]:
    """A number of each."""
    return [add_scalar_summary(t, prefix=prefix, print_summary=print_summary) for t in tensors]


def add_zero_fraction_summaries(tensors: Any, prefix: str | None = None) -> list[Any]:
    """The share of zeros of each."""
    return [add_zero_fraction_summary(t, prefix=prefix) for t in tensors]
