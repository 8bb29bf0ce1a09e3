"""The readers themselves: they take names of work from a queue, files as a rule, and give records with keys."""

import itertools
import os
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.errors import invalid
from thalweg._src.core.status import translated
from thalweg._src.core.storage import BUFFER, Content, open_file
from thalweg._src.core.waiting import Attempt, Turns, Waits
from thalweg._src.formats import lmdb
from thalweg._src.formats.records import RecordReader, decompressed

Record = tuple[bytes, bytes]  # key, value


class Reader:
    """A reader. Subclasses begin a piece of work, give its next records (none at its end), and end it."""

    kind = ""

    def __init__(self, name: str):
        self.name = name
        self.turns = Turns()
        self.reset()

    def reset(self) -> None:
        """As if nothing had been read."""
        self.started = self.finished = self.produced = 0
        self.work = b""
        self._end()

    def _begin(self) -> None:
        """Start on `self.work`."""

    def _next(self, n: int) -> tuple[list[Record], bool]:
        """Up to `n` records, and whether the work has ended."""
        raise NotImplementedError

    def _end(self) -> None:
        """Let go of what the work needed."""

    def read(self, n: int, queue: Any) -> Waits:
        """Up to `n` records of one piece of work, a new one from `queue` where it is needed. Waits for its turn, and for the queue."""
        turn = self.turns.ask()
        try:
            yield turn
            while True:
                if self.started == self.finished:
                    self.work = _single(queue, (yield queue.dequeue()))
                    self._begin_work()
                with translated():
                    records, ended = self._next(n)
                self.produced += len(records)
                if ended:
                    self._end()
                    self.finished = self.started
                if records:
                    return records
        finally:
            self.turns.release(turn)

    def _begin_work(self) -> None:
        with translated():
            self._begin()
        self.started += 1

    def alone(self, do: Any) -> Waits:
        """What `do()` gives, called while nothing is being read."""
        turn: Attempt = self.turns.ask()
        try:
            yield turn
            return do()
        finally:
            self.turns.release(turn)

    # -- state

    def serialize(self) -> bytes:
        raise errors.UnimplementedError(None, None, "Reader SerializeState")

    def restore(self, state: bytes) -> None:
        raise errors.UnimplementedError(None, None, "Reader RestoreState")

    def _save_base(self) -> bytes:
        from thalweg._src.formats import protos

        return protos.ReaderBaseState(
            work_started=self.started,
            work_finished=self.finished,
            num_records_produced=self.produced,
            current_work=self.work,
        ).SerializeToString()

    def _restore_base(self, data: bytes) -> None:
        from google.protobuf.message import DecodeError

        from thalweg._src.formats import protos

        title = f"{self.kind} '{self.name}'"
        self.reset()
        try:
            state = protos.ReaderBaseState.FromString(data)
        except DecodeError:
            raise invalid(f"Could not parse state for {title}: {data.decode('latin-1')}") from None
        if min(state.work_started, state.work_finished, state.num_records_produced) < 0:
            raise invalid(f"Unexpected negative value when restoring in {title}: {state}")
        if state.work_started > state.work_finished:
            raise invalid(f"Inconsistent work started vs. finished when restoring in {title}: {state}")
        self.started, self.finished = state.work_started, state.work_finished
        self.produced, self.work = state.num_records_produced, state.current_work


def _single(queue: Any, components: Any) -> bytes:
    if len(components) != 1:
        raise invalid("Expected single component queue")
    if components[0].dtype != object:
        raise invalid("Expected queue with single string component")
    if components[0].size != 1:
        raise invalid("Expected to dequeue a one-element string tensor")
    return components[0].item()


class IdentityReader(Reader):
    """The work is the record."""

    kind = "IdentityReader"

    def _next(self, n: int) -> tuple[list[Record], bool]:
        return [(self.work, self.work)], True

    def serialize(self) -> bytes:
        return self._save_base()

    def restore(self, state: bytes) -> None:
        self._restore_base(state)


class WholeFileReader(IdentityReader):
    """A file is a record."""

    kind = "WholeFileReader"

    def _next(self, n: int) -> tuple[list[Record], bool]:
        return [(self.work, Content.of(self.work))], True


