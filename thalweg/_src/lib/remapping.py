"""Initializers that take a matrix from a checkpoint and put its rows or columns in the order of another vocabulary."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float32, int64
from thalweg._src.ops.io import vocabularies
from thalweg._src.ops.late import array
from thalweg._src.ops.late import math as maths
from thalweg._src.ops.stateful import initializers

Initializer = Callable[..., Any]


def load_and_remap_matrix(
    ckpt_path: Any,
    old_tensor_name: str,
    new_row_vocab_offset: int,
    num_rows_to_load: int,
    new_col_vocab_size: int,
    initializer: Initializer,
    old_row_vocab_size: int = -1,
    old_row_vocab_file: Any = None,
    new_row_vocab_file: Any = None,
    old_col_vocab_file: Any = None,
    new_col_vocab_file: Any = None,
    num_row_oov_buckets: int = 0,
    num_col_oov_buckets: int = 0,
    max_rows_in_memory: int = -1,
) -> Any:
    """A [num_rows_to_load + num_row_oov_buckets, new_col_vocab_size + num_col_oov_buckets] matrix of a checkpoint.

    Its rows follow the new file's words from `new_row_vocab_offset` on; what the old one lacks comes from
    `initializer`, which is given a shape. Raises ValueError where only one file of a pair is given, or none.
    """
    for what, buckets in (("row", num_row_oov_buckets), ("col", num_col_oov_buckets)):
        if buckets < 0:
            raise ValueError(f"num_{what}_oov_buckets must be >= 0, but received {buckets}")
    pairs = (("row", old_row_vocab_file, new_row_vocab_file), ("col", old_col_vocab_file, new_col_vocab_file))
    for what, old, new in pairs:
        if (old is None or old == "") != (new is None or new == ""):
            raise ValueError(
                f"old_{what}_vocab_file and new_{what}_vocab_file must both be specified or left unspecified. "
                f"old_{what}_vocab_file='{old}', new_{what}_vocab_file='{new}'"
            )
    if not new_row_vocab_file and not new_col_vocab_file:
        raise ValueError(
            "Must provide either row or column vocab files. If no remapping is necessary, consider using "
            "`tf.contrib.framework.init_from_checkpoint` instead."
        )
    rows_present: Any = num_rows_to_load
    if new_row_vocab_file:
        rows, rows_present = vocabularies.generate_vocab_remapping(
            new_row_vocab_file,
            old_row_vocab_file,
            new_vocab_offset=new_row_vocab_offset,
            num_new_vocab=num_rows_to_load,
            old_vocab_size=old_row_vocab_size,
        )
    else:
        rows = maths.range(new_row_vocab_offset, new_row_vocab_offset + num_rows_to_load, dtype=int64)
    columns: Any = []
    columns_present: Any = new_col_vocab_size
    if new_col_vocab_file:
        columns, columns_present = vocabularies.generate_vocab_remapping(
            new_col_vocab_file, old_col_vocab_file, new_vocab_offset=0, num_new_vocab=new_col_vocab_size
        )
    missing = num_rows_to_load * new_col_vocab_size - rows_present * columns_present
    matrix = vocabularies.load_and_remap_matrix(
        ckpt_path,
        old_tensor_name,
        rows,
        to_tensor(columns, int64),
        initializer([missing, 1]),
        num_rows=num_rows_to_load,
        num_cols=new_col_vocab_size,
        max_rows_in_memory=max_rows_in_memory,
    )
    if num_row_oov_buckets > 0:
        more = to_tensor(initializer([num_row_oov_buckets, new_col_vocab_size]))
        matrix = array.concat([matrix, more], 0)
    if num_col_oov_buckets > 0:
        more = to_tensor(initializer([num_rows_to_load + num_row_oov_buckets, num_col_oov_buckets]))
        matrix = array.concat([matrix, more], 1)
    return matrix


def load_and_remap_matrix_initializer(
    ckpt_path: Any,
    old_tensor_name: str,
    new_row_vocab_size: int,
    new_col_vocab_size: int,
    old_row_vocab_size: int = -1,
    old_row_vocab_file: Any = None,
    new_row_vocab_file: Any = None,
    old_col_vocab_file: Any = None,
    new_col_vocab_file: Any = None,
    num_row_oov_buckets: int = 0,
    num_col_oov_buckets: int = 0,
    initializer: Initializer | None = None,
    max_rows_in_memory: int = -1,
) -> Initializer:
    """The initializer of a variable of [new_row_vocab_size + num_row_oov_buckets, new_col_vocab_size +
    num_col_oov_buckets], or of its parts where it is cut into rows: see `load_and_remap_matrix`.

    Words that are new are initialized by `initializer`, else with 0. Raises TypeError if it can't be called.
    """
    initializer = initializers.zeros_initializer() if initializer is None else initializer
    if not callable(initializer):
        raise TypeError(f"initializer must be callable, instead of being {initializer} of type {type(initializer)}.")
    rows, columns = new_row_vocab_size + num_row_oov_buckets, new_col_vocab_size + num_col_oov_buckets

    def first_value(shape: Any, dtype: Any = float32, partition_info: Any = None) -> Any:
        if dtype != float32:
            raise TypeError(f"Currently, only float32 is supported. Received dtype: {dtype}")
        if len(shape) != 2:
            raise ValueError(f"Expected 2-dim shape, but received: {shape}")
        if shape[0] <= 0:
            raise ValueError(f"Expected 1st dim of shape to be > 0, but received shape: {shape}")
        if shape[1] != columns:
            raise ValueError(
                f"Expected 2nd dim of shape to be new_col_vocab_size ({new_col_vocab_size}) + num_col_oov_buckets "
                f"({num_col_oov_buckets}) = {columns}, but received shape: {shape}"
            )
        offset = 0 if partition_info is None else partition_info.single_offset(shape)
        if offset + shape[0] > rows:
            raise ValueError(
                f"Trying to initialize {shape[0]} additional rows after {offset} rows have already been initialized, "
                f"which would exceed expected total row count of new_row_vocab_size ({new_row_vocab_size}) + "
                f"num_row_oov_buckets ({num_row_oov_buckets}) = {rows}."
            )
        buckets = min(shape[0], max(0, offset + shape[0] - new_row_vocab_size))
        if offset > new_row_vocab_size:  # a part that has only rows of unknown words
            return initializer(shape)
        return load_and_remap_matrix(
            ckpt_path,
            old_tensor_name,
            offset,
            shape[0] - buckets,
            new_col_vocab_size,
            initializer,
            old_row_vocab_size,
            old_row_vocab_file,
            new_row_vocab_file,
            old_col_vocab_file,
            new_col_vocab_file,
            buckets,
            num_col_oov_buckets,
            max_rows_in_memory,
        )

    return first_value


def load_embedding_initializer(
    ckpt_path: Any,
    embedding_tensor_name: str,
    new_vocab_size: int,
    embedding_dim: int,
    old_vocab_file: Any,
    new_vocab_file: Any,
    old_vocab_size: int = -1,
    num_oov_buckets: int = 0,
    initializer: Initializer | None = None,
    max_rows_in_memory: int = -1,
) -> Initializer:
    """The initializer of an embedding for a new vocabulary, from one of a checkpoint. New words get normal numbers."""
    if initializer is None:
        initializer = initializers.truncated_normal_initializer(stddev=1.0 / math.sqrt(embedding_dim))
    return load_and_remap_matrix_initializer(
        ckpt_path,
        embedding_tensor_name,
        new_vocab_size,
        embedding_dim,
        old_vocab_size,
        old_vocab_file,
        new_vocab_file,
        num_row_oov_buckets=num_oov_buckets,
        initializer=initializer,
        max_rows_in_memory=max_rows_in_memory,
    )
