"""tf.contrib.layers: layers with argument scopes, regularizers, initializers, summaries, training ops."""

from thalweg._src.contrib.layers import summaries as summaries
from thalweg._src.contrib.layers.batch_norm import batch_norm as batch_norm
from thalweg._src.contrib.layers.column import create_feature_spec_for_parsing as create_feature_spec_for_parsing
from thalweg._src.contrib.layers.column import (
    make_place_holder_tensors_for_base_features as make_place_holder_tensors_for_base_features,
)
from thalweg._src.contrib.layers.column_ops import check_feature_columns as check_feature_columns
from thalweg._src.contrib.layers.column_ops import infer_real_valued_columns as infer_real_valued_columns
from thalweg._src.contrib.layers.column_ops import input_from_feature_columns as input_from_feature_columns
from thalweg._src.contrib.layers.column_ops import (
    joint_weighted_sum_from_feature_columns as joint_weighted_sum_from_feature_columns,
)
from thalweg._src.contrib.layers.column_ops import (
    parse_feature_columns_from_examples as parse_feature_columns_from_examples,
)
from thalweg._src.contrib.layers.column_ops import (
    parse_feature_columns_from_sequence_examples as parse_feature_columns_from_sequence_examples,
)
from thalweg._src.contrib.layers.column_ops import (
    sequence_input_from_feature_columns as sequence_input_from_feature_columns,
)
from thalweg._src.contrib.layers.column_ops import transform_features as transform_features
from thalweg._src.contrib.layers.column_ops import (
    weighted_sum_from_feature_columns as weighted_sum_from_feature_columns,
)
from thalweg._src.contrib.layers.convolutions import conv1d as conv1d
from thalweg._src.contrib.layers.convolutions import conv2d as conv2d
from thalweg._src.contrib.layers.convolutions import conv2d_in_plane as conv2d_in_plane
from thalweg._src.contrib.layers.convolutions import conv2d_transpose as conv2d_transpose
from thalweg._src.contrib.layers.convolutions import conv3d as conv3d
from thalweg._src.contrib.layers.convolutions import conv3d_transpose as conv3d_transpose
from thalweg._src.contrib.layers.convolutions import convolution as convolution
from thalweg._src.contrib.layers.convolutions import convolution1d as convolution1d
from thalweg._src.contrib.layers.convolutions import convolution2d as convolution2d
from thalweg._src.contrib.layers.convolutions import convolution2d_in_plane as convolution2d_in_plane
from thalweg._src.contrib.layers.convolutions import convolution2d_transpose as convolution2d_transpose
from thalweg._src.contrib.layers.convolutions import convolution3d as convolution3d
from thalweg._src.contrib.layers.convolutions import convolution3d_transpose as convolution3d_transpose
from thalweg._src.contrib.layers.convolutions import separable_conv2d as separable_conv2d
from thalweg._src.contrib.layers.convolutions import separable_convolution2d as separable_convolution2d
from thalweg._src.contrib.layers.crossed_columns import crossed_column as crossed_column
from thalweg._src.contrib.layers.dense import bias_add as bias_add
from thalweg._src.contrib.layers.dense import elu as elu
from thalweg._src.contrib.layers.dense import fully_connected as fully_connected
from thalweg._src.contrib.layers.dense import legacy_fully_connected as legacy_fully_connected
from thalweg._src.contrib.layers.dense import legacy_linear as legacy_linear
from thalweg._src.contrib.layers.dense import legacy_relu as legacy_relu
from thalweg._src.contrib.layers.dense import linear as linear
from thalweg._src.contrib.layers.dense import maxout as maxout
from thalweg._src.contrib.layers.dense import one_hot_encoding as one_hot_encoding
from thalweg._src.contrib.layers.dense import poincare_normalize as poincare_normalize
from thalweg._src.contrib.layers.dense import relu as relu
from thalweg._src.contrib.layers.dense import relu6 as relu6
from thalweg._src.contrib.layers.dense import softmax as softmax
from thalweg._src.contrib.layers.dense import spatial_softmax as spatial_softmax
from thalweg._src.contrib.layers.dense import unit_norm as unit_norm
from thalweg._src.contrib.layers.embedding import (
    SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY as SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY,
)
from thalweg._src.contrib.layers.embedding import bow_encoder as bow_encoder
from thalweg._src.contrib.layers.embedding import embed_sequence as embed_sequence
from thalweg._src.contrib.layers.embedding import embedding_lookup_unique as embedding_lookup_unique
from thalweg._src.contrib.layers.embedding import safe_embedding_lookup_sparse as safe_embedding_lookup_sparse
from thalweg._src.contrib.layers.embedding import scattered_embedding_lookup as scattered_embedding_lookup
from thalweg._src.contrib.layers.embedding import scattered_embedding_lookup_sparse as scattered_embedding_lookup_sparse
from thalweg._src.contrib.layers.embedding_columns import embedding_column as embedding_column
from thalweg._src.contrib.layers.embedding_columns import one_hot_column as one_hot_column
from thalweg._src.contrib.layers.embedding_columns import scattered_embedding_column as scattered_embedding_column
from thalweg._src.contrib.layers.embedding_columns import shared_embedding_columns as shared_embedding_columns
from thalweg._src.contrib.layers.gdn import GDN as GDN
from thalweg._src.contrib.layers.gdn import gdn as gdn
from thalweg._src.contrib.layers.initializers import variance_scaling_initializer as variance_scaling_initializer
from thalweg._src.contrib.layers.initializers import xavier_initializer as xavier_initializer
from thalweg._src.contrib.layers.initializers import xavier_initializer_conv2d as xavier_initializer_conv2d
from thalweg._src.contrib.layers.normalization import group_norm as group_norm
from thalweg._src.contrib.layers.normalization import instance_norm as instance_norm
from thalweg._src.contrib.layers.normalization import layer_norm as layer_norm
from thalweg._src.contrib.layers.numeric_columns import bucketized_column as bucketized_column
from thalweg._src.contrib.layers.numeric_columns import real_valued_column as real_valued_column
from thalweg._src.contrib.layers.optimizers import OPTIMIZER_CLS_NAMES as OPTIMIZER_CLS_NAMES
from thalweg._src.contrib.layers.optimizers import OPTIMIZER_SUMMARIES as OPTIMIZER_SUMMARIES
from thalweg._src.contrib.layers.optimizers import adaptive_clipping_fn as adaptive_clipping_fn
from thalweg._src.contrib.layers.optimizers import optimize_loss as optimize_loss
from thalweg._src.contrib.layers.regularizers import apply_regularization as apply_regularization
from thalweg._src.contrib.layers.regularizers import l1_l2_regularizer as l1_l2_regularizer
from thalweg._src.contrib.layers.regularizers import l1_regularizer as l1_regularizer
from thalweg._src.contrib.layers.regularizers import l2_regularizer as l2_regularizer
from thalweg._src.contrib.layers.regularizers import sum_regularizer as sum_regularizer
from thalweg._src.contrib.layers.reversible import RevBlock as RevBlock
from thalweg._src.contrib.layers.reversible import recompute_grad as recompute_grad
from thalweg._src.contrib.layers.reversible import rev_block as rev_block
from thalweg._src.contrib.layers.shapes import avg_pool2d as avg_pool2d
from thalweg._src.contrib.layers.shapes import avg_pool3d as avg_pool3d
from thalweg._src.contrib.layers.shapes import dense_to_sparse as dense_to_sparse
from thalweg._src.contrib.layers.shapes import dropout as dropout
from thalweg._src.contrib.layers.shapes import flatten as flatten
from thalweg._src.contrib.layers.shapes import images_to_sequence as images_to_sequence
from thalweg._src.contrib.layers.shapes import max_pool2d as max_pool2d
from thalweg._src.contrib.layers.shapes import max_pool3d as max_pool3d
from thalweg._src.contrib.layers.shapes import pool as pool
from thalweg._src.contrib.layers.shapes import repeat as repeat
from thalweg._src.contrib.layers.shapes import scale_gradient as scale_gradient
from thalweg._src.contrib.layers.shapes import sequence_to_images as sequence_to_images
from thalweg._src.contrib.layers.shapes import stack as stack
from thalweg._src.contrib.layers.sparse_columns import sparse_column_with_hash_bucket as sparse_column_with_hash_bucket
from thalweg._src.contrib.layers.sparse_columns import (
    sparse_column_with_integerized_feature as sparse_column_with_integerized_feature,
)
from thalweg._src.contrib.layers.sparse_columns import sparse_column_with_keys as sparse_column_with_keys
from thalweg._src.contrib.layers.sparse_columns import (
    sparse_column_with_vocabulary_file as sparse_column_with_vocabulary_file,
)
from thalweg._src.contrib.layers.sparse_columns import weighted_sparse_column as weighted_sparse_column
from thalweg._src.contrib.layers.summaries import summarize_activation as summarize_activation
from thalweg._src.contrib.layers.summaries import summarize_activations as summarize_activations
from thalweg._src.contrib.layers.summaries import summarize_biases as summarize_biases
from thalweg._src.contrib.layers.summaries import summarize_collection as summarize_collection
from thalweg._src.contrib.layers.summaries import summarize_tensor as summarize_tensor
from thalweg._src.contrib.layers.summaries import summarize_tensors as summarize_tensors
from thalweg._src.contrib.layers.summaries import summarize_variables as summarize_variables
from thalweg._src.contrib.layers.summaries import summarize_weights as summarize_weights
from thalweg._src.contrib.layers.target_columns import ProblemType as ProblemType
from thalweg._src.contrib.layers.target_columns import binary_svm_target as binary_svm_target
from thalweg._src.contrib.layers.target_columns import (
    get_default_binary_metrics_for_eval as get_default_binary_metrics_for_eval,
)
from thalweg._src.contrib.layers.target_columns import multi_class_target as multi_class_target
from thalweg._src.contrib.layers.target_columns import regression_target as regression_target
from thalweg._src.ops.sparse_tensors.sparse_cross import sparse_feature_cross as sparse_feature_cross
from thalweg.contrib.layers import feature_column as feature_column
