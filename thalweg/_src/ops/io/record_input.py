"""Records of TFRecord files in random order, epoch after epoch, read ahead on another thread: `RecordInput`."""

import itertools
import os
import random
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.dtypes import string
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Outputs, op
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.storage import matching
from thalweg._src.ops.data.files import Files, records_of
from thalweg._src.ops.data.mapping import Interleaving
from thalweg._src.ops.data.parallel import Ahead
from thalweg._src.ops.data.pipeline import Run, Shared
from thalweg._src.ops.io.record_options import TFRecordOptions
from thalweg._src.ops.late import array
from thalweg._src.ops.text.strings import texts


class Yielder:
    """Gives records. An epoch ends before the next begins; within one, a record is drawn from a buffer that is half full at least."""

    def __init__(self, patterns: str, files_at_once: int, size: int, shift: float, seed: int, compression: str):
        self.patterns, self.files_at_once, self.size = patterns, max(files_at_once, 1), max(size, 1)
        self.shift, self.compression = shift, compression
        self.random = random.Random(seed)
        self.error: errors.OpError | None = None  # what ended it
        self.shared = Shared()
        self._walk = Ahead(self._epochs, max(self.size // 2, 1), self.shared)

    def take(self, n: int) -> list[bytes]:
        """The next `n` records."""
        if self.error is not None:
            raise self.error
        try:
            return [next(self._walk)[0] for _ in range(n)]
        except errors.OpError as error:
            self.error = error
            raise

    def cancel(self) -> None:
        """End the thread that reads; the session closes."""
        self.shared.cancel()

    def _epochs(self) -> Iterator[tuple]:
        while True:
            yield from self._epoch()

    def _epoch(self) -> Iterator[tuple]:
        names = [name for pattern in self.patterns.split(",") for name in matching(pattern)]
        if not names:
            raise errors.NotFoundError(None, None, f"Found no files at {self.patterns}")
        self.random.shuffle(names)
        first = int(self.shift * len(names)) if 0 <= self.shift < 1 else 0
        names = names[first:] + names[:first]
        groups = (Files(names[i :: self.files_at_once], self._records) for i in range(self.files_at_once))
        run = Run(self.shared)
        source = Interleaving((g.iterate(run) for g in groups), self.files_at_once, 1)
        return self._drawn(source)

    def _records(self, path: str) -> Iterator[tuple]:
        return records_of(path, self.compression)

    def _drawn(self, source: Iterator[tuple]) -> Iterator[tuple]:
        """The elements in random order, from a buffer."""
        buffer = list(itertools.islice(source, self.size))
        for element in source:
            at = self.random.randrange(self.size)
            out, buffer[at] = buffer[at], element
            yield out
        self.random.shuffle(buffer)
        yield from buffer


@op("RecordInput", host=True, effect="host", stateful=True, foldable=False)
def record_input(
    *,
    file_pattern: str,
    file_random_seed: int = 301,
    file_shuffle_shift_ratio: float = 0.0,
    file_buffer_size: int = 10000,
    file_parallelism: int = 16,
    batch_size: int = 32,
    compression_type: str = "",
    ctx,
) -> Outputs(records=string):
    """`batch_size` records, drawn at random. Raises NotFoundError where no file matches, DataLossError for damaged ones."""

    def begin(name: str) -> Yielder:
        facts = file_parallelism, file_buffer_size, file_shuffle_shift_ratio, file_random_seed
        return Yielder(os.fsdecode(file_pattern), *facts, compression_type)

    return texts(ctx.own("record input", "", "", begin).take(batch_size), (batch_size,))


record_input.shape_rule(lambda node: [(node.attrs["batch_size"],)])
record_input.not_differentiable()


class RecordInput:
    """Records of the TFRecord files that match `file_pattern`, in another order each epoch, read ahead by a thread.

    A step takes `batch_size` of them, or with `batches` a list of so many lists of `batch_size`. They are drawn from a buffer of
    `buffer_size`, which `parallelism` files fill at once; each epoch begins `shift_ratio` of the files further on.
    """

    def __init__(
        self,
        file_pattern: str,
        batch_size: int = 1,
        buffer_size: int = 1,
        parallelism: int = 1,
        shift_ratio: float = 0,
        seed: int = 0,
        name: str | None = None,
        batches: int | None = None,
        compression_type: Any = None,
    ):
        self._batches, self._name = batches, name
        self._batch_size = batch_size * (1 if batches is None else batches)
        self._facts = {
            "file_pattern": file_pattern,
            "file_buffer_size": buffer_size,
            "file_parallelism": parallelism,
            "file_shuffle_shift_ratio": shift_ratio,
            "file_random_seed": seed,
            "compression_type": TFRecordOptions.get_compression_type_string(TFRecordOptions(compression_type)),
        }

    def get_yield_op(self) -> Any:
        """The records of a step: a vector of strings, or with `batches` a list of lists of scalars."""
        records: Tensor = record_input(batch_size=self._batch_size, name=self._name, **self._facts)
        if self._batches is None:
            return records
        with name_scope(self._name):
            rows = [array.reshape(r, []) for r in array.split(records, self._batch_size, 0)]
        return [rows[i :: self._batches] for i in range(self._batches)]
