"""The seeds of datasets, as tensors."""

from typing import Any

from thalweg._src.core import dtypes, seeds
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.late import array, math


def seed_tensors(seed: Any) -> tuple[Tensor, Tensor]:
    """The two seeds of a dataset that is made now, from the graph's seed and its own, which may be a tensor. (0, 0) means none."""
    first, second = _seeds(seed)
    one = constant(0, dtypes.int64, name="seed") if first is None else to_tensor(first, dtypes.int64, "seed")
    if second is None:
        return one, constant(0, dtypes.int64, name="seed2")
    with name_scope("seed2") as scope:
        two = to_tensor(second, dtypes.int64)
        both = math.logical_and(math.equal(one, 0), math.equal(two, 0))
        return one, array.where(both, constant(2**31 - 1, dtypes.int64), two, name=scope)


def _seeds(seed: Any) -> tuple[Any, Any]:
    if not isinstance(seed, Tensor):
        return seeds.get_seed(seed)
    first, _ = seeds.get_seed(0)
    return (seeds.DEFAULT_GRAPH_SEED if first is None else first), seed
