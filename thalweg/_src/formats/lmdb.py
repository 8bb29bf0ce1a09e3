"""LMDB databases: a B+tree of pages in one file, read from its root down. Nothing is locked, nothing written.

    page  = number (8), pad (2), flags (2), lower (2), upper (2), then (lower - 16) / 2 offsets of nodes
            an overflow page has the number of its pages (4) in place of lower and upper, then bytes
    node  = two or three 16-bit parts of a number, key size (2), key, data
            on a branch the number is that of the page below; on a leaf it is the size of the data
    meta  = magic (4), version (4), address (8), map size (8), two trees, last page (8), transaction (8)
    tree  = page size (4), flags (2), depth (2), four counts (8 each), root (8)

Pages 0 and 1 each hold a meta; the one with the later transaction counts. Numbers are those of the machine that wrote the file:
either order of bytes is read, of words only those of 64 bits. There are no checksums: what is damaged shows only where the tree does not
hang together.
"""

import os
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from .errors import DataLoss, Unimplemented

MAGIC, VERSION = 0xBEEFC0DE, 1
HEADER = 16
BRANCH, LEAF, OVERFLOW = 0x01, 0x02, 0x04  # kinds of pages
ELSEWHERE, DUPLICATES = 0x01, 0x04  # what the data of a leaf's node are
NONE = 2**64 - 1  # the root of an empty tree
DEEPEST = 32
PAGE_SIZES = range(256, 65537)
META_SIZE = 136


class Database:
    """The main database of a file. Iterating gives its (key, value) pairs in the order of its keys.

    Raises DataLoss for what is no such file or damaged, with the offset; Unimplemented for versions and word sizes that are not read.
    """

    def __init__(self, stream: BinaryIO, *, source: str = ""):
        self._stream, self._source = stream, source
        self.order = "<"
        first = self._meta(0)
        self.page_size = first["page size"]
        meta = max(first, self._meta(self.page_size), key=lambda m: m["transaction"])
        self.root, self.entries, self._last = meta["root"], meta["entries"], meta["last page"]

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        self._seen = count = 0
        if self.root != NONE:
            for count, pair in enumerate(self._walk(self.root, 0), 1):  # noqa: B007 (the last one counts)
                yield pair
        if count != self.entries:
            raise self._loss(self.root * self.page_size, f"the tree has {count} of {self.entries} entries")

    def _meta(self, at: int) -> dict[str, int]:
        data = self._read(at, HEADER + META_SIZE)
        for order in "<>":
            if len(data) >= HEADER + 8 and struct.unpack_from(order + "I", data, HEADER)[0] == MAGIC:
                break
        else:
            if any(struct.unpack_from(o + "I", data, 12)[0] == MAGIC for o in "<>" if len(data) >= HEADER):
                raise Unimplemented(f"{self._source}: an LMDB database of a machine with words of 32 bits")
            raise self._loss(at, "this is no page that says where a database is")
        if len(data) < HEADER + META_SIZE:
            raise self._loss(at, "the file ends within its first pages")
        self.order = order
        (version,) = struct.unpack_from(order + "I", data, HEADER + 4)
        if version != VERSION:
            raise Unimplemented(f"{self._source}: an LMDB database of version {version}; {VERSION} is read")
        (page_size,) = struct.unpack_from(order + "I", data, HEADER + 24)
        if page_size not in PAGE_SIZES:
            raise self._loss(at, f"pages of {page_size} bytes")
        entries, root = struct.unpack_from(order + "QQ", data, HEADER + 24 + 48 + 32)
        last, transaction = struct.unpack_from(order + "QQ", data, HEADER + 120)
        return {
            "page size": page_size,
            "entries": entries,
            "root": root,
            "last page": last,
            "transaction": transaction,
        }

    def _read(self, at: int, size: int) -> bytes:
        self._stream.seek(at)
        return self._stream.read(size)

    def _page(self, number: int) -> bytes:
        """The page of this number, which has to be a branch or a leaf."""
        at = number * self.page_size
        if number > self._last:
            raise self._loss(at, f"page {number} is behind the last one, {self._last}")
        page = self._read(at, self.page_size)
        if len(page) < self.page_size:
            raise self._loss(at, f"the file ends within page {number}")
        if struct.unpack_from(self.order + "Q", page)[0] != number:
            raise self._loss(at, f"page {number} says that it is another")
        return page

    def _walk(self, number: int, depth: int) -> Iterator[tuple[bytes, bytes]]:
        at = number * self.page_size
        self._seen += 1
        if depth > DEEPEST or self._seen > self._last + 1:
            raise self._loss(at, "the tree goes in circles")
        page = self._page(number)
        (flags,) = struct.unpack_from(self.order + "H", page, 10)
        if flags & BRANCH:
            for below, _, _, _ in self._nodes(page, at, branch=True):
                yield from self._walk(below, depth + 1)
        elif flags & LEAF:
            yield from self._leaf(page, at)
        else:
            raise self._loss(at, f"page {number} is neither a branch nor a leaf")

    def _leaf(self, page: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
        for size, kind, key, data in self._nodes(page, at, branch=False):
            if kind & DUPLICATES:
                raise Unimplemented(f"{self._source}: an LMDB database with several values under one key")
            yield key, self._overflow(data, size, at) if kind & ELSEWHERE else data

    def _nodes(self, page: bytes, at: int, *, branch: bool) -> Iterator[tuple[int, int, bytes, bytes]]:
        """(number, kind, key, data) of each node of a page. The number is that of a page below, or the size of the data."""
        (lower,) = struct.unpack_from(self.order + "H", page, 12)
        if not HEADER <= lower <= len(page):
            raise self._loss(at, "the nodes of a page are not on it")
        for offset in struct.unpack_from(f"{self.order}{(lower - HEADER) // 2}H", page, HEADER):
            if offset < lower or offset + 8 > len(page):
                raise self._loss(at, "a node is not on its page")
            first, second, kind, key_size = struct.unpack_from(self.order + "4H", page, offset)
            low, high = (first, second) if self.order == "<" else (second, first)
            number = low | high << 16
            begin = offset + 8 + key_size
            size = 0 if branch else 8 if kind & ELSEWHERE else number
            if begin + size > len(page):
                raise self._loss(at + offset, "a node reaches beyond its page")
            yield number | kind << 32 if branch else number, kind, page[offset + 8 : begin], page[begin : begin + size]

    def _overflow(self, place: bytes, size: int, at: int) -> bytes:
        """The value that stands on pages of its own."""
        (number,) = struct.unpack(self.order + "Q", place)
        begin = number * self.page_size
        if number > self._last or begin + size > (self._last + 1) * self.page_size:
            raise self._loss(at, f"a value is said to stand on page {number}, the last one being {self._last}")
        found = self._read(begin, HEADER + size)
        if len(found) < HEADER + size:
            raise self._loss(begin, "the file ends within a value")
        own, _, flags = struct.unpack_from(self.order + "QHH", found)
        if own != number or not flags & OVERFLOW:
            raise self._loss(begin, f"page {number} should hold a value, and does not")
        return found[HEADER:]

    def _loss(self, at: int, what: str) -> DataLoss:
        return DataLoss(f"damaged database at {at}: {what}.", offset=at, source=self._source)


def file_of(path: str) -> str:
    """The file of a database, which may be named by its folder."""
    return os.path.join(path, "data.mdb") if os.path.isdir(path) else path


def entries(stream: Any, *, source: str = "") -> Iterator[tuple[bytes, bytes]]:
    """The (key, value) pairs of the database in `stream`, which can seek, in the order of the keys."""
    return iter(Database(stream, source=source))
