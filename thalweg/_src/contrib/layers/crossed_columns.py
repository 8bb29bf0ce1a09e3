"""Crossed columns of tf.contrib.layers: every combination of the classes of several columns is a class."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.layers.numeric_columns import BucketizedColumn
from thalweg._src.contrib.layers.sparse_columns import Classes, SparseColumn
from thalweg._src.ops.sparse_tensors.sparse_cross import sparse_feature_cross


class CrossedColumn(
    Classes,
    collections.namedtuple(
        "CrossedColumn",
        ["columns", "hash_bucket_size", "hash_key", "combiner", "ckpt_to_load_from", "tensor_name_in_ckpt"],
    ),
):
    """See `crossed_column`."""

    def __new__(
        cls,
        columns: Any,
        hash_bucket_size: int,
        hash_key: int | None,
        combiner: str = "sum",
        ckpt_to_load_from: Any = None,
        tensor_name_in_ckpt: Any = None,
    ) -> Any:
        for column in columns:
            if not isinstance(column, SparseColumn | CrossedColumn | BucketizedColumn):
                raise TypeError(
                    "columns must be a set of _SparseColumn, _CrossedColumn, or _BucketizedColumn instances. "
                    f"(column {column} is a {type(column).__name__})"
                )
        if len(columns) < 2:
            raise ValueError(f"columns must contain at least 2 elements. columns: {columns}")
        if hash_bucket_size < 2:
            raise ValueError(f"hash_bucket_size must be at least 2. hash_bucket_size: {hash_bucket_size}")
        if (ckpt_to_load_from is None) != (tensor_name_in_ckpt is None):
            raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")
        ordered = tuple(sorted(columns, key=lambda c: c.name))
        return super().__new__(
            cls, ordered, hash_bucket_size, hash_key, combiner, ckpt_to_load_from, tensor_name_in_ckpt
        )

    @property
    def name(self) -> str:
        return "_X_".join(sorted(c.name for c in self.columns))

    @property
    def config(self) -> dict[str, Any]:
        return {key: kind for c in self.columns for key, kind in c.config.items()}

    @property
    def length(self) -> int:
        return self.hash_bucket_size

    @property
    def parents(self) -> list[Any]:
        return list(self.columns)

    def _leaves(self) -> list[Any]:
        """The columns that are crossed, those of crossed columns in their places."""
        return [leaf for c in self.columns for leaf in (c._leaves() if isinstance(c, CrossedColumn) else [c])]

    def _transformed(self, get: Callable[[Any], Any]) -> Any:
        features = [
            # A column of words is crossed as the words that it is.
            get(leaf.name) if isinstance(leaf, SparseColumn) else leaf.to_sparse_tensor(get(leaf))
            for leaf in self._leaves()
        ]
        return sparse_feature_cross(
            features, hashed_output=True, num_buckets=self.hash_bucket_size, hash_key=self.hash_key, name="cross"
        )

    def _to_dnn_input_layer(
        self, input_tensor: Any, weight_collections: Any = None, trainable: bool = True, output_rank: int = 2
    ) -> Any:
        raise ValueError(f"CrossedColumn is not supported in DNN. Please use embedding_column. column: {self}")

    def _checkpoint_path(self) -> tuple[Any, Any] | None:
        return None if self.ckpt_to_load_from is None else (self.ckpt_to_load_from, self.tensor_name_in_ckpt)


def crossed_column(
    columns: Any,
    hash_bucket_size: int,
    combiner: str = "sum",
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: Any = None,
    hash_key: int | None = None,
) -> CrossedColumn:
    """Every combination of the values of several columns, by a hash. Raises ValueError for fewer than two columns."""
    return CrossedColumn(columns, hash_bucket_size, hash_key, combiner, ckpt_to_load_from, tensor_name_in_ckpt)
