"""Series from arrays and files: as a stream of records that begins anew at its end, or whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thalweg._src.contrib.timeseries.keys import TIMES, VALUES
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.lib.data.readers import TextLineDataset, TFRecordDataset
from thalweg._src.ops import array
from thalweg._src.ops.io.decoding import decode_csv
from thalweg._src.ops.io.parsing import parse_example

Features = dict[str, Any]
WHOLE = np.iinfo(np.int64).max


class TimeSeriesReader:
    """Where a series comes from. Subclasses say how it is read."""

    def check_dataset_size(self, minimum_dataset_size: int) -> None:
        """Raise ValueError for a series that is known to be shorter."""

    def read(self) -> dict[str, Tensor]:
        """Some records of the stream, in order: [records, ...] by the feature's name."""
        raise NotImplementedError

    def read_full(self) -> dict[str, Tensor]:
        """All records."""
        raise NotImplementedError


def batched(data: Mapping[str, Any], single: bool) -> dict[str, np.ndarray]:
    """Arrays with a batch and a time axis, whatever they lack; values have an axis of features.

    Raises ValueError for missing or unlike features, and for more than one series where one is wanted (`single`).
    """
    features = {key: np.array(value) for key, value in data.items()}
    if TIMES not in features or VALUES not in features:
        raise ValueError(f"{TIMES} and {VALUES} are required features.")
    shape = features[TIMES].shape
    for key, value in features.items():
        if value.shape[: len(shape)] != shape:
            raise ValueError(
                "All features must have their shapes prefixed by the shape of the times feature. Got shape "
                f"{value.shape} for feature '{key}', but shape {shape} for '{TIMES}'"
            )
    rank = len(features[VALUES].shape)
    if len(shape) > 2:
        raise ValueError(
            "Got an unexpected number of dimensions for times. Was expecting at most two ([batch size, series length]), "
            f"but got shape {shape}."
        )
    if len(shape) < 2:
        if rank > len(shape) + 1:
            raise ValueError(
                f"Got an unexpected number of dimensions for the '{VALUES}' feature. Was expecting at most "
                f"{len(shape) + 1} since '{TIMES}' has {len(shape)}, but got shape {features[VALUES].shape}"
            )
        if rank == len(shape):
            features[VALUES] = features[VALUES][..., None]
        missing = (None,) * (2 - len(shape))
        features = {key: value[missing] for key, value in features.items()}
    if single and features[TIMES].shape[0] != 1:
        raise ValueError("Got batch input, was expecting unbatched input.")
    return features


class NumpyReader(TimeSeriesReader):
    """A series in arrays: times [n] and values [n] or [n, features]; others are exogenous. ValueError for other shapes."""

    def __init__(self, data: Mapping[str, Any], read_num_records_hint: int = 4096) -> None:
        self._features = {key: value[0] for key, value in batched(data, single=True).items()}
        self._count = read_num_records_hint

    def check_dataset_size(self, minimum_dataset_size: int) -> None:
        size = len(self._features[TIMES])
        if size < minimum_dataset_size:
            raise ValueError(
                f"A TimeSeriesInputFn is configured to create windows of size {minimum_dataset_size}, but only {size} "
                "records were available in the dataset. Either decrease the window size or provide more records."
            )

    def read(self) -> dict[str, Tensor]:
        records = Dataset.from_tensor_slices(self._features).repeat().batch(self._count)
        return records.make_one_shot_iterator().get_next()

    def read_full(self) -> dict[str, Tensor]:
        return Dataset.from_tensors(self._features).repeat().make_one_shot_iterator().get_next()


class _FileReader(TimeSeriesReader):
    """Records of files, one after the other, parsed in batches."""

    def __init__(self, filenames: Any, read_num_records_hint: int = 4096) -> None:
        self._filenames = [filenames] if isinstance(filenames, str | bytes) else filenames
        self._count = read_num_records_hint

    def _records(self) -> Dataset:
        raise NotImplementedError

    def _parsed(self, records: Tensor) -> dict[str, Tensor]:
        raise NotImplementedError

    def read(self) -> dict[str, Tensor]:
        stream = self._records().repeat().batch(self._count)
        return self._parsed(stream.make_one_shot_iterator().get_next())

    def read_full(self) -> dict[str, Tensor]:
        whole = self._records().batch(WHOLE).repeat()
        return self._parsed(whole.make_one_shot_iterator().get_next())


class CSVReader(_FileReader):
    """Columns of CSV files; those of one name become one feature. Times are int64 and others float32, unless said.

    Raises ValueError unless there is one column of times, one or more of values, and a type for each or for none.
    """

    def __init__(
        self,
        filenames: Any,
        column_names: Sequence[str] = (TIMES, VALUES),
        column_dtypes: Sequence[Any] | None = None,
        skip_header_lines: int | None = None,
        read_num_records_hint: int = 4096,
    ) -> None:
        for name in (TIMES, VALUES):
            if name not in column_names:
                raise ValueError(f"'{name}' is a required column.")
        if column_dtypes is not None and len(column_dtypes) != len(column_names):
            raise ValueError(
                "If specified, the length of column_dtypes must match the length of column_names (got column_dtypes="
                f"{column_dtypes} and column_names={column_names})."
            )
        if list(column_names).count(TIMES) != 1:
            raise ValueError(f"Got more than one times column ('{TIMES}'), but exactly one is required.")
        self._names, self._skip = column_names, skip_header_lines or 0
        self._dtypes = column_dtypes or [dtypes.int64 if name == TIMES else dtypes.float32 for name in column_names]
        self._given = column_dtypes is not None
        super().__init__(filenames, read_num_records_hint)

    def _records(self) -> Dataset:
        names = Dataset.from_tensor_slices(self._filenames)
        return names.flat_map(lambda name: TextLineDataset(name).skip(self._skip))

    def _parsed(self, records: Tensor) -> dict[str, Tensor]:
        # Where types are given, an empty field is a zero; elsewhere it is an error.
        columns = decode_csv(
            records,
            [
                array.zeros([1], dtype) if self._given or name == TIMES else array.zeros([0], dtype)
                for name, dtype in zip(self._names, self._dtypes, strict=True)
            ],
        )
        groups: dict[str, list[Tensor]] = {}
        for name, column in zip(self._names, columns, strict=True):
            groups.setdefault(name, []).append(column)
        return {name: found[0] if name == TIMES else array.stack(found, axis=1) for name, found in groups.items()}


class TFExampleReader(_FileReader):
    """Examples of TFRecord files, with a parsing spec that has times and values. ValueError without them."""

    def __init__(self, filenames: Any, features: Mapping[str, Any]) -> None:
        for name in (TIMES, VALUES):
            if name not in features:
                raise ValueError(f"'{name}' is a required column.")
        self._features = features
        super().__init__(filenames)

    def _records(self) -> Dataset:
        return TFRecordDataset(self._filenames)

    def _parsed(self, records: Tensor) -> dict[str, Tensor]:
        return parse_example(records, self._features)
