"""Whole pipelines from files: CSV with column names, Examples in TFRecords."""

import collections
import csv
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer
from thalweg._src.core.graph import Tensor
from thalweg._src.core.storage import matching
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data import structure
from thalweg._src.lib.data.dataset import AUTOTUNE, Dataset
from thalweg._src.lib.data.experimental.mixing import parallel_interleave
from thalweg._src.lib.data.experimental.transformations import ignore_errors as without_errors
from thalweg._src.lib.data.experimental.transformations import shuffle_and_repeat
from thalweg._src.lib.data.readers import CsvDataset, TextLineDataset, TFRecordDataset
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.data.files import opened
from thalweg._src.ops.io.decoding import decode_csv
from thalweg._src.ops.numeric.compare import not_equal
from thalweg._src.ops.text.strings import substr

_CSV_TYPES = (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64, dtypes.string)


def _file_names(file_pattern: Any, shuffle: bool) -> list[str]:
    patterns = file_pattern if isinstance(file_pattern, list) else [file_pattern]
    if not patterns:
        raise ValueError("File pattern is empty.")
    found = [name for p in patterns for name in matching(p)]
    if not found:
        raise ValueError(f"No files match {file_pattern}.")
    return found if shuffle else sorted(found)


def _ordered(dataset: Dataset, num_epochs: Any, shuffle: bool, size: Any, seed: Any) -> Dataset:
    if num_epochs != 1 and shuffle:
        return dataset.apply(shuffle_and_repeat(size, num_epochs, seed))
    if shuffle:
        return dataset.shuffle(size, seed)
    return dataset.repeat(num_epochs) if num_epochs != 1 else dataset


def make_csv_dataset(
    file_pattern: Any,
    batch_size: Any,
    column_names: Any = None,
    column_defaults: Any = None,
    label_name: Any = None,
    select_columns: Any = None,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    header: bool = True,
    num_epochs: Any = None,
    shuffle: bool = True,
    shuffle_buffer_size: Any = 10000,
    shuffle_seed: Any = None,
    prefetch_buffer_size: Any = None,
    num_parallel_reads: Any = None,
    sloppy: bool = False,
    num_rows_for_inference: Any = 100,
    compression_type: Any = None,
    ignore_errors: bool = False,
    *,
    comment: str | None = None,
    default_float_type: Any = None,
    num_parallel_parser_calls: Any = None,
) -> Dataset:
    """Batches of the rows of CSV files, each a dict from column names to columns, or (dict, label) with `label_name`.

    Names come from the first line, types from the first rows, unless they are given. The last three arguments are those of TensorFlow
    1.8: lines that begin with the character `comment` are passed over, numbers with a point are of `default_float_type`, and
    `num_parallel_parser_calls` means nothing here. Raises ValueError where names or types can't be found.
    """
    if comment is not None and len(comment) != 1:
        raise ValueError("`comment` arg must be a single-character string or None")
    names = _file_names(file_pattern, False)
    dataset = Dataset.from_tensor_slices(names)
    if shuffle:
        dataset = dataset.shuffle(len(names), shuffle_seed)
    if (column_names is None or column_defaults is None) and compression_type not in (None, "", "GZIP"):
        raise ValueError(f"compression_type ({compression_type}) is not supported for probing columns")
    files = _Files(names, field_delim, use_quote_delim, compression_type, comment, default_float_type)
    if column_names is None:
        if not header:
            raise ValueError("Cannot infer column names without a header line.")
        column_names = files.header()
    if len(column_names) != len(set(column_names)):
        raise ValueError("Cannot have duplicate column names.")
    if select_columns is not None:
        select_columns = _column_numbers(list(select_columns), list(column_names))
    if column_defaults is None:
        chosen = range(len(column_names)) if select_columns is None else select_columns
        column_defaults = files.defaults(len(column_names), na_value, header, num_rows_for_inference, chosen)
    else:
        column_defaults = [constant([], dtypes.as_dtype(d)) if _is_type(d) else _value(d) for d in column_defaults]
    if select_columns is not None and len(column_defaults) != len(select_columns):
        raise ValueError("If specified, column_defaults and select_columns must have same length.")
    if select_columns is not None and len(column_names) > len(select_columns):
        column_names = [column_names[i] for i in select_columns]
    if label_name is not None and label_name not in column_names:
        raise ValueError("`label_name` provided must be one of the columns.")

    def is_row(line: Any) -> Any:
        return not_equal(substr(line, 0, 1), comment)

    def read_lines(name: Any) -> Dataset:
        lines = TextLineDataset(name, compression_type).skip(int(header)).filter(is_row)
        how = {"use_quote_delim": use_quote_delim, "na_value": na_value, "select_cols": select_columns}
        return lines.map(lambda line: tuple(decode_csv(line, column_defaults, field_delim, **how)))

    def read(name: Any) -> Dataset:
        rows: Dataset = (
            read_lines(name)
            if comment is not None
            else CsvDataset(
                name,
                record_defaults=column_defaults,
                field_delim=field_delim,
                use_quote_delim=use_quote_delim,
                na_value=na_value,
                select_cols=select_columns,
                header=header,
                compression_type=compression_type,
            )
        )
        return rows.apply(without_errors()) if ignore_errors else rows

    def named(*columns: Any) -> Any:
        features = collections.OrderedDict(zip(column_names, columns, strict=True))
        if label_name is None:
            return features
        label = features.pop(label_name)
        return features, label

    dataset = dataset.apply(parallel_interleave(read, cycle_length=num_parallel_reads or 1, sloppy=sloppy))
    dataset = _ordered(dataset, num_epochs, shuffle, shuffle_buffer_size, shuffle_seed)
    dataset = dataset.batch(batch_size, drop_remainder=num_epochs is None).map(named)
    return dataset.prefetch(AUTOTUNE if prefetch_buffer_size is None else prefetch_buffer_size)


