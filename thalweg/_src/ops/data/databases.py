"""Datasets of what stands in databases: LMDB files, and the rows that SQLite gives."""

import os
import sqlite3
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.dtypes import string, variant
from thalweg._src.core.errors import UnknownError
from thalweg._src.core.opdef import Outputs
from thalweg._src.core.storage import open_file
from thalweg._src.formats import lmdb
from thalweg._src.ops.data.files import Files, file_names
from thalweg._src.ops.data.pipeline import SHAPES, TYPES, Data, Run, dataset, invalid, made, scalar

_INTEGERS = (dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64, dtypes.uint8, dtypes.uint16)


def _entries(path: str) -> Iterator[tuple]:
    with open_file(path) as stream:
        yield from lmdb.entries(stream, source=path)


@dataset("LMDBDataset", "ExperimentalLMDBDataset", stateful=True)
def lmdb_dataset(filenames: string, *, output_types: TYPES, output_shapes: SHAPES) -> Outputs(handle=variant):
    """The (key, value) pairs of LMDB databases, in the order of the keys of each."""
    paths = [lmdb.file_of(p) for p in file_names(filenames)]
    return made(Files(paths, _entries), output_types, output_shapes)


class Rows(Data):
    """The rows that a query gives, asked anew by each walk."""

    def __init__(self, path: str, query: str, types: Any):
        self.path, self.query, self.columns = path, query, types

    def iterate(self, run: Run) -> Iterator[tuple]:
        # A walk may go on on another thread, but never on two at once.
        connection = sqlite3.connect(self.path, check_same_thread=False)
        try:
            connection.text_factory = bytes
            cursor = connection.execute(self.query)
            width = len(cursor.description or ())
            if width != len(self.columns):
                raise invalid(
                    f"The number of columns in query ({width}) must match the number of elements in output_types "
                    f"({len(self.columns)})."
                )
            for row in cursor:
                yield tuple(_field(x, t) for x, t in zip(row, self.columns, strict=True))
        except sqlite3.Error as error:
            raise UnknownError(None, None, f"{self.path}: {error}: {self.query}") from error
        finally:
            connection.close()


def _field(x: Any, dtype: Any) -> Any:
    """A field of a row as SQLite converts it: what is no number counts as 0."""
    if dtype == string:
        return b"" if x is None else x if isinstance(x, bytes) else str(x).encode()
    try:
        number = float(x) if dtype == dtypes.float64 else int(x)
    except (TypeError, ValueError):
        number = 0
    if dtype in _INTEGERS:  # as C narrows numbers
        bits = 8 * dtype.size
        number &= (1 << bits) - 1
        if not dtype.is_unsigned and number >> (bits - 1):
            number -= 1 << bits
    return dtype.as_numpy_dtype(number)


@dataset("SqlDataset", "ExperimentalSqlDataset", stateful=True)
def sql_dataset(
    driver_name: string, data_source_name: string, query: string, *, output_types: TYPES, output_shapes: SHAPES
) -> Outputs(handle=variant):
    """The rows that a query of an SQLite database gives."""
    driver = scalar(driver_name, "driver_name").decode()
    if driver != "sqlite":
        raise invalid(
            f"The database type, {driver}, is not supported by SqlDataset. The set of supported databases is: {{'sqlite'}}."
        )
    known = (*_INTEGERS, dtypes.bool, dtypes.float64, string)
    if any(t not in known for t in output_types):
        raise invalid(
            "Each element of `output_types_` must be one of: DT_STRING, DT_INT8, DT_INT16, DT_INT32, DT_INT64, DT_UINT8, DT_UINT16, "
            "DT_BOOL, DT_DOUBLE "
        )
    if any(s not in (None, ()) for s in output_shapes):
        raise invalid("Each element of `output_shapes_` must be a scalar.")
    path = os.fsdecode(scalar(data_source_name, "data_source_name"))
    return made(Rows(path, scalar(query, "query").decode(), output_types), output_types, output_shapes)
