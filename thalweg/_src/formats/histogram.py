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


def to_proto(values: np.ndarray) -> Any:
    """The HistogramProto of `values`, which are finite. A bucket holds what is below its limit and not below the last
    one's; a run of empty buckets is one.
    """
    flat = np.asarray(values, np.float64).ravel()
    proto = protos.HistogramProto(num=flat.size, sum=flat.sum(), sum_squares=np.dot(flat, flat))
    proto.min = flat.min() if flat.size else LARGEST
    proto.max = flat.max() if flat.size else -LARGEST
    edges = limits()
    counts = np.bincount(np.searchsorted(edges, flat, side="right"), minlength=edges.size)
    full = np.flatnonzero(counts)
    # The last empty bucket before each full one stands for the run of empty ones, and so does the last of all.
    ends = np.unique(np.concatenate([full, full[full > 0] - 1, [edges.size - 1]]))
    proto.bucket_limit.extend(edges[ends].tolist())
    proto.bucket.extend(counts[ends].astype(np.float64).tolist())
    return proto
