"""Shuffled datasets: a buffer from which elements are drawn at random, by TensorFlow's rule and with its random numbers."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core.dtypes import int64, variant
from thalweg._src.ops.data.pipeline import (
    FOREVER,
    SHAPES,
    TYPES,
    Data,
    From,
    Run,
    Words,
    data_of,
    dataset,
    elements,
    invalid,
    made,
    numbers,
    positive,
    scalar,
)

MAX_EPOCHS = 3  # whose elements may be in the buffer at once


class Shuffle(From):
    """Elements drawn from a buffer of the next `size`; each epoch of `count` ends before the next is drawn from."""

    def __init__(self, source: Data, size: int, seed: int, seed2: int, count: int = 1, reshuffle: bool = False):
        super().__init__(source)
        self.size, self.count, self.reshuffle = size, count, reshuffle
        self.drawn = seed == 0 and seed2 == 0
        self.seed, self.seed2 = (secrets.randbits(63), secrets.randbits(63)) if self.drawn else (seed, seed2)
        n = source.cardinality
        self.cardinality = FOREVER if count == -1 or n == FOREVER else n if n < 0 else n * count
        self.rows = source.rows

    def iterate(self, run: Run) -> Iterator[tuple]:
        return self._walk(elements, run)

    def numbers(self, run: Run) -> Iterator[int]:
        return self._walk(numbers, run)

    def _walk(self, begin: Callable[[Data, Run], Iterator[Any]], run: Run) -> "_Shuffling":
        seeds = run.seeds(self.seed, self.seed2, self.drawn)
        if self.reshuffle:  # each walk from one initialization has seeds of its own
            generator = run.keep(lambda: Words(*seeds))
            seeds = generator.next(), generator.next()
        return _Shuffling(self, Words(*seeds), lambda: begin(self.source, run.at()))


class _Shuffling:
    """`slices` are ranges of positions, one for each epoch; a position modulo the size is a place in the buffer."""

    def __init__(self, data: Shuffle, words: Words, begin: Callable[[], Iterator[Any]]):
        self.data, self.begin, self.words = data, begin, words
        self.size = data.size
        self.buffer: list[Any] = []
        self.source: Iterator[Any] | None = None
        self.epoch = 0
        self.slices = [[0, 0]]
        self.held = 0
        self.begun = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self._fill()
        if not self.held:
            raise StopIteration
        out: list[Any] = []
        self._draw(1, out)
        return out[0]

    def take(self, count: int) -> list[Any]:
        """The next `count` elements, fewer at the end."""
        out: list[Any] = []
        while len(out) < count:
            self._fill()
            if not self.held:
                break
            self._draw(count - len(out), out)
        return out

    def _draw(self, most: int, out: list[Any]) -> None:
        """Draw up to `most` elements, one at least. As long as the source has some, one comes in for each, as `_fill` would bring it."""
        slices, size, buffer, source = self.slices, self.size, self.buffer, self.source
        if source is not None and self.held < size:  # `_fill` brings in more than one
            most = 1
        front, last, words = (
            slices[0],
            slices[-1],
            self.words.take(most if source is not None else min(most, self.held)),
        )
        (start, end), drawn, came = front, 0, 0
        try:
            for word in words:
                if drawn and source is not None:
                    element = next(source, self)
                    if element is self:  # the end, which `_fill` finds again
                        break
                    buffer[last[1] % size] = element
                    last[1] += 1
                    came += 1
                if front is last:
                    end = last[1]
                while start == end:
                    slices.pop(0)
                    start, end = front = slices[0]
                at, hole = (start + word % (end - start)) % size, start % size
                out.append(buffer[at])
                buffer[at] = buffer[hole]
                buffer[hole] = None
                front[0] = start = start + 1
                drawn += 1
        finally:  # an error of the source's leaves all as it was before the element that is missing
            self.held += came - drawn
            self.words.give_back(words[drawn:])

    def _fill(self) -> None:
        if not self.begun:
            self.begun = self.first = True
            self.source = self.begin()
        buffer, size, count = self.buffer, self.size, self.data.count
        while self.source is not None and self.held < size:
            last = self.slices[-1]
            try:
                element = next(self.source)
            except StopIteration:
                if self.first and count == -1:
                    self.source = None  # what is empty stays so
                    return
                self.epoch += 1
                self.slices.append([last[1], last[1]])
                self.source = None
                if count == -1 or self.epoch < count:
                    self.source = self.begin()
                continue
            self.first = False
            place = last[1] % size
            if place == len(buffer):
                buffer.append(element)
            else:
                buffer[place] = element
            last[1] += 1
            self.held += 1
            if len(self.slices) > MAX_EPOCHS:
                return


@dataset("ShuffleDataset")
def shuffle_dataset(
    input_dataset: variant,
    buffer_size: int64,
    seed: int64,
    seed2: int64,
    *,
    reshuffle_each_iteration: bool = True,
    output_types: TYPES,
    output_shapes: SHAPES,
) -> variant:
    """The elements in random order."""
    seeds = scalar(seed, "seed"), scalar(seed2, "seed2")
    data = Shuffle(
        data_of(input_dataset), positive(buffer_size, "buffer_size"), *seeds, reshuffle=reshuffle_each_iteration
    )
    return made(data, output_types, output_shapes)


@dataset("ShuffleAndRepeatDataset")
def shuffle_and_repeat_dataset(
    input_dataset: variant,
    buffer_size: int64,
    seed: int64,
    seed2: int64,
    count: int64,
    *,
    output_types: TYPES,
    output_shapes: SHAPES,
) -> variant:
    """The elements in random order, `count` times; the next epoch enters the buffer while the last leaves it."""
    times = scalar(count, "count")
    if times <= 0 and times != -1:
        raise invalid("count must be greater than zero or equal to -1.")
    seeds = scalar(seed, "seed"), scalar(seed2, "seed2")
    return made(
        Shuffle(data_of(input_dataset), positive(buffer_size, "buffer_size"), *seeds, count=times),
        output_types,
        output_shapes,
    )