def _value(default: Any) -> Any:
    """`default`, or the value of a constant, which may be one of another graph."""
    value = infer.constant_value(default) if isinstance(default, Tensor) else None
    return default if value is None else value


def _is_type(value: Any) -> bool:
    return not isinstance(value, Tensor) and isinstance(value, dtypes.DType | type)


class _Files:
    """CSV files, looked into while the graph is built."""

    def __init__(
        self, names: Sequence[str], delimiter: str, quotes: bool, compression: Any, comment: str | None, float_type: Any
    ):
        self.names, self.compression, self.comment = names, compression, comment
        self.float_type = None if float_type is None else dtypes.as_dtype(float_type)
        self.dialect: dict[str, Any] = {
            "delimiter": delimiter,
            "quoting": csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
        }

    def _rows(self, name: str) -> Iterator[list[str]]:
        with io.TextIOWrapper(opened(name, self.compression), newline="") as f:
            yield from csv.reader(f, **self.dialect)

    def header(self) -> list[str]:
        found = []
        for name in self.names:
            row = next(self._rows(name), None)
            if row is None:
                raise ValueError(
                    f"Received StopIteration when reading the header line of {self.names[0]}.  Empty file?"
                )
            found.append(row)
        if any(row != found[0] for row in found):
            raise ValueError("Files have different column names in the header row.")
        return found[0]

    def defaults(self, count: int, na: str, header: bool, most: Any, chosen: Sequence[int]) -> list[Tensor]:
        types: list[Any] = [None] * len(chosen)
        rows = (row for name in self.names for row in itertools.islice(self._rows(name), int(header), None))
        if self.comment is not None:
            rows = (row for row in rows if not row[0].startswith(self.comment))
        for row in itertools.islice(rows, most):
            if len(row) != count:
                raise ValueError("Problem inferring types: CSV row has different number of fields than expected.")
            types = [_type_of(row[c], na, t) for c, t in zip(chosen, types, strict=True)]
        if self.float_type is not None:
            types = [self.float_type if t in (dtypes.float32, dtypes.float64) else t for t in types]
        types = [t or dtypes.string for t in types]
        return [constant([""] if t == dtypes.string else [0], t) for t in types]


def _type_of(text: str, na: str, so_far: Any) -> Any:
    """The narrowest type that holds `text` and what was seen before."""
    if text in ("", na):
        return so_far
    for i, (dtype, fits) in enumerate(zip(_CSV_TYPES, _FITS, strict=True)):
        if fits(text) and (so_far is None or so_far in _CSV_TYPES[: i + 1]):
            return dtype
    return None


def _is_int(bits: int) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            return -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1)
        except ValueError:
            return False

    return fits


