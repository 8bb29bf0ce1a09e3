"""tensorflow.contrib.layers' feature_column: the classes of columns, by the names that programs ask for in `isinstance`."""

from thalweg._src.contrib.layers.column import Column as _FeatureColumn
from thalweg._src.contrib.layers.column import DeepArguments as _DeepEmbeddingLookupArguments
from thalweg._src.contrib.layers.column import LinearArguments as _LinearEmbeddingLookupArguments
from thalweg._src.contrib.layers.column import (
    create_sequence_feature_spec_for_parsing as _create_sequence_feature_spec_for_parsing,
)
from thalweg._src.contrib.layers.crossed_columns import CrossedColumn as _CrossedColumn
from thalweg._src.contrib.layers.embedding_columns import EmbeddingColumn as _EmbeddingColumn
from thalweg._src.contrib.layers.embedding_columns import OneHotColumn as _OneHotColumn
from thalweg._src.contrib.layers.embedding_columns import ScatteredEmbeddingColumn as _ScatteredEmbeddingColumn
from thalweg._src.contrib.layers.embedding_columns import embedded as _embeddings_from_arguments
from thalweg._src.contrib.layers.numeric_columns import BucketizedColumn as _BucketizedColumn
from thalweg._src.contrib.layers.numeric_columns import RealValuedColumn as _RealValuedColumn
from thalweg._src.contrib.layers.numeric_columns import RealValuedVarLenColumn as _RealValuedVarLenColumn
from thalweg._src.contrib.layers.numeric_columns import real_valued_var_len_column as _real_valued_var_len_column
from thalweg._src.contrib.layers.sparse_columns import SparseColumn as _SparseColumn
from thalweg._src.contrib.layers.sparse_columns import SparseColumnHashed as _SparseColumnHashed
from thalweg._src.contrib.layers.sparse_columns import SparseColumnIntegerized as _SparseColumnIntegerized
from thalweg._src.contrib.layers.sparse_columns import SparseColumnKeys as _SparseColumnKeys
from thalweg._src.contrib.layers.sparse_columns import SparseColumnVocabulary as _SparseColumnVocabulary
from thalweg._src.contrib.layers.sparse_columns import SparseIdLookupConfig as _SparseIdLookupConfig
from thalweg._src.contrib.layers.sparse_columns import WeightedSparseColumn as _WeightedSparseColumn
