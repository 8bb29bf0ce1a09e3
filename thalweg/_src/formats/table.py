"""Sorted tables of byte strings: the files under both checkpoint formats, a relative of LevelDB's tables.

    file   = data block*, metaindex block (empty), index block, footer
    block  = entry*, restart offset (4 bytes)*, their count (4 bytes); its type (1 byte), masked crc of it all
    entry  = varints: bytes of key shared with the entry before, further ones, bytes of value; rest of key; value
    index  = a key that is not below the last one of each block -> handle of the block
    footer = handle of metaindex, handle of index, zeros up to 40 bytes, magic number (8 bytes)
    handle = varints: offset, size without type and crc

Every 16th key of a data block, and every key of the index, is written whole: a restart.
"""

import bisect
from collections.abc import Iterator
from typing import Any

from . import crc
from .errors import DataLoss, Unimplemented
from .wire import get_varint, put_varint

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
FOOTER = 48
TRAILER = 5  # type and crc
BLOCK_SIZE = 262144
RESTART_INTERVAL = 16
PLAIN, SNAPPY = 0, 1


class TableWriter:
    """Writes a table to `stream`. Keys must come in order, each once."""

    def __init__(self, stream: Any):
        self._stream = stream
        self._offset = 0
        self._block = _BlockBuilder(RESTART_INTERVAL)
        self._index = _BlockBuilder(1)
        self._last: bytes | None = None
        self._pending = b""  # the handle of a block that waits for its key in the index

    def add(self, key: bytes, value: bytes) -> None:
        if self._last is not None:
            if key <= self._last:
                raise ValueError(f"Key {key!r} does not come after {self._last!r}.")
            if len(key) + len(value) >= 2 * BLOCK_SIZE:
                self._flush()
        if self._pending:
            self._index.add(_separator(self._last or b"", key), self._pending)
            self._pending = b""
        self._last = key
        self._block.add(key, value)
        if self._block.size() >= BLOCK_SIZE:
            self._flush()

    def finish(self) -> None:
        """Write the rest. The stream stays open."""
        self._flush()
        metaindex = self._write(_BlockBuilder(RESTART_INTERVAL))
        if self._pending:
            self._index.add(_successor(self._last or b""), self._pending)
        footer = metaindex + self._write(self._index)
        self._stream.write(footer.ljust(FOOTER - len(MAGIC), b"\0") + MAGIC)

    def _flush(self) -> None:
        if self._block.parts:
            self._pending = self._write(self._block)
            self._block = _BlockBuilder(RESTART_INTERVAL)

    def _write(self, block: "_BlockBuilder") -> bytes:
        """Write a block; its handle."""
        kind = bytes([PLAIN])
        checksum, size = 0, 0
        for part in (*block.parts, block.tail()):
            self._stream.write(part)
            checksum = crc.extend(checksum, part)
            size += len(part)
        self._stream.write(kind + crc.mask(crc.extend(checksum, kind)).to_bytes(4, "little"))
        handle = put_varint(self._offset) + put_varint(size)
        self._offset += size + TRAILER
        return handle


class _BlockBuilder:
    """The entries of one block, in parts that are never joined: a value may be large."""

    def __init__(self, interval: int):
        self.parts: list[bytes] = []
        self._interval = interval
        self._restarts = [0]
        self._bytes = 0
        self._since = 0
        self._last = b""

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self._since < self._interval:
            shared = _common(self._last, key)
        else:
            self._restarts.append(self._bytes)
            self._since = 0
        head = b"".join((put_varint(shared), put_varint(len(key) - shared), put_varint(len(value)), key[shared:]))
        self.parts += [head, value]
        self._bytes += len(head) + len(value)
        self._since += 1
        self._last = key

    def size(self) -> int:
        return self._bytes + 4 * len(self._restarts) + 4

    def tail(self) -> bytes:
        return b"".join(n.to_bytes(4, "little") for n in (*self._restarts, len(self._restarts)))


