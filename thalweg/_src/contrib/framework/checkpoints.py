"""First values of biases and of optimizer slots from a checkpoint, with new vocabularies."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.dtypes import float32
from thalweg._src.lib.remapping import load_and_remap_matrix_initializer
from thalweg._src.ops.stateful.initializers import zeros_initializer


def load_linear_multiclass_bias_initializer(
    ckpt_path: Any,
    bias_tensor_name: str,
    new_class_vocab_size: int,
    old_class_vocab_file: Any,
    new_class_vocab_file: Any,
    num_class_oov_buckets: int = 0,
    initializer: Any = None,
    max_rows_in_memory: int = -1,
) -> Any:
    """An initializer of a bias [classes, 1]: known classes from the checkpoint, new ones zero (or by `initializer`)."""
    return load_and_remap_matrix_initializer(
        ckpt_path=ckpt_path,
        old_tensor_name=bias_tensor_name,
        new_row_vocab_size=new_class_vocab_size,
        new_col_vocab_size=1,
        old_row_vocab_file=old_class_vocab_file,
        new_row_vocab_file=new_class_vocab_file,
        num_row_oov_buckets=num_class_oov_buckets,
        initializer=zeros_initializer() if initializer is None else initializer,
        max_rows_in_memory=max_rows_in_memory,
    )


def load_variable_slot_initializer(
    ckpt_path: Any, old_tensor_name: str, primary_partition_info: Any, *args: Any, **kwargs: Any
) -> Any:
    """An initializer of the slot of a partitioned variable: it is cut as the variable is, whatever the slot says."""
    load = load_and_remap_matrix_initializer(ckpt_path, old_tensor_name, *args, **kwargs)

    def first_value(shape: Any, dtype: Any = float32, partition_info: Any = None) -> Any:
        return load(shape, dtype, partition_info=primary_partition_info)

    return first_value
