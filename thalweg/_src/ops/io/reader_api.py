"""tf.ReaderBase and its kinds: readers as objects of the graph."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.ops.io.readers import READERS, USE, USE_OF_REFERENCES, fixed_length_record_reader, lmdb_reader
from thalweg._src.ops.io.record_options import TFRecordOptions
from thalweg._src.ops.queueing.queues import fake_queue


class ReaderBase:
    """What all readers share: they take names of work from a queue, files as a rule, and give a record with a key at each step."""

    def __init__(self, reader_ref: Tensor, supports_serialize: bool = False):
        self._reader_ref, self._supports_serialize = reader_ref, supports_serialize

    @property
    def reader_ref(self) -> Tensor:
        """The handle of the reader."""
        return self._reader_ref

    @property
    def supports_serialize(self) -> bool:
        """Whether `serialize_state` works."""
        return self._supports_serialize

    def _queue(self, queue: Any) -> Tensor:
        """The handle of `queue`, of the kind that the reader's ops take."""
        handle = queue if isinstance(queue, Tensor) else queue.queue_ref
        resource = dtypes.resource
        if handle.dtype.base_dtype == resource and self._reader_ref.dtype.base_dtype != resource:
            return fake_queue(handle)
        return handle

    def _use(self, what: str, *inputs: Any, name: str | None) -> Any:
        ops = USE if self._reader_ref.dtype.base_dtype == dtypes.resource else USE_OF_REFERENCES
        return ops[what](self._reader_ref, *inputs, name=name)

    def read(self, queue: Any, name: str | None = None) -> Any:
        """(key, value) of the next record: strings. When a piece of work ends, `queue` gives the next; waits for it."""
        return self._use("read", self._queue(queue), name=name)

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> Any:
        """(keys, values) of up to `num_records` records of one piece of work."""
        return self._use("read_up_to", self._queue(queue), num_records, name=name)

    def num_records_produced(self, name: str | None = None) -> Tensor:
        """How many records have been read."""
        return self._use("num_records_produced", name=name)

    def num_work_units_completed(self, name: str | None = None) -> Tensor:
        """How many pieces of work have been finished."""
        return self._use("num_work_units_completed", name=name)

    def serialize_state(self, name: str | None = None) -> Tensor:
        """How far the reader has got, as a string. Not all readers know it: UnimplementedError in the run."""
        return self._use("serialize_state", name=name)

    def restore_state(self, state: Any, name: str | None = None) -> Operation:
        """Go on from a state that `serialize_state` gave."""
        return self._use("restore_state", state, name=name)

    def reset(self, name: str | None = None) -> Operation:
        """Begin anew."""
        return self._use("reset", name=name)


class WholeFileReader(ReaderBase):
    """A reader whose records are whole files; the keys are their names."""

    def __init__(self, name: str | None = None):
        super().__init__(READERS["WholeFileReader"](name=name), supports_serialize=True)


class TextLineReader(ReaderBase):
    """A reader whose records are the lines of files; the keys are `file:number`. The first `skip_header_lines` are left out."""

    def __init__(self, skip_header_lines: int | None = None, name: str | None = None):
        super().__init__(READERS["TextLineReader"](skip_header_lines=skip_header_lines, name=name))


class FixedLengthRecordReader(ReaderBase):
    """A reader whose records are `record_bytes` bytes each, between a header and a footer that are left out.

    A record begins `hop_bytes` after the one before, or where that ends; `encoding` is "", "ZLIB" or "GZIP".
    """

    def __init__(
        self,
        record_bytes: int,
        header_bytes: int | None = None,
        footer_bytes: int | None = None,
        hop_bytes: int | None = None,
        name: str | None = None,
        encoding: str | None = None,
    ):
        super().__init__(
            fixed_length_record_reader(
                record_bytes=record_bytes,
                header_bytes=header_bytes,
                footer_bytes=footer_bytes,
                hop_bytes=hop_bytes,
                encoding=encoding,
                name=name,
            )
        )


class TFRecordReader(ReaderBase):
    """A reader of TFRecord files; `options` say how they are compressed."""

    def __init__(self, name: str | None = None, options: Any = None):
        super().__init__(
            READERS["TFRecordReader"](compression_type=TFRecordOptions.get_compression_type_string(options), name=name)
        )


class LMDBReader(ReaderBase):
    """A reader of LMDB databases, which are files or folders: the keys and values of their entries, in the order of the keys."""

    def __init__(self, name: str | None = None, options: Any = None):
        super().__init__(lmdb_reader(name=name))


class IdentityReader(ReaderBase):
    """A reader whose records are what the queue gives, which are the keys too."""

    def __init__(self, name: str | None = None):
        super().__init__(READERS["IdentityReader"](name=name), supports_serialize=True)
