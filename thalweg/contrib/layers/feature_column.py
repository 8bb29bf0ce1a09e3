"""tf.contrib.layers.feature_column: columns, by the module that has them."""

from thalweg._src.contrib.layers.column import create_feature_spec_for_parsing as create_feature_spec_for_parsing
from thalweg._src.contrib.layers.column import (
    make_place_holder_tensors_for_base_features as make_place_holder_tensors_for_base_features,
)
from thalweg._src.contrib.layers.crossed_columns import crossed_column as crossed_column
from thalweg._src.contrib.layers.embedding_columns import embedding_column as embedding_column
from thalweg._src.contrib.layers.embedding_columns import one_hot_column as one_hot_column
from thalweg._src.contrib.layers.embedding_columns import scattered_embedding_column as scattered_embedding_column
from thalweg._src.contrib.layers.embedding_columns import shared_embedding_columns as shared_embedding_columns
from thalweg._src.contrib.layers.numeric_columns import bucketized_column as bucketized_column
from thalweg._src.contrib.layers.numeric_columns import real_valued_column as real_valued_column
from thalweg._src.contrib.layers.sparse_columns import sparse_column_with_hash_bucket as sparse_column_with_hash_bucket
from thalweg._src.contrib.layers.sparse_columns import (
    sparse_column_with_integerized_feature as sparse_column_with_integerized_feature,
)
from thalweg._src.contrib.layers.sparse_columns import sparse_column_with_keys as sparse_column_with_keys
from thalweg._src.contrib.layers.sparse_columns import (
    sparse_column_with_vocabulary_file as sparse_column_with_vocabulary_file,
)
from thalweg._src.contrib.layers.sparse_columns import weighted_sparse_column as weighted_sparse_column
