"""Matrices of checkpoints whose rows or columns belong to the words of a file: put in the order of another file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.dtypes import float32, int32, int64, string
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Min, Outputs, op
from thalweg._src.core.status import translated
from thalweg._src.ops.io.checkpoints import local_path, open_reader


def _words(path: str, size: int, whose: str) -> list[bytes]:
    """The lines of a file, the first `size` of them if that is not -1. Raises InvalidArgumentError where it has fewer."""
    if not path:
        raise invalid(f"{whose} vocab filename cannot be empty.")
    with translated():
        lines = Path(local_path(path)).read_bytes().split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if size > len(lines):
        raise invalid(f"Invalid vocab_size in {path}: expected {size} but got {len(lines)}")
    return lines if size < 0 else lines[:size]


@op("GenerateVocabRemapping", host=True, foldable=False)
def generate_vocab_remapping(
    new_vocab_file: string,
    old_vocab_file: string,
    *,
    new_vocab_offset: Min(int, 0),
    num_new_vocab: Min(int, 0),
    old_vocab_size: Min(int, -1) = -1,
) -> Outputs(remapping=int64, num_present=int32):
    """For `num_new_vocab` words of a file from `new_vocab_offset` on: their lines in the old file, -1 for new words;
    and how many are not new.
    """
    new = _words(new_vocab_file.item().decode(), -1, "new")
    if new_vocab_offset + num_new_vocab > len(new):
        raise invalid("lookup table size must be larger than last new vocab entry's line")
    old: dict[bytes, int] = {}
    for i, word in enumerate(_words(old_vocab_file.item().decode(), old_vocab_size, "old")):
        if word in old:
            raise errors.FailedPreconditionError(
                None,
                None,
                f"HashTable has different value for same key. Key {word.decode()} has {old[word]} and "
                f"trying to add value {i}",
            )
        old[word] = i
    found = np.array([old.get(w, -1) for w in new[new_vocab_offset : new_vocab_offset + num_new_vocab]], np.int64)
    return found, np.int32((found >= 0).sum())


@generate_vocab_remapping.shape_rule
def _(op):
    return [(op._attrs["num_new_vocab"],), ()]


def _check_distinct(remapping: np.ndarray) -> None:
    old = remapping[remapping >= 0]
    values, counts = np.unique(old, return_counts=True)
    if (counts > 1).any():
        again = values[counts > 1][0]
        first, second = np.flatnonzero(remapping == again)[:2]
        raise errors.UnimplementedError(
            None, None, f"Old ID {again} is mapped to both new ID {first} and {second}, which is not supported."
        )


def _row_blocks(rows: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """(start, length) of the blocks of the old matrix between the first and the last row in `rows`."""
    wanted = rows[rows >= 0]
    if not wanted.size:
        return
    start, end = int(wanted.min()), int(wanted.max()) + 1
    step = most if most > 0 else end - start
    for at in range(start, end, step):
        yield at, min(step, end - at)


@op("LoadAndRemapMatrix", host=True, effect="host", foldable=False)
def load_and_remap_matrix(
    ckpt_path: string,
    old_tensor_name: string,
    row_remapping: int64,
    col_remapping: int64,
    initializing_values: float32,
    *,
    num_rows: Min(int, 0),
    num_cols: Min(int, 1),
    max_rows_in_memory: int = -1,
) -> Outputs(output_matrix=float32):
    """A matrix whose row i is row `row_remapping[i]` of one in a checkpoint, and so with its columns, unless
    `col_remapping` is empty.

    Where a remapping is -1 stand the `initializing_values`, row by row. At most `max_rows_in_memory` rows are read
    at once. Raises InvalidArgumentError for wrong sizes and types, UnimplementedError for a row that is taken twice.
    """
    name = old_tensor_name.item().decode()
    if row_remapping.size != num_rows:
        raise invalid(f"Size of row_remapping is {row_remapping.size} instead of being equal to num_rows={num_rows}")
    _check_distinct(row_remapping)
    if col_remapping.size:
        if col_remapping.size != num_cols:
            raise invalid(
                f"Provided col_remapping, but its size is {col_remapping.size} instead of being equal to "
                f"num_cols={num_cols}"
            )
        _check_distinct(col_remapping)
    columns = col_remapping if col_remapping.size else np.arange(num_cols)
    made = np.zeros((num_rows, num_cols), np.float32)
    new_columns = np.flatnonzero(columns >= 0)
    with translated(), open_reader(ckpt_path.item().decode()) as reader:
        _check_matrix(reader.entry(name), name, None if col_remapping.size else num_cols)
        width = reader.entry(name).shape[1]
        for start, length in _row_blocks(row_remapping, max_rows_in_memory):
            block = reader.read(name, ((start, length), (0, width)))
            new_rows = np.flatnonzero((row_remapping >= start) & (row_remapping < start + length))
            old = block[np.ix_(row_remapping[new_rows] - start, columns[new_columns])]
            made[np.ix_(new_rows, new_columns)] = old
    missing = (row_remapping < 0)[:, None] | (columns < 0)[None, :]
    given, needed = initializing_values.size, int(missing.sum())
    if given < needed:
        raise invalid(f"initializing_values contained {given} elements, but more missing values remain.")
    if given > needed:
        raise invalid(
            f"initializing_values contained {given} elements, but only {needed} elements were used to fill in missing "
            "values."
        )
    made[missing] = initializing_values.ravel()
    return made


def _check_matrix(entry, name, columns):
    from thalweg._src.formats.types import NAME_OF_ENUM

    kind, shape = NAME_OF_ENUM[entry.enum], f"[{','.join(map(str, entry.shape))}]"
    if kind != "float32":
        raise invalid(f"Tensor {name} has invalid type {kind} instead of expected type float")
    if len(entry.shape) != 2:
        raise invalid(
            f"Tensor {name} has shape {shape} of invalid rank {len(entry.shape)} instead of expected shape of rank 2."
        )
    if columns is not None and entry.shape[1] != columns:
        raise invalid(
            f"Tensor {name} has shape {shape}, where the size of its 2nd dimension is {entry.shape[1]} instead of being "
            f"equal to num_cols={columns}"
        )


@load_and_remap_matrix.shape_rule
def _(op):
    return [(op._attrs["num_rows"], op._attrs["num_cols"])]
