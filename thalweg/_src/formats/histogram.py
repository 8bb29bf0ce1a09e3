"""Histograms as event files hold them: a fixed ladder of limits, each 1.1 times the last, on both sides of zero."""

import functools
import sys
from typing import Any

import numpy as np

from . import protos

LARGEST = sys.float_info.max


@functools.cache
def limits() -> np.ndarray:
    """The upper limits of the buckets, ascending: from minus the largest double to the largest."""
    positive = []
    v = 1.0e-12
    while v < 1.0e20:
        positive.append(v)
        v *= 1.1
    positive.append(LARGEST)
    return np.array([*(-x for x in reversed(positive)), 0.0, *positive])


class Running:
    """A histogram of values that come one after the other. A bucket holds what is below its limit and not below the last one's."""

    def __init__(self) -> None:
        self.num, self.sum, self.sum_squares = 0, 0.0, 0.0
        self.min, self.max = LARGEST, -LARGEST
        self.counts = np.zeros(limits().size, np.int64)

    def add(self, values: Any) -> None:
        """Take in finite values."""
        flat = np.asarray(values, np.float64).ravel()
        if flat.size:
            self.num += flat.size
            self.sum += float(flat.sum())
            self.sum_squares += float(flat.dot(flat))
            self.min, self.max = min(self.min, float(flat.min())), max(self.max, float(flat.max()))
            self.counts += np.bincount(limits().searchsorted(flat, side="right"), minlength=self.counts.size)

    def to_proto(self, into: Any = None) -> Any:
        """The HistogramProto, which is `into` where that is given; a run of empty buckets is one."""
        proto = protos.HistogramProto() if into is None else into
        proto.num, proto.sum, proto.sum_squares = self.num, self.sum, self.sum_squares
        proto.min, proto.max = self.min, self.max
        full = self.counts != 0
        # The last empty bucket before each full one stands for the run of empty ones, and so does the last of all.
        ends = full.copy()
        ends[:-1] |= full[1:]
        ends[-1] = True
        at = ends.nonzero()[0]
        proto.bucket_limit.extend(limits()[at].tolist())
        proto.bucket.extend(self.counts[at].tolist())
        return proto


def fill(proto: Any, values: np.ndarray) -> None:
    """Make `proto` the HistogramProto of `values`, which are finite."""
    running = Running()
    running.add(values)
    running.to_proto(proto)
