"""tf.contrib.layers.feature_column: columns by the module that has them, their classes by the names programs ask for."""

from thalweg._src.contrib.layers.column import Column as _FeatureColumn
from thalweg._src.contrib.layers.column import DeepArguments as _DeepEmbeddingLookupArguments
from thalweg._src.contrib.layers.column import LinearArguments as _LinearEmbeddingLookupArguments
from thalweg._src.contrib.layers.column import create_feature_spec_for_parsing as create_feature_spec_for_parsing
from thalweg._src.contrib.layers.column import (
    create_sequence_feature_spec_for_parsing as _create_sequence_feature_spec_for_parsing,
)
from thalweg._src.contrib.layers.column import (
    make_place_holder_tensors_for_base_features as make_place_holder_tensors_for_base_features,
)
from thalweg._src.contrib.layers.crossed_columns import CrossedColumn as _CrossedColumn
from thalweg._src.contrib.layers.crossed_columns import crossed_column as crossed_column
from thalweg._src.contrib.layers.embedding_columns import EmbeddingColumn as _EmbeddingColumn
from thalweg._src.contrib.layers.embedding_columns import OneHotColumn as _OneHotColumn
from thalweg._src.contrib.layers.embedding_columns import ScatteredEmbeddingColumn as _ScatteredEmbeddingColumn
from thalweg._src.contrib.layers.embedding_columns import embedded as _embeddings_from_arguments
from thalweg._src.contrib.layers.embedding_columns import embedding_column as embedding_column
from thalweg._src.contrib.layers.embedding_columns import one_hot_column as one_hot_column
from thalweg._src.contrib.layers.embedding_columns import scattered_embedding_column as scattered_embedding_column
from thalweg._src.contrib.layers.embedding_columns import shared_embedding_columns as shared_embedding_columns
from thalweg._src.contrib.layers.numeric_columns import BucketizedColumn as _BucketizedColumn
from thalweg._src.contrib.layers.numeric_columns import RealValuedColumn as _RealValuedColumn
from thalweg._src.contrib.layers.numeric_columns import RealValuedVarLenColumn as _RealValuedVarLenColumn
from thalweg._src.contrib.layers.numeric_columns import bucketized_column as bucketized_column
from thalweg._src.contrib.layers.numeric_columns import real_valued_column as real_valued_column
from thalweg._src.contrib.layers.numeric_columns import real_valued_var_len_column as _real_valued_var_len_column
from thalweg._src.contrib.layers.sparse_columns import SparseColumn as _SparseColumn
from thalweg._src.contrib.layers.sparse_columns import SparseColumnHashed as _SparseColumnHashed
from thalweg._src.contrib.layers.sparse_columns import SparseColumnIntegerized as _SparseColumnIntegerized
from thalweg._src.contrib.layers.sparse_columns import SparseColumnKeys as _SparseColumnKeys
from thalweg._src.contrib.layers.sparse_columns import SparseColumnVocabulary as _SparseColumnVocabulary
from thalweg._src.contrib.layers.sparse_columns import SparseIdLookupConfig as _SparseIdLookupConfig
from thalweg._src.contrib.layers.sparse_columns import WeightedSparseColumn as _WeightedSparseColumn
from thalweg._src.contrib.layers.sparse_columns import sparse_column_with_hash_bucket as sparse_column_with_hash_bucket
from thalweg._src.contrib.layers.sparse_columns import (
    sparse_column_with_integerized_feature as sparse_column_with_integerized_feature,
)
from thalweg._src.contrib.layers.sparse_columns import sparse_column_with_keys as sparse_column_with_keys
from thalweg._src.contrib.layers.sparse_columns import (
    sparse_column_with_vocabulary_file as sparse_column_with_vocabulary_file,
)
from thalweg._src.contrib.layers.sparse_columns import weighted_sparse_column as weighted_sparse_column
