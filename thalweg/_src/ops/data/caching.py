"""Datasets that keep the elements of another: in memory, or in a file of the checkpoint format."""

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, errors
from thalweg._src.core.dtypes import resource, string, variant
from thalweg._src.core.opdef import Outputs, op
from thalweg._src.core.status import translated
from thalweg._src.core.storage import files_of
from thalweg._src.formats.bundle import BundleReader, BundleWriter
from thalweg._src.formats.files import Files
from thalweg._src.formats.publishing import index_name
from thalweg._src.ops.data.pipeline import (
    SHAPES,
    TYPES,
    Data,
    From,
    Run,
    array,
    component,
    data_of,
    dataset,
    made,
    scalar,
)
from thalweg._src.ops.data.pipeline import variant as variant_of


class Memory:
    """Elements that a whole walk has kept."""

    def __init__(self) -> None:
        self.elements: list[tuple] | None = None


class MemoryCache(From):
    """The elements of the first whole walk, again and again. `memory`, where given, outlives the iterator."""

    def __init__(self, source: Data, memory: Memory | None = None):
        super().__init__(source)
        self.memory = memory
        self.cardinality = source.cardinality

    def iterate(self, run: Run) -> Iterator[tuple]:
        memory: Memory = self.memory or run.keep(Memory)
        if memory.elements is not None:
            return iter(memory.elements)
        return _Keeping(self.source.iterate(run.at()), memory)


class _Keeping:
    def __init__(self, source: Iterator[tuple], memory: Memory):
        self.source, self.memory = source, memory
        self.elements: list[tuple] = []

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        try:
            element = next(self.source)
        except StopIteration:
            if self.memory.elements is None:
                self.memory.elements = self.elements
            raise
        self.elements.append(element)
        return element


class FileCache(From):
    """The elements, kept in the file `path` by the first whole walk; walks read it where it is there."""

    def __init__(self, source: Data, path: str):
        super().__init__(source)
        self.path, self.files = path, files_of(path)
        self.cardinality = source.cardinality

    def iterate(self, run: Run) -> Iterator[tuple]:
        if self.files.exists(index_name(self.path)):
            return self._read()
        return _Writing(self.path, self.files, self.source, run.at())

    def _read(self) -> Iterator[tuple]:
        with translated(), BundleReader(self.path, self.files) as reader:
            names = reader.names()
            at = 0
            while at < len(names):
                end = at
                item = names[at].partition("_")[0]
                while end < len(names) and names[end].partition("_")[0] == item:
                    end += 1
                yield tuple([component(np.array(reader.read(n))) for n in names[at:end]])
                at = end


class _Writing:
    """Elements on their way to the file. A lock file beside it keeps other walks from writing the same."""

    def __init__(self, path: str, files: Files, source: Data, run: Run):
        self.path, self.files, self.data, self.run = path, files, source, run
        self.lock = f"{path}_0.lockfile"
        self.source: Iterator[tuple] | None = None
        self.writer: Any = None
        self.count = 0
        self.done = False

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        if self.done:
            raise StopIteration
        if self.writer is None:
            self._begin()
        assert self.source is not None
        try:
            element = next(self.source)
        except StopIteration:
            self.done = True
            with translated():
                self.writer.finish()
                self.files.remove(self.lock)
            raise
        for i, x in enumerate(element):
            value = array(x)
            enum = (dtypes.string if value.dtype == object else dtypes.as_dtype(value.dtype)).as_datatype_enum
            self.writer.add(f"{self.count:016d}_{i:04d}", value, enum)
        self.count += 1
        return element

    def _begin(self) -> None:
        if self.files.exists(index_name(self.path)):
            raise errors.AlreadyExistsError(
                None,
                None,
                f"Existing cache files found: \n{index_name(self.path)}\nTo continue delete the above files.",
            )
        with translated():
            try:
                with self.files.open(self.lock, "xb") as f:
                    f.write(b"Created at: %d" % time.time())
            except FileExistsError:
                raise errors.AlreadyExistsError(
                    None,
                    None,
                    f"There appears to be a concurrent caching iterator running - cache lockfile already exists ('{self.lock}'). "
                    "If you are sure no other running TF computations are using this cache prefix, delete the lockfile and "
                    "re-initialize the iterator.",
                ) from None
            self.writer = BundleWriter(self.path, self.files)
        self.source = self.data.iterate(self.run)


def _cache(handle: Any, filename: Any, memory: Memory | None = None) -> Data:
    path = os.fsdecode(scalar(filename, "filename"))
    source = data_of(handle)
    return FileCache(source, path) if path else MemoryCache(source, memory)


@dataset("CacheDataset")
def cache_dataset(input_dataset: variant, filename: string, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """The elements, kept in memory, or in a file."""
    return made(_cache(input_dataset, filename), output_types, output_shapes)


@dataset("CacheDatasetV2", stateful=True)
def cache_dataset_v2(
    input_dataset: variant, filename: string, cache: resource, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The elements, kept in a cache that outlives the iterator, or in a file."""
    return made(_cache(input_dataset, filename, cache.item()), output_types, output_shapes)


@op("AnonymousMemoryCache", host=True, stateful=True, foldable=False)
def anonymous_memory_cache() -> Outputs(handle=resource, deleter=variant):
    """A cache of its own."""
    return variant_of(Memory()), variant_of(None)


@op("DeleteMemoryCache", host=True, stateful=True, foldable=False)
def delete_memory_cache(handle: resource, deleter: variant):
    """Forget a cache."""
    handle.item().elements = None


anonymous_memory_cache.shape_rule(lambda node: [(), ()])
delete_memory_cache.shape_rule(lambda node: [])
for _o in (anonymous_memory_cache, delete_memory_cache):
    _o.not_differentiable()
