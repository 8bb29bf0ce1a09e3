"""Datasets of what stands in files: lines, TFRecords, records of one length, CSV, and the names of files."""

import io
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import int64, string, variant
from thalweg._src.core.opdef import Mixed, TypesOf
from thalweg._src.core.status import status_of
from thalweg._src.core.storage import open_file
from thalweg._src.formats.errors import FormatError
from thalweg._src.formats.records import RecordReader, decompressed
from thalweg._src.ops.data.csv_text import FIELD_TYPES, Column, rows
from thalweg._src.ops.data.pipeline import SHAPES, Data, Run, dataset, invalid, made, scalar

_BUFFER = 1 << 20

TEXT = ([string], [()])


class Files(Data):
    """The elements of files, one after the other. A file that fails is left; the next element is one of the next file."""

    def __init__(self, paths: Sequence[str], read: Callable[[str], Iterator[tuple]]):
        self.paths, self.read = paths, read

    def iterate(self, run: Run) -> Iterator[tuple]:
        return _Reading(self.paths, self.read)


class _Reading:
    def __init__(self, paths: Sequence[str], read: Callable[[str], Iterator[tuple]]):
        self.paths, self.read = iter(paths), read
        self.current: Iterator[tuple] = iter(())

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        try:
            while True:
                for element in self.current:
                    return element
                self.current = self.read(next(self.paths))
        except (OSError, FormatError) as error:
            self.current = iter(())
            raise status_of(error) from error


def opened(path: str, compression: str = "") -> Any:
    """A binary stream of a file, decompressed; URLs by fsspec."""
    stream = open_file(path)
    return io.BufferedReader(_Raw(stream, compression, path), _BUFFER) if compression else stream


