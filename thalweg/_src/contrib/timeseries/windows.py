"""Input functions of estimators: random windows of a series, all of it, or what predictions go on from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg._src.contrib.timeseries.keys import STATE_TUPLE, TIMES
from thalweg._src.contrib.timeseries.readers import TimeSeriesReader
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib import nesting as nest
from thalweg._src.lib.batching import batch, maybe_shuffle_batch
from thalweg._src.lib.producers import limit_epochs
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.topk import top_k
from thalweg._src.ops.basic import control_dependencies, identity
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.reports.checks import Assert
from thalweg._src.ops.stateful.assigning import assign
from thalweg._src.ops.stateful.variables import Variable


class WholeDatasetInputFn:
    """Gives all of the series, as a batch of one."""

    def __init__(self, time_series_reader: TimeSeriesReader) -> None:
        self._reader = time_series_reader

    def create_batch(self) -> tuple[dict[str, Tensor], None]:
        return {name: value[None, ...] for name, value in self._reader.read_full().items()}, None

    def __call__(self) -> tuple[dict[str, Tensor], None]:
        return self.create_batch()


class RandomWindowInputFn:
    """Gives batches of windows of the series that begin anywhere.

    Windows follow each other in the stream, where each batch begins one record later by chance (`jitter`); a queue shuffles
    them. Where times go back (the stream's end, shuffled files), a window is dropped, or sorted if `discard_out_of_order` is
    False; `discard_consecutive_batches_limit` batches without any window are an error in the run.
    """

    def __init__(
        self,
        time_series_reader: TimeSeriesReader,
        window_size: int,
        batch_size: int,
        queue_capacity_multiplier: int = 1000,
        shuffle_min_after_dequeue_multiplier: int = 2,
        discard_out_of_order: bool = True,
        discard_consecutive_batches_limit: int = 1000,
        jitter: bool = True,
        num_threads: int | None = 2,
        shuffle_seed: int | None = None,
    ) -> None:
        time_series_reader.check_dataset_size(window_size)
        self._reader, self._window, self._batch = time_series_reader, window_size, batch_size
        self._capacity, self._waiting = queue_capacity_multiplier, shuffle_min_after_dequeue_multiplier
        self._discard, self._limit, self._jitter = discard_out_of_order, discard_consecutive_batches_limit, jitter
        self._threads, self._seed = num_threads or batch_size, shuffle_seed

    def __call__(self) -> tuple[dict[str, Tensor], None]:
        return self.create_batch()

    def create_batch(self) -> tuple[dict[str, Tensor], None]:
        skipped: Any = random_uniform([], maxval=2, dtype=dtypes.int32) if self._jitter else 0
        count = self._batch * self._window
        rows = batch(
            self._reader.read(),
            batch_size=count + skipped,
            enqueue_many=True,
            capacity=self._capacity * count,
            num_threads=self._threads,
        )
        windows = {key: self._cut(value[skipped:] if self._jitter else value) for key, value in rows.items()}
        times = windows[TIMES]
        if self._discard:
            kept: Any = self._counted(math.reduce_all(times[:, 1:] >= times[:, :-1], axis=1))
        else:
            order = _argsort(times)
            windows = {key: array.batch_gather(value, order) for key, value in windows.items()}
            kept = True
        features = maybe_shuffle_batch(
            windows,
            batch_size=self._batch,
            capacity=self._capacity * self._batch,
            min_after_dequeue=self._waiting * self._batch,
            keep_input=kept,
            num_threads=self._threads,
            seed=self._seed,
            enqueue_many=True,
        )
        return features, None

    def _cut(self, rows: Tensor) -> Tensor:
        """[batch * window, ...] as [batch, window, ...]."""
        shape = array.concat([[self._batch, self._window], array.shape(rows)[1:]], axis=0)
        windows = array.reshape(rows, shape)
        windows.set_shape([self._batch, self._window, *rows.get_shape().as_list()[1:]])
        return windows

    def _counted(self, kept: Tensor) -> Tensor:
        """`kept`, after counting the batches since one of them was kept: too many are an error."""
        dropped = Variable(
            0, dtype=dtypes.int64, trainable=False, name="discarded_windows", collections=[GraphKeys.LOCAL_VARIABLES]
        )
        now = array.where(math.reduce_any(kept), array.zeros([], dtypes.int64), dropped.initialized_value() + 1)
        with control_dependencies(
            [assign(dropped, now), Assert(now < self._limit, ["windows dropped in a row:", now])]
        ):
            return identity(kept)


def _argsort(times: Tensor) -> Tensor:
    """The order of each row, from the earliest time to the latest."""
    return top_k(-times, k=array.shape(times)[-1], sorted=True)[1]


def times_to_predict(times: Any, steps: int | None, evaluation: Mapping[str, Any]) -> np.ndarray:
    """[batch, steps]: `times`, or the next `steps` after those of an evaluation.

    Raises ValueError unless one of both is given, and for times that do not come after the evaluation's.
    """
    if (times is None) == (steps is None):
        word = "One" if times is None else "Only one"
        raise ValueError(f"{word} of `steps` and `times` {'must' if times is None else 'may'} be specified.")
    seen = np.asarray(evaluation[TIMES])
    if times is None:
        return seen[:, -1:] + 1 + np.arange(steps)[None, :]
    wanted = np.array(times)
    if wanted.ndim != 2:
        wanted = wanted[None, ...]
    if len(seen) != len(wanted):
        raise ValueError(
            "`times` must have a batch dimension matching the previous model output (got a batch dimension of "
            f"{len(wanted)} for `times` and {len(seen)} for the previous model output)."
        )
    if not (seen[:, -1] < wanted[:, 0]).all():
        raise ValueError("Prediction times must be after the corresponding previous model output.")
    return wanted


def predict_continuation_input_fn(
    evaluation: Mapping[str, Any],
    steps: int | None = None,
    times: Any = None,
    exogenous_features: Mapping[str, Any] | None = None,
) -> Any:
    """An input function for predictions after an evaluation, once: the next `steps`, or given `times`."""
    features = {STATE_TUPLE: evaluation[STATE_TUPLE], TIMES: times_to_predict(times, steps, evaluation)}
    features.update(exogenous_features or {})

    def inputs() -> tuple[dict[str, Any], None]:
        once = {key: nest.map_structure(lambda v: limit_epochs(v, num_epochs=1), v) for key, v in features.items()}
        return once, None

    return inputs