def _is_float(kind: Any) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            with np.errstate(over="ignore"):
                return bool(kind(text) < np.inf)
        except ValueError:
            return False

    return fits


_FITS = (_is_int(32), _is_int(64), _is_float(np.float32), _is_float(np.float64), lambda text: True)


def _column_numbers(chosen: list[Any], names: list[str]) -> list[int]:
    numbers = {n: i for i, n in enumerate(names)}
    out = []
    for c in chosen:
        if isinstance(c, int):
            if not 0 <= c < len(names):
                raise ValueError(f"Column index {c} specified in select_columns out of valid range.")
            out.append(c)
        elif c in numbers:
            out.append(numbers[c])
        else:
            raise ValueError(f"Value '{c}' specified in select_columns not a valid column index or name.")
    if len(set(out)) != len(out):
        raise ValueError("select_columns contains duplicate columns")
    return sorted(out)


def parse_example_dataset(features: Any, num_parallel_calls: Any = 1) -> Callable[[Dataset], Any]:
    """Vectors of serialized Examples as dicts of their features. Raises ValueError without features."""
    if features is None:
        raise ValueError(f"Missing: features was {features}.")
    from thalweg._src.ops.io.parsing import parse_example

    def apply(dataset: Dataset) -> Dataset:
        if not structure.same(dataset.element_spec, TensorSpec([None], dtypes.string)):
            raise TypeError("Input dataset should be a dataset of vectors of strings")
        return dataset.map(lambda x: parse_example(x, features), num_parallel_calls=num_parallel_calls)

    return apply


def make_batched_features_dataset(
    file_pattern: Any,
    batch_size: Any,
    features: Any,
    reader: Any = TFRecordDataset,
    label_key: Any = None,
    reader_args: Any = None,
    num_epochs: Any = None,
    shuffle: bool = True,
    shuffle_buffer_size: Any = 10000,
    shuffle_seed: Any = None,
    prefetch_buffer_size: Any = None,
    reader_num_threads: Any = None,
    parser_num_threads: Any = None,
    sloppy_ordering: bool = False,
    drop_final_batch: bool = False,
) -> Dataset:
    """Batches of the Examples in files, parsed to dicts of `features`, or (dict, label) with `label_key`."""
    if isinstance(reader, type) and not issubclass(reader, Dataset):
        raise TypeError(
            "The `reader` argument must return a `Dataset` object. `tf.ReaderBase` subclasses are not supported."
        )
    if label_key is not None and label_key not in features:
        raise ValueError(f"The `label_key` provided ({label_key!r}) must be one of the `features` keys.")
    dataset = Dataset.from_tensor_slices(_file_names(file_pattern, shuffle))
    if shuffle:
        dataset = dataset.shuffle(shuffle_buffer_size, shuffle_seed)
    args = list(reader_args or [])
    dataset = dataset.apply(
        parallel_interleave(
            lambda name: reader(name, *args), cycle_length=reader_num_threads or 1, sloppy=sloppy_ordering
        )
    )
    if dataset.output_types == (dtypes.string, dtypes.string):  # key and value
        dataset = dataset.map(lambda _, v: v)
    dataset = _ordered(dataset, num_epochs, shuffle, shuffle_buffer_size, shuffle_seed)
    dataset = dataset.batch(batch_size, drop_remainder=drop_final_batch or num_epochs is None)
    dataset = dataset.apply(parse_example_dataset(features, parser_num_threads or 2))
    if label_key is not None:

        def split(x: Any) -> Any:
            label = x.pop(label_key)
            return x, label

        dataset = dataset.map(split)
    return dataset.prefetch(AUTOTUNE if prefetch_buffer_size is None else prefetch_buffer_size)


def read_batch_features(
    file_pattern: Any,
    batch_size: Any,
    features: Any,
    reader: Any = TFRecordDataset,
    reader_args: Any = None,
    randomize_input: bool = True,
    num_epochs: Any = None,
    capacity: Any = 10000,
) -> Any:
    """The tensors of the next batch of `make_batched_features_dataset`."""
    dataset = make_batched_features_dataset(
        file_pattern,
        batch_size,
        features,
        reader=reader,
        reader_args=reader_args,
        shuffle=randomize_input,
        num_epochs=num_epochs,
        shuffle_buffer_size=capacity,
    )
    return dataset.make_one_shot_iterator().get_next()