class _Raw(io.RawIOBase):
    def __init__(self, stream: BinaryIO, compression: str, path: str):
        self._stream = stream
        self._read = decompressed(stream, compression, path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def file_names(filenames: Any) -> list[str]:
    """The names in a scalar or vector of strings."""
    if np.ndim(filenames) > 1:
        raise invalid("`filenames` must be a scalar or a vector.")
    return [os.fsdecode(p) for p in np.ravel(filenames)]


def _compression(x: Any) -> str:
    kind = scalar(x, "compression_type").decode()
    if kind not in ("", "GZIP", "ZLIB"):
        raise invalid("Unsupported compression_type.")
    return kind


def _check_buffer(x: Any) -> None:
    if scalar(x, "buffer_size") < 0:
        raise invalid("`buffer_size` must be >= 0 (0 == default)")


def _lines(path: str, compression: str) -> Iterator[tuple]:
    with opened(path, compression) as f:
        for line in f:
            line = line.removesuffix(b"\n")
            yield (line.replace(b"\r", b"") if b"\r" in line else line,)


@dataset("TextLineDataset", stateful=True)
def text_line_dataset(filenames: string, compression_type: string, buffer_size: int64) -> variant:
    """The lines of text files, without their ends."""
    kind = _compression(compression_type)
    _check_buffer(buffer_size)
    return made(Files(file_names(filenames), lambda path: _lines(path, kind)), *TEXT)


def records_of(path: str, compression: str) -> Iterator[tuple]:
    """The records of a TFRecord file, each an element."""
    with opened(path) as f:
        reader = RecordReader(f, compression=compression, source=path)
        while batch := reader.read_many(128):
            yield from zip(batch, strict=False)


@dataset("TFRecordDataset", stateful=True)
def tf_record_dataset(filenames: string, compression_type: string, buffer_size: int64) -> variant:
    """The records of TFRecord files."""
    kind = _compression(compression_type)
    if scalar(buffer_size, "buffer_size") < 0:
        raise invalid("`buffer_size` must be >= 0 (0 == no buffering)")
    return made(Files(file_names(filenames), lambda path: records_of(path, kind)), *TEXT)


def _fixed(path: str, header: int, size: int, footer: int, compression: str) -> Iterator[tuple]:
    with opened(path, compression) as f:
        if compression:
            data = f.read()
            length = len(data)
            f = io.BytesIO(data)
        else:
            length = f.seek(0, os.SEEK_END)
            f.seek(0)
        body = length - header - footer
        if body < 0 or body % size:
            raise invalid(
                f'Excluding the header ({header} bytes) and footer ({footer} bytes), input file "{path}" has body length {body} bytes, '
                f"which is not an exact multiple of the record length ({size} bytes)."
            )
        f.seek(header)
        for left in range(body // size, 0, -(at_once := max(1, _BUFFER // size))):
            block = f.read(min(left, at_once) * size)
            yield from zip([block[i : i + size] for i in range(0, len(block), size)], strict=False)


def _fixed_data(filenames: Any, header: Any, size: Any, footer: Any, buffer: Any, compression: str) -> Any:
    h, n, f = scalar(header, "header_bytes"), scalar(size, "record_bytes"), scalar(footer, "footer_bytes")
    if h < 0:
        raise invalid("`header_bytes` must be >= 0")
    if n <= 0:
        raise invalid("`record_bytes` must be > 0")
    if f < 0:
        raise invalid("`footer_bytes` must be >= 0")
    _check_buffer(buffer)
    return made(Files(file_names(filenames), lambda path: _fixed(path, h, n, f, compression)), *TEXT)


@dataset("FixedLengthRecordDataset", stateful=True)
def fixed_length_record_dataset(
    filenames: string, header_bytes: int64, record_bytes: int64, footer_bytes: int64, buffer_size: int64
) -> variant:
    """Records of one length, behind a header and before a footer."""
    return _fixed_data(filenames, header_bytes, record_bytes, footer_bytes, buffer_size, "")


@dataset("FixedLengthRecordDatasetV2", stateful=True)
def fixed_length_record_dataset_v2(
    filenames: string,
    header_bytes: int64,
    record_bytes: int64,
    footer_bytes: int64,
    buffer_size: int64,
    compression_type: string,
) -> variant:
    """Records of one length, behind a header and before a footer, in files that may be compressed."""
    kind = _compression(compression_type)
    return _fixed_data(filenames, header_bytes, record_bytes, footer_bytes, buffer_size, kind)


@dataset("CSVDataset", "ExperimentalCSVDataset", stateful=True)
def csv_dataset(
    filenames: string,
    compression_type: string,
    buffer_size: int64,
    header: bool_,
    field_delim: string,
    use_quote_delim: bool_,
    na_value: string,
    select_cols: int64,
    record_defaults: Mixed("output_types", 1, allowed=FIELD_TYPES),
    *,
    output_types: TypesOf(*FIELD_TYPES, minimum=1),
    output_shapes: SHAPES,
) -> variant:
    """The fields of the records of CSV files."""
    kind = _compression(compression_type)
    if scalar(buffer_size, "buffer_size") <= 0:
        raise invalid("buffer_size should be positive")
    columns = []
    for i, (default, dtype) in enumerate(zip(record_defaults, output_types, strict=True)):
        if default.size > 1:
            raise invalid(f"There should only be 1 default per field but field {i} has {default.size}")
        columns.append(Column(dtype, default.ravel()[0] if default.size else None))
    delimiter = scalar(field_delim, "field_delim")
    if len(delimiter) != 1:
        raise invalid("field_delim should be only 1 char")
    chosen = [int(c) for c in select_cols]
    if any(a >= b for a, b in itertools.pairwise(chosen)):
        raise invalid("select_cols should be strictly increasing indices")
    if chosen and chosen[0] < 0:
        raise invalid("select_cols should be non-negative indices")
    if chosen and len(chosen) != len(columns):
        raise invalid("select_cols should match output size")
    na, quotes, has_header = scalar(na_value, "na_value"), scalar(use_quote_delim, "quotes"), scalar(header, "header")

    def read(path: str) -> Iterator[tuple]:
        return rows(opened(path, kind), columns, delimiter, quotes, na, chosen, has_header)

    return made(Files(file_names(filenames), read), output_types, output_shapes)


@csv_dataset.shape_rule
def _(node):
    for default in node.inputs[8:]:
        shapes.of_rank_at_most(default.dims, 1)
    return [()]


class Names(Data):
    """The names of the files that match patterns, sorted."""

    def __init__(self, patterns: list[str]):
        self.patterns = patterns

    def iterate(self, run: Run) -> Iterator[tuple]:
        from thalweg._src.ops.io.files import matching_files

        found = matching_files.fn(np.array([os.fsencode(p) for p in self.patterns], object))
        return zip(found, strict=False)


@dataset("MatchingFilesDataset", "ExperimentalMatchingFilesDataset", stateful=True)
def matching_files_dataset(patterns: string) -> variant:
    """The names of the files that match patterns."""
    return made(Names(file_names(patterns)), *TEXT)
