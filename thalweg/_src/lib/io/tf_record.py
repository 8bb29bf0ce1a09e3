"""TFRecord files written and read in Python: `tf.python_io`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from thalweg._src.core.status import translated
from thalweg._src.core.storage import as_path, open_file
from thalweg._src.formats.records import RecordReader, RecordWriter
from thalweg._src.ops.io.record_options import TFRecordOptions


class TFRecordWriter:
    """Writes records, bytes each, to a TFRecord file. A context that closes the file at its end.

    `options`: TFRecordOptions, a TFRecordCompressionType or "", "GZIP", "ZLIB".

    >>> with tf.python_io.TFRecordWriter("two.tfrecord") as writer:
    ...     writer.write(b"one")
    ...     writer.write(b"two")
    >>> list(tf.python_io.tf_record_iterator("two.tfrecord"))
    [b'one', b'two']
    """

    def __init__(self, path: Any, options: Any = None):
        if not isinstance(options, TFRecordOptions):
            options = TFRecordOptions(compression_type=options)
        with translated():
            self._stream: Any = open_file(path, "wb")
        self._writer = RecordWriter(self._stream, **options.writer_facts())

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, unused_type: Any, unused_value: Any, unused_traceback: Any) -> None:
        self.close()

    def write(self, record: bytes | str) -> None:
        """Append a record."""
        self._check_open()
        with translated():
            self._writer.write(record.encode() if isinstance(record, str) else record)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._check_open()
        with translated():
            self._writer.flush()

    def close(self) -> None:
        """End the file. Closing twice does nothing."""
        if not self._writer.closed:
            with translated():
                self._writer.close()
                self._stream.close()

    def _check_open(self) -> None:
        if self._writer.closed:
            from thalweg._src.core import errors

            raise errors.FailedPreconditionError(None, None, "Writer is closed.")


def tf_record_iterator(path: Any, options: Any = None) -> Iterator[bytes]:
    """The records of a TFRecord file. Raises DataLossError, with file and offset, where one is damaged."""
    compression = TFRecordOptions.get_compression_type_string(options)
    with translated(), open_file(path) as stream:
        yield from RecordReader(stream, compression=compression, source=as_path(path))
