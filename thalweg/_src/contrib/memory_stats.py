"""tf.contrib.memory_stats: how much memory of its device a program uses."""

import numpy as np

from thalweg._src.core.dtypes import int64
from thalweg._src.core.lazy import jax
from thalweg._src.core.opdef import op


def _statistic(name: str) -> np.int64:
    """A number that the allocator of the first device knows; 0 where it knows none, as on a CPU."""
    return np.int64((jax.devices()[0].memory_stats() or {}).get(name, 0))


@op("BytesInUse", host=True, stateful=True, foldable=False)
def bytes_in_use() -> int64:
    """int64[]: the memory of the device in use now."""
    return _statistic("bytes_in_use")


@op("BytesLimit", host=True, stateful=True, foldable=False)
def bytes_limit() -> int64:
    """int64[]: all memory of the device that the program may use."""
    return _statistic("bytes_limit")


@op("MaxBytesInUse", host=True, stateful=True, foldable=False)
def max_bytes_in_use() -> int64:
    """int64[]: the most memory of the device that was in use at once."""
    return _statistic("peak_bytes_in_use")


for _op in (bytes_in_use, bytes_limit, max_bytes_in_use):
    _op.shape_rule(lambda op: [()])


def BytesInUse() -> object:
    """int64[]: the memory of the device in use now."""
    return bytes_in_use()


def BytesLimit() -> object:
    """int64[]: all memory of the device that the program may use."""
    return bytes_limit()


def MaxBytesInUse() -> object:
    """int64[]: the most memory of the device that was in use at once."""
    return max_bytes_in_use()
