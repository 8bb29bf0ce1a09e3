"""TFRecord files: byte strings one after the other, each with its length and two checksums.

    record = length (8 bytes, little endian), masked crc of those, data, masked crc of the data

A whole file may be compressed as GZIP or ZLIB. Reader and writer work on binary streams that are given to them and stay
the caller's to close; a read stream needs read(n), a write stream write(data) and flush().
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

from google_crc32c import value as crc32c

from .crc import DELTA, masked
from .errors import DataLoss, FormatError
from .limits import limits

HEAD = struct.Struct("<QI")
FOOT = struct.Struct("<I")
WINDOW_BITS = {"ZLIB": 15, "GZIP": 31}  # zlib: 16 more asks for the header of gzip
BLOCK = 1 << 20
LARGEST_READ = 1 << 26  # a damaged length must not ask for all the memory at once
KNOWN_HEADS = 4096


def frame(record: bytes) -> bytes:
    """`record` as it stands in a file."""
    length = len(record).to_bytes(8, "little")
    return b"".join((length, FOOT.pack(masked(length)), record, FOOT.pack(masked(record))))


class RecordWriter:
    """Writes records to `stream`; `compression` is "", "GZIP" or "ZLIB", the keywords are those of zlib.

    With another `flush_mode` than zlib's Z_NO_FLUSH, the compressor is flushed so whenever `input_size` bytes have come.
    """

    def __init__(
        self,
        stream: Any,
        *,
        compression: str = "",
        level: int = -1,
        window_bits: int | None = None,
        memory_level: int = 9,
        strategy: int = zlib.Z_DEFAULT_STRATEGY,
        flush_mode: int = zlib.Z_NO_FLUSH,
        input_size: int = 256 << 10,
    ):
        self._stream = stream
        self._compress: Any = None
        if compression:
            bits = _window_bits(compression) if window_bits is None else window_bits
            self._compress = zlib.compressobj(level, zlib.DEFLATED, bits, memory_level, strategy)
        self._flush_mode, self._input_size, self._waiting = flush_mode, input_size, 0
        self.closed = False

    def write(self, record: bytes) -> None:
        if self.closed:
            raise ValueError("The record writer is closed.")
        data = frame(record)
        if self._compress and self._flush_mode != zlib.Z_NO_FLUSH:
            for part in (data[:12], data[12:-4], data[-4:]):  # TensorFlow's writer compresses them apart
                self._compress_and_flush(part)
        else:
            self._stream.write(self._compress.compress(data) if self._compress else data)

    def _compress_and_flush(self, part: bytes) -> None:
        if self._waiting + len(part) > self._input_size:
            self._stream.write(self._compress.flush(self._flush_mode))
            self._waiting = 0
        self._stream.write(self._compress.compress(part))
        self._waiting += len(part)
        if self._waiting > self._input_size:
            self._stream.write(self._compress.flush(self._flush_mode))
            self._waiting = 0

    def flush(self) -> None:
        """Hand everything written so far to the stream, and flush that."""
        if self.closed:
            raise ValueError("The record writer is closed.")
        if self._compress:
            self._stream.write(self._compress.flush(zlib.Z_PARTIAL_FLUSH))
            self._waiting = 0
        self._stream.flush()

    def close(self) -> None:
        """End the compressed data and flush the stream, which stays open."""
        if self.closed:
            return
        self.closed = True
        if self._compress:
            self._stream.write(self._compress.flush(zlib.Z_FINISH))
        self._stream.flush()


class RecordReader:
    """Reads records from `stream`, checking them unless `check` is False (lengths always are).

    `offset` is where the next record begins, in bytes before compression. A damaged or incomplete record raises
    DataLoss each time it is read; once the rest of it has arrived in the stream, it is read.
    """

    def __init__(self, stream: Any, *, compression: str = "", check: bool = True, block: int = BLOCK, source: str = ""):
        self._read = _Decompressed(stream, _window_bits(compression), source).read if compression else stream.read
        self._check = check
        self._block = block
        self._source = source
        self._buffer = b""
        self._at = 0
        self._heads: dict[bytes, int] = {}  # heads whose checksum was found right
        self.offset = 0

    def __iter__(self) -> Iterator[bytes]:
        while batch := self.read_many(256):
            yield from batch

    @property
    def at_end(self) -> bool:
        """Whether all bytes that there are have been read as records."""
        return self._at == len(self._buffer)

    def read(self) -> bytes | None:
        """The next record, or None at the end."""
        batch = self.read_many(1)
        return batch[0] if batch else None

    def read_many(self, n: int) -> list[bytes]:
        """The next `n` records, fewer at the end or before a damaged one, none only at the end."""
        records: list[bytes] = []
        buffer, at = self._buffer, self._at
        known, check, foot = self._heads.get, self._check, FOOT.unpack_from
        try:
            while len(records) < n:
                head = buffer[at : at + 12]
                length = known(head)
                if length is None:
                    if len(head) < 12:
                        buffer, at = self._fill(buffer, at, 12), 0
                        head = buffer[:12]
                        if not head:
                            break
                    length = self._length(head, self.offset)
                end = at + 12 + length
                if end + 4 > len(buffer):
                    buffer, at = self._fill(buffer, at, 16 + length), 0
                    end = 12 + length
                    if end + 4 > len(buffer):
                        raise self._loss("truncated", 12 if len(buffer) > 12 else 0, f"{length} bytes of data")
                record = buffer[at + 12 : end]
                if check:
                    crc = crc32c(record)
                    if ((crc >> 15 | crc << 17) + DELTA) & 0xFFFFFFFF != foot(buffer, end)[0]:
                        raise self._loss("corrupted", 12, "the data do not match their checksum")
                records.append(record)
                at = end + 4
                self.offset += 16 + length
        except FormatError:
            if not records:
                raise
        finally:
            self._buffer, self._at = buffer, at
        return records

    def _length(self, head: bytes, offset: int) -> int:
        if len(head) < 12:
            raise self._loss("truncated", 0, "the length")
        length, stored = HEAD.unpack(head)
        if masked(head[:8]) != stored:
            raise self._loss("corrupted", 0, "the length does not match its checksum")
        limits.check_record(length, offset, self._source)
        if len(self._heads) < KNOWN_HEADS:
            self._heads[head] = length
        return length

    def _fill(self, buffer: bytes, at: int, size: int) -> bytes:
        """`buffer` from `at` on, with more read behind it: `size` bytes at least, if there are as many."""
        parts = [buffer[at:]]
        have = len(parts[0])
        while have < size:
            more = self._read(min(max(self._block, size - have), LARGEST_READ))
            if not more:
                break
            parts.append(more)
            have += len(more)
        return b"".join(parts)

    def _loss(self, how: str, further: int, what: str) -> DataLoss:
        at = self.offset + further
        what = f"the file ends within {what}" if how == "truncated" else what
        return DataLoss(f"{how} record at {at}: {what}.", offset=at, source=self._source)


def decompressed(stream: Any, compression: str, source: str = "") -> Any:
    """A function `read(n)` of what the compressed `stream` holds: at most n bytes, none only at the end."""
    return _Decompressed(stream, _window_bits(compression), source).read


class _Decompressed:
    """The stream that a compressed one holds. Members of a gzip file that follow each other are read as one."""

    def __init__(self, stream: Any, window_bits: int, source: str):
        self._stream = stream
        self._bits = window_bits
        self._source = source
        self._member: Any = None
        self._rest = b""
        self._consumed = 0

    def read(self, n: int) -> bytes:
        """At most `n` bytes, none only at the end."""
        while True:
            if not self._rest:
                self._rest = self._stream.read(BLOCK)
                self._consumed += len(self._rest)
                if not self._rest:
                    if self._member:
                        raise self._loss("truncated")
                    return b""
            self._member = self._member or zlib.decompressobj(self._bits)
            try:
                data = self._member.decompress(self._rest, n)
            except zlib.error as error:
                raise self._loss("corrupted") from error
            if self._member.eof:
                self._rest, self._member = self._member.unused_data, None
            else:
                self._rest = self._member.unconsumed_tail
            if data:
                return data

    def _loss(self, how: str) -> DataLoss:
        at = self._consumed - len(self._rest)
        return DataLoss(f"{how} compressed data near byte {at} of the file.", offset=at, source=self._source)


def _window_bits(compression: str) -> int:
    if compression not in WINDOW_BITS:
        raise ValueError(f"Unknown compression {compression!r}: it must be '', 'GZIP' or 'ZLIB'.")
    return WINDOW_BITS[compression]
