"""What state a batch goes on from: none, one that is given, or the one that an earlier batch left at that time."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.timeseries.keys import STATE_TUPLE, TIMES, VALUES
from thalweg._src.contrib.timeseries.model import ModelOutputs, replicated
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.lib import nesting as nest
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.mutable_tables import MutableDenseHashTable
from thalweg._src.ops import array, basic, math


class PassthroughStateManager:
    """Each batch begins from the model's start state."""

    def __init__(self) -> None:
        self._input_statistics: Any = None
        self._graph_initialized = False

    def initialize_graph(self, model: Any, input_statistics: Any = None) -> None:
        """Make what is needed in the graph."""
        self._graph_initialized = True
        self._input_statistics = input_statistics

    def define_loss(self, model: Any, features: dict[str, Any], mode: str) -> ModelOutputs:
        """The model's loss. ValueError where a state is given."""
        if STATE_TUPLE in features:
            raise ValueError("Overriding start state is not supported for this model.")
        return model.define_loss(features, mode)


class FilteringOnlyStateManager(PassthroughStateManager):
    """A batch begins from the state in the features, if there is one; not in training."""

    def define_loss(self, model: Any, features: dict[str, Any], mode: str) -> ModelOutputs:
        if STATE_TUPLE not in features:
            return self._without_state(model, features, mode)
        if mode == ModeKeys.TRAIN:
            raise ValueError(
                f"Overriding saved state for training is not supported (but a value for feature {STATE_TUPLE} was "
                "specified)."
            )
        rest = {key: value for key, value in features.items() if key != STATE_TUPLE}
        return model.get_batch_loss(features=rest, mode=mode, state=features[STATE_TUPLE])

    def _without_state(self, model: Any, features: dict[str, Any], mode: str) -> ModelOutputs:
        return model.define_loss(features, mode)


class ChainingStateManager(FilteringOnlyStateManager):
    """A window goes on from the state that an earlier one left about its start: one state for each interval is kept."""

    def __init__(self, state_saving_interval: int = 20, checkpoint_state: bool = False) -> None:
        super().__init__()
        self._interval, self._saved = state_saving_interval, checkpoint_state

    def initialize_graph(self, model: Any, input_statistics: Any = None) -> None:
        super().initialize_graph(model, input_statistics)
        self._start = [to_tensor(part) for part in nest.flatten(model.get_start_state())]
        self._structure = model.get_start_state()
        self._tables = [
            MutableDenseHashTable(
                key_dtype=dtypes.int64,
                value_dtype=part.dtype.base_dtype,
                default_value=array.reshape(part, [-1]),
                empty_key=-1,
                deleted_key=-2,
                name=f"cached_states_{i}",
                checkpoint=self._saved,
            )
            for i, part in enumerate(self._start)
        ]

    def _chunk(self, time: Any) -> Any:
        return time // self._interval

    def _state_at(self, times: Tensor) -> Any:
        """The kept states of the intervals that `times` lie in; at the series' begin the start state."""
        chunks = self._chunk(times)
        begin = 0 if self._input_statistics is None else self._input_statistics.start_time
        at_start = math.equal(chunks, self._chunk(begin))
        found = []
        for table, start in zip(self._tables, self._start, strict=True):
            shape = array.concat([array.shape(times), array.shape(start)], 0)
            kept = array.reshape(table.lookup(math.cast(chunks, dtypes.int64)), shape)
            kept.set_shape([None, *start.shape.as_list()])
            found.append(array.where(at_start, replicated(start, array.shape(times)[0]), kept))
        return nest.pack_sequence_as(self._structure, found)

    def _without_state(self, model: Any, features: dict[str, Any], mode: str) -> ModelOutputs:
        if not self._graph_initialized:
            raise ValueError("ChainingStateManager requires initialize_graph() to be called before use.")
        times = features[TIMES]
        loss, states, predictions = model.per_step_batch_loss(
            features=features, mode=mode, state=self._state_at(times[:, 0])
        )
        # The state behind a record is kept for the interval that the next record is in.
        following = self._chunk(array.concat([times[:, 1:], times[:, -1:] + 1], axis=1))
        chunks = math.maximum(following, self._chunk(times) + 1)
        parts = [basic.identity(part) for part in nest.flatten(states)]
        with basic.control_dependencies(parts):
            kept = [self._keep(table, chunks, part) for table, part in zip(self._tables, parts, strict=True)]
        with basic.control_dependencies(kept):
            loss = basic.identity(loss)
        predictions["observed"] = features[VALUES]
        last = nest.pack_sequence_as(states, [part[:, -1][-1][None] for part in parts])
        return ModelOutputs(loss, last, predictions, times)

    def _keep(self, table: Any, chunks: Tensor, states: Tensor) -> Any:
        keys = array.reshape(math.cast(chunks, dtypes.int64), [-1])
        return table.insert(keys, array.reshape(states, array.stack([array.size(keys), -1])))