class _OfFiles(Reader):
    """What reads a stream record by record."""

    stream: Any = None

    def _begin(self) -> None:
        self.stream = open_file(self.work)

    def _end(self) -> None:
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    cancel = _end  # called when the session is closed

    def __del__(self) -> None:
        self._end()


class TextLineReader(_OfFiles):
    """A line is a record, without its end; keys are `file:number`, from 1 on, the lines that are skipped counted."""

    kind = "TextLineReader"

    def __init__(self, name: str, skip: int):
        if skip < 0:
            raise invalid(f"skip_header_lines must be >= 0 not {skip}")
        super().__init__(name)
        self._skip = skip

    def _begin(self) -> None:
        super()._begin()
        self._number = 0
        while self._number < self._skip and self.stream.readline():
            self._number += 1

    def _next(self, n: int) -> tuple[list[Record], bool]:
        records: list[Record] = []
        while len(records) < n:
            line = self.stream.readline()
            self._number += 1
            if not line:
                return records, True
            # TensorFlow leaves out carriage returns wherever they stand.
            records.append((b"%s:%d" % (self.work, self._number), line.rstrip(b"\n").replace(b"\r", b"")))
        return records, False


class FixedLengthReader(_OfFiles):
    """So many bytes are a record; keys are `file:number`, from 0 on.

    A file begins with `header` bytes that are skipped and ends with `footer` ones; a record begins `hop` bytes after the one before.
    """

    kind = "FixedLengthRecordReader"

    def __init__(self, name: str, header: int, record: int, footer: int, hop: int, encoding: str):
        sizes = {"header_bytes": header, "record_bytes": record, "footer_bytes": footer, "hop_bytes": hop}
        for what, size in sizes.items():
            if size < 0:
                raise invalid(f"{what} must be >= 0 not {size}")
        super().__init__(name)
        self._header, self._record, self._footer, self._hop = header, record, footer, hop or record
        self._encoding = encoding

    def _begin(self) -> None:
        super()._begin()
        read = self.stream.read
        if self._encoding in ("ZLIB", "GZIP"):
            read = decompressed(self.stream, self._encoding, os.fsdecode(self.work))
        self._read, self._number, self._ahead = read, 0, b""
        self._fill(self._header)
        self._ahead = self._ahead[self._header :]

    def _fill(self, size: int) -> bool:
        """Have `size` bytes ahead, if there are as many."""
        parts, have = [self._ahead], len(self._ahead)
        while have < size:
            more = self._read(max(size - have, BUFFER))
            if not more:
                break
            parts.append(more)
            have += len(more)
        self._ahead = b"".join(parts)
        return have >= size

    def _next(self, n: int) -> tuple[list[Record], bool]:
        records: list[Record] = []
        while len(records) < n:
            at = self._hop if self._number else 0
            if not self._fill(at + self._record + self._footer) or not self._record + self._footer:
                return records, True
            self._ahead = self._ahead[at:]
            records.append((b"%s:%d" % (self.work, self._number), self._ahead[: self._record]))
            self._number += 1
        return records, False


class LMDBReader(_OfFiles):
    """The entries of LMDB databases, in the order of their keys; the work is a file, or a folder with a `data.mdb`."""

    kind = "LMDBReader"

    def _begin(self) -> None:
        path = lmdb.file_of(os.fsdecode(self.work))
        self.stream = open_file(path)
        self._entries = lmdb.entries(self.stream, source=path)

    def _next(self, n: int) -> tuple[list[Record], bool]:
        records = list(itertools.islice(self._entries, n))
        return records, len(records) < n


class TFRecordReader(_OfFiles):
    """The records of TFRecord files; keys are `file:offset`, offsets those before compression."""

    kind = "TFRecordReader"

    def __init__(self, name: str, compression: str):
        super().__init__(name)
        self._compression = compression

    def _begin(self) -> None:
        super()._begin()
        try:
            self._records = RecordReader(self.stream, compression=self._compression, source=os.fsdecode(self.work))
        except ValueError:
            raise invalid(f"Unsupported compression_type: {self._compression}") from None

    def _next(self, n: int) -> tuple[list[Record], bool]:
        at = self._records.offset
        records = []
        for value in self._records.read_many(n):
            records.append((b"%s:%d" % (self.work, at), value))
            at += 16 + len(value)
        # Where fewer came than were asked for, the file has ended, or the next one is damaged; the next call says so then.
        return records, len(records) < n and self._records.at_end
