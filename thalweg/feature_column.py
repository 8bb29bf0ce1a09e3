"""tf.feature_column: how the features of examples become what a model reads."""

from thalweg._src.lib.feature_columns.categorical import (
    categorical_column_with_hash_bucket as categorical_column_with_hash_bucket,
)
from thalweg._src.lib.feature_columns.categorical import (
    categorical_column_with_identity as categorical_column_with_identity,
)
from thalweg._src.lib.feature_columns.categorical import (
    categorical_column_with_vocabulary_file as categorical_column_with_vocabulary_file,
)
from thalweg._src.lib.feature_columns.categorical import (
    categorical_column_with_vocabulary_list as categorical_column_with_vocabulary_list,
)
from thalweg._src.lib.feature_columns.categorical import crossed_column as crossed_column
from thalweg._src.lib.feature_columns.categorical import weighted_categorical_column as weighted_categorical_column
from thalweg._src.lib.feature_columns.embedded import embedding_column as embedding_column
from thalweg._src.lib.feature_columns.embedded import indicator_column as indicator_column
from thalweg._src.lib.feature_columns.embedded import shared_embedding_columns as shared_embedding_columns
from thalweg._src.lib.feature_columns.layers import input_layer as input_layer
from thalweg._src.lib.feature_columns.layers import linear_model as linear_model
from thalweg._src.lib.feature_columns.layers import make_parse_example_spec as make_parse_example_spec
from thalweg._src.lib.feature_columns.numeric import bucketized_column as bucketized_column
from thalweg._src.lib.feature_columns.numeric import numeric_column as numeric_column
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
from thalweg._src.lib.feature_columns.sequence import sequence_numeric_column as sequence_numeric_column
