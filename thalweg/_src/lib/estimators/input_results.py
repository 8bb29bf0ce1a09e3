"""What an input function gave, and what is given back for each example."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import nest
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.hooks.hook import SessionRunHook


def parse_input_fn_result(result: Any) -> tuple[Any, Any, list[Any]]:
    """(features, labels, hooks) of what an input function gave. Raises ValueError for tuples of other lengths."""
    from thalweg._src.lib.data.dataset import Dataset

    hooks = []
    if isinstance(result, Dataset):
        iterator = result.make_initializable_iterator()
        hooks.append(_InitializeIterator(iterator))
        result = iterator.get_next()
    if isinstance(result, list | tuple):
        if len(result) != 2:
            raise ValueError("input_fn should return (features, labels) as a len 2 tuple.")
        return result[0], result[1], hooks
    return result, None, hooks


class _InitializeIterator(SessionRunHook):
    def __init__(self, iterator: Any):
        self._iterator = iterator

    def begin(self) -> None:
        self._initializer = self._iterator.initializer

    def after_create_session(self, session: Any, coord: Any) -> None:
        session.run(self._initializer)


def ends(features: Any) -> bool:
    """Whether features come from a dataset or a queue, which end."""
    tensors = [t for t in nest.flatten(features) if isinstance(t, Tensor)]
    if any(t.op.type == "IteratorGetNext" for t in tensors):
        return True
    return bool(get_default_graph().get_collection(GraphKeys.QUEUE_RUNNERS))


def chosen(predictions: Any, keys: Any, argument: str = "predict_keys") -> Any:
    """Those of the predictions that `keys` name, all without keys. Raises ValueError where there are none."""
    if not keys:
        return predictions
    if not isinstance(predictions, dict):
        raise ValueError(f"{argument} argument is not valid in case of non-dict predictions.")
    found = {key: value for key, value in predictions.items() if key in keys}
    if not found:
        raise ValueError(f"Expected to run at least one output from {predictions.keys()}, provided {keys}.")
    return found


def length_of(batch: dict[str, Any]) -> int:
    """How many examples a batch has. Raises ValueError where tensors have different numbers."""
    length = None
    for key, value in batch.items():
        length = length or value.shape[0]
        if value.shape[0] != length:
            raise ValueError(
                f"Batch length of predictions should be same. {key} has different batch length than others."
            )
    return length or 0
