"""tf.contrib.learn.io: tables of pandas as arrays, tables of dask with the numbers of their rows."""

from __future__ import annotations

import importlib.util
import itertools
from typing import Any

import numpy as np

HAS_PANDAS = importlib.util.find_spec("pandas") is not None
HAS_DASK = importlib.util.find_spec("dask") is not None

_NUMBERS = "biuf"


def _is_frame(data: Any) -> bool:
    return hasattr(data, "iloc") and hasattr(data, "columns")


def _check_numbers(frame: Any, what: str) -> None:
    bad = [f"'{name}' type='{frame[name].dtype.name}'" for name in frame if frame[name].dtype.kind not in _NUMBERS]
    if bad:
        raise ValueError(f"Data types for extracting {what} must be int, float, or bool. Found: {', '.join(bad)}")


def extract_pandas_data(data: Any) -> Any:
    """The floats of a DataFrame; other things as they are. Raises ValueError for columns that hold no numbers."""
    if not _is_frame(data):
        return data
    _check_numbers(data, "pandas data")
    return np.asarray(data).astype(np.float64)


def extract_pandas_matrix(data: Any) -> Any:
    """The values of a DataFrame; other things as they are."""
    return np.asarray(data) if _is_frame(data) else data


def extract_pandas_labels(labels: Any) -> Any:
    """The values of a DataFrame of one column; other things as they are. Raises ValueError for more, and for no numbers."""
    if not _is_frame(labels):
        return labels
    if len(labels.columns) > 1:
        raise ValueError("Only one column for labels is allowed.")
    _check_numbers(labels, "labels")
    return np.asarray(labels)


def extract_dask_data(data: Any) -> Any:
    """A table of dask whose index is the number of the row, from 0; other things as they are."""
    if not hasattr(data, "map_partitions"):
        return data
    from dask import delayed
    from dask.dataframe import from_delayed

    lengths = data.map_partitions(len).compute()
    starts = [0, *itertools.accumulate(int(n) for n in lengths)]
    parts = [delayed(_numbered)(p, start) for p, start in zip(data.to_delayed(), starts[:-1], strict=True)]
    return from_delayed(
        parts, meta=data.partitions[0].compute().head(0).reset_index(drop=True), divisions=tuple(starts)
    )


def _numbered(part: Any, start: int) -> Any:
    return part.set_axis(np.arange(start, start + len(part)), axis=0)


def extract_dask_labels(labels: Any) -> Any:
    """As `extract_dask_data`, of one column. Raises ValueError for more."""
    if len(getattr(labels, "columns", ())) > 1 and hasattr(labels, "map_partitions"):
        raise ValueError("Only one column for labels is allowed.")
    return extract_dask_data(labels)
