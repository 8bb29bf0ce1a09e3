"""Datasets of what stands in files: lines, TFRecords, records of one length, CSV, SQL, names of files."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data import nest, structure
from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.ops.data import databases
from thalweg._src.ops.data import files as ops
from thalweg._src.ops.late import array, math

_BUFFER = 256 * 1024
_TEXT = TensorSpec([], dtypes.string)


def _optional(value: Any, name: str, default: Any, dtype: Any = dtypes.int64) -> Tensor:
    return to_tensor(default if value is None else value, dtype, name)


def _file_names(filenames: Any) -> Dataset:
    """A dataset of names from a dataset, a list or a name. Raises TypeError or ValueError where they are no strings."""
    if isinstance(filenames, Dataset):
        if filenames.output_types != dtypes.string:
            raise TypeError("`filenames` must be a `tf.data.Dataset` of `tf.string` elements.")
        if not filenames.output_shapes.is_compatible_with(TensorShape([])):
            raise ValueError("`filenames` must be a `tf.data.Dataset` of scalar `tf.string` elements.")
        return filenames
    names = to_tensor(filenames, dtypes.string)
    return Dataset.from_tensor_slices(array.reshape(names, [-1], name="flat_filenames"))


class _FromFiles(Dataset):
    """A dataset made of a dataset of names, `num_parallel_reads` files being read at once."""

    def _read(self, filenames: Any, num_parallel_reads: Any, creator: Any) -> None:
        names = _file_names(filenames)
        if num_parallel_reads is None:
            made = names.flat_map(creator)
        else:
            made = names.interleave(creator, num_parallel_reads, num_parallel_calls=num_parallel_reads)
        Dataset.__init__(self, made._variant_tensor, _TEXT)
        self._filenames, self._num_parallel_reads, self._creator = names, num_parallel_reads, creator


class TextLineDataset(_FromFiles):
    """The lines of text files, without their ends."""

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None
    ):
        compression = _optional(compression_type, "compression_type", "", dtypes.string)
        size = _optional(buffer_size, "buffer_size", _BUFFER)

        def lines(name: Any) -> Dataset:
            return Dataset(ops.text_line_dataset(name, compression, size), _TEXT)

        self._read(filenames, num_parallel_reads, lines)


class TFRecordDataset(_FromFiles):
    """The records of TFRecord files, as strings."""

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None
    ):
        compression = _optional(compression_type, "compression_type", "", dtypes.string)
        size = _optional(buffer_size, "buffer_size", _BUFFER)

        def records(name: Any) -> Dataset:
            return Dataset(ops.tf_record_dataset(name, compression, size), _TEXT)

        self._read(filenames, num_parallel_reads, records)

    def _inputs(self) -> list[Dataset]:
        return [self._filenames]


class FixedLengthRecordDataset(_FromFiles):
    """The records of `record_bytes` bytes of binary files, behind a header and before a footer."""

    def __init__(
        self,
        filenames: Any,
        record_bytes: Any,
        header_bytes: Any = None,
        footer_bytes: Any = None,
        buffer_size: Any = None,
        compression_type: Any = None,
        num_parallel_reads: Any = None,
    ):
        length = to_tensor(record_bytes, dtypes.int64, "record_bytes")
        header = _optional(header_bytes, "header_bytes", 0)
        footer = _optional(footer_bytes, "footer_bytes", 0)
        size = _optional(buffer_size, "buffer_size", _BUFFER)
        compression = _optional(compression_type, "compression_type", "", dtypes.string)

        def records(name: Any) -> Dataset:
            variant = ops.fixed_length_record_dataset_v2(name, header, length, footer, size, compression)
            return Dataset(variant, _TEXT)

        self._read(filenames, num_parallel_reads, records)


class CsvDataset(Dataset):
    """The fields of CSV files, a tuple per record. `record_defaults`: per column a default value, or the dtype of a required field."""

    def __init__(
        self,
        filenames: Any,
        record_defaults: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        header: Any = False,
        field_delim: Any = ",",
        use_quote_delim: Any = True,
        na_value: Any = "",
        select_cols: Any = None,
    ):
        names = to_tensor(filenames, dtypes.string, "filenames")
        compression = _optional(compression_type, "compression_type", "", dtypes.string)
        defaults = [_default(d) for d in record_defaults]
        rows = tuple(TensorSpec([], t.dtype) for t in defaults)
        variant = ops.csv_dataset(
            names,
            compression,
            _optional(buffer_size, "buffer_size", 4 * 1024 * 1024),
            to_tensor(header, dtypes.bool, "header"),
            to_tensor(field_delim, dtypes.string, "field_delim"),
            to_tensor(use_quote_delim, dtypes.bool, "use_quote_delim"),
            to_tensor(na_value, dtypes.string, "na_value"),
            to_tensor(select_cols if select_cols is not None else [], dtypes.int64, "select_cols"),
            defaults,
            output_shapes=structure.flat_shapes(rows),
        )
        super().__init__(variant, rows)


class LMDBDataset(Dataset):
    """The entries of LMDB databases as pairs of strings, (key, value), in the order of the keys."""

    def __init__(self, filenames: Any):
        names = to_tensor(filenames, dtypes.string, "filenames")
        pair = (_TEXT, _TEXT)
        super().__init__(databases.lmdb_dataset(names, **structure.attrs(pair)), pair)


class SqlDataset(Dataset):
    """The rows that `query` gives of an SQLite database, each a tuple of scalars of `output_types`; `driver_name` is "sqlite"."""

    def __init__(self, driver_name: Any, data_source_name: Any, query: Any, output_types: Any):
        driver = to_tensor(driver_name, dtypes.string, "driver_name")
        source = to_tensor(data_source_name, dtypes.string, "data_source_name")
        asked = to_tensor(query, dtypes.string, "query")
        row = nest.map_structure(lambda t: TensorSpec([], t), output_types)
        super().__init__(databases.sql_dataset(driver, source, asked, **structure.attrs(row)), row)


def _default(value: Any) -> Tensor:
    from thalweg._src.ops.arrays.constants import constant

    if isinstance(value, dtypes.DType):
        return constant([], value)
    return to_tensor(value)


def list_files(file_pattern: Any, shuffle: Any = None, seed: Any = None) -> Dataset:
    """The names of the files that match. A run raises InvalidArgumentError where there are none."""
    from thalweg._src.ops.io.files import matching_files
    from thalweg._src.ops.reports.checks import Assert
    from thalweg._src.ops.text.strings import reduce_join

    with name_scope("list_files"):
        pattern = to_tensor(file_pattern, dtypes.string, "file_pattern")
        found = matching_files(pattern)
        some = math.greater(array.shape(found)[0], 0, name="match_not_empty")
        message = math.add("No files matched pattern: ", reduce_join(pattern, separator=", "), name="message")
        check = Assert(some, [message], summarize=1, name="assert_not_empty")
        with get_default_graph().control_dependencies([check]):
            found = array.identity(found)
        dataset = Dataset.from_tensor_slices(found)
        if shuffle is None or shuffle:
            size = math.maximum(array.shape(found, out_type=dtypes.int64)[0], 1)
            dataset = dataset.shuffle(size, seed=seed)
        return dataset
