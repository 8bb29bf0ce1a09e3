"""tf.contrib.feature_column: columns of sequences."""

from thalweg._src.lib.feature_columns.sequence import (
    sequence_categorical_column_with_hash_bucket as sequence_categorical_column_with_hash_bucket,
)
from thalweg._src.lib.feature_columns.sequence import (
    sequence_categorical_column_with_identity as sequence_categorical_column_with_identity,
)
from thalweg._src.lib.feature_columns.sequence import (
    sequence_categorical_column_with_vocabulary_file as sequence_categorical_column_with_vocabulary_file,
)
from thalweg._src.lib.feature_columns.sequence import (
    sequence_categorical_column_with_vocabulary_list as sequence_categorical_column_with_vocabulary_list,
)
from thalweg._src.lib.feature_columns.sequence import sequence_input_layer as sequence_input_layer
from thalweg._src.lib.feature_columns.sequence import sequence_numeric_column as sequence_numeric_column