class TableReader:
    """Reads a table from a stream that can seek. Blocks are read when they are needed; the last one is kept.

    Raises DataLoss when the file is cut short or a checksum fails, here or at any later read.
    """

    def __init__(self, stream: Any, *, source: str = ""):
        self._stream = stream
        self._source = source
        size = stream.seek(0, 2)
        if size < FOOTER:
            raise self._loss("file is too short to be an sstable", 0)
        footer = self._bytes(size - FOOTER, FOOTER)
        if footer[-len(MAGIC) :] != MAGIC:
            raise self._loss("not an sstable (bad magic number)", size - len(MAGIC))
        self._end = size - FOOTER  # of the blocks
        metaindex, at = self._handle(footer, 0, size - FOOTER)
        index, _ = self._handle(footer, at, size - FOOTER)
        self._block(*metaindex)
        self._index: list[tuple[bytes, tuple[int, int]]] = []
        for key, value in self._block(*index):
            self._index.append((key, self._handle(value, 0, index[0])[0]))
        self._cached: tuple[int, dict[bytes, memoryview]] = (-1, {})

    def get(self, key: bytes) -> memoryview | None:
        """The value of `key`, or None."""
        i = bisect.bisect_left(self._index, key, key=lambda entry: entry[0])
        if i == len(self._index):
            return None
        if self._cached[0] != i:
            self._cached = i, dict(self._block(*self._index[i][1]))
        return self._cached[1].get(key)

    def __iter__(self) -> Iterator[tuple[bytes, memoryview]]:
        """All entries, in the order of their keys."""
        last = None
        for _, (offset, size) in self._index:
            for key, value in self._block(offset, size):
                if last is not None and key <= last:
                    raise self._loss("bad order of keys", offset)
                last = key
                yield key, value

    def _block(self, offset: int, size: int) -> list[tuple[bytes, memoryview]]:
        """The entries of a block."""
        if offset + size + TRAILER > self._end:
            raise self._loss("truncated block read", offset)
        data = self._bytes(offset, size + TRAILER)
        view = memoryview(data)
        if crc.mask(crc.extend(0, view[:-4])) != int.from_bytes(data[-4:], "little"):
            raise self._loss("block checksum mismatch", offset)
        kind = data[size]
        if kind == SNAPPY:
            raise Unimplemented(f"{self._source}: a block at {offset} is compressed by snappy, which is not read here.")
        if kind != PLAIN:
            raise self._loss("bad block type", offset)
        try:
            return _entries(view[:size])
        except ValueError as error:
            raise self._loss("bad entry in block", offset) from error

    def _handle(self, data: bytes | memoryview, at: int, where: int) -> tuple[tuple[int, int], int]:
        try:
            offset, at = get_varint(data, at)
            size, at = get_varint(data, at)
        except ValueError as error:
            raise self._loss("bad block handle", where) from error
        return (offset, size), at

    def _bytes(self, offset: int, size: int) -> bytes:
        self._stream.seek(offset)
        data = self._stream.read(size)
        if len(data) != size:
            raise self._loss("truncated block read", offset)
        return data

    def _loss(self, what: str, offset: int) -> DataLoss:
        return DataLoss(f"{what}, at byte {offset}.", offset=offset, source=self._source)


def _entries(block: memoryview) -> list[tuple[bytes, memoryview]]:
    """The entries of a block's contents. Raises ValueError if they are none."""
    if len(block) < 4:
        raise ValueError("No count of restarts.")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise ValueError("More restarts than bytes.")
    entries: list[tuple[bytes, memoryview]] = []
    at, key = 0, b""
    while at < end:
        shared, at = get_varint(block, at)
        rest, at = get_varint(block, at)
        size, at = get_varint(block, at)
        stop = at + rest + size
        if stop > end or shared > len(key):
            raise ValueError("An entry goes beyond its block.")
        key = key[:shared] + bytes(block[at : at + rest])
        if entries and key <= entries[-1][0]:
            raise ValueError("Keys out of order.")
        entries.append((key, block[at + rest : stop]))
        at = stop
    return entries


def _common(a: bytes, b: bytes) -> int:
    """How many bytes `a` and `b` begin with alike."""
    n = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        n += 1
    return n


def _separator(low: bytes, high: bytes) -> bytes:
    """A short key that is not below `low` and is below `high`."""
    n = _common(low, high)
    if n < min(len(low), len(high)) and low[n] < 0xFF and low[n] + 1 < high[n]:
        return low[:n] + bytes([low[n] + 1])
    return low


def _successor(key: bytes) -> bytes:
    """A short key that is not below `key`."""
    for n, byte in enumerate(key):
        if byte != 0xFF:
            return key[:n] + bytes([byte + 1])
    return key
