"""Parts of a dataset that can't be: what is known of them is told while the graph is built."""

from thalweg._src.core import errors, infer
from thalweg._src.core.graph import Tensor


class NoSuchShard(errors.InvalidArgumentError, ValueError):
    """What TensorFlow raises when the dataset is iterated; until 1.13 it raised ValueError when the dataset was made."""


def check(num_shards: Tensor, index: Tensor) -> None:
    """Raise NoSuchShard where the numbers are known and wrong."""
    count, at = infer.constant_value(num_shards), infer.constant_value(index)
    if count is not None and count < 1:
        raise NoSuchShard(
            None, None, f"Number of shards must be greater than zero (currently num_shards = {int(count)})."
        )
    if at is not None and (at < 0 or (count is not None and at >= count)):
        last = "num_shards - 1" if count is None else int(count) - 1
        raise NoSuchShard(None, None, f"Index must be between 0 and {last} (currently index = {int(at)}).")
