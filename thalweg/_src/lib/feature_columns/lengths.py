"""Categorical columns of sequences, and how long sequences are."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.lib.feature_columns.base import CategoricalColumn
from thalweg._src.ops.late import array, math
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_reshape


class SequenceCategoricalColumn(
    CategoricalColumn, collections.namedtuple("SequenceCategoricalColumn", ("categorical_column",))
):
    """The classes of each step of a sequence: [batch, time, classes]."""

    @property
    def name(self) -> str:
        return self.categorical_column.name

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.categorical_column.parse_example_spec

    @property
    def parents(self) -> list[Any]:
        return [self.categorical_column]

    @property
    def num_buckets(self) -> int:
        return self.categorical_column.num_buckets

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return self.categorical_column.transform_feature(transformation_cache, state_manager)

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        ids, weights = self.categorical_column.get_sparse_tensors(transformation_cache, state_manager)
        shape = array.shape(ids)
        target = [shape[0], shape[1], math.reduce_prod(shape[2:])]
        ids = sparse_reshape(ids, target)
        return self.IdWeightPair(ids, None if weights is None else sparse_reshape(weights, target))


def sequence_length_from_sparse_tensor(sp_tensor: Any, num_elements: int = 1) -> Any:
    """The length of each row, [batch] int64: one more than its last column, in groups of `num_elements`."""
    with scopes.name_scope(None, "sequence_length") as scope:
        rows, columns = sp_tensor.indices[:, 0], sp_tensor.indices[:, 1]
        columns += array.ones_like(columns)
        lengths = math.segment_max(columns, segment_ids=rows)
        lengths = math.cast(math.ceil(lengths / num_elements), dtypes.int64)
        missing = array.shape(sp_tensor)[:1] - array.shape(lengths)[:1]
        return array.concat([lengths, array.zeros(missing, dtype=lengths.dtype)], axis=0, name=scope)
