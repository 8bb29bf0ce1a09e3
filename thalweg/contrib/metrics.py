"""tf.contrib.metrics: the metrics of 0.x, and more."""

from thalweg._src.contrib.metrics.areas import auc_using_histogram as auc_using_histogram
from thalweg._src.contrib.metrics.areas import auc_with_confidence_intervals as auc_with_confidence_intervals
from thalweg._src.contrib.metrics.areas import streaming_dynamic_auc as streaming_dynamic_auc
from thalweg._src.contrib.metrics.curves import f1_score as f1_score
from thalweg._src.contrib.metrics.curves import precision_at_recall as precision_at_recall
from thalweg._src.contrib.metrics.curves import (
    precision_recall_at_equal_thresholds as precision_recall_at_equal_thresholds,
)
from thalweg._src.contrib.metrics.curves import recall_at_precision as recall_at_precision
from thalweg._src.contrib.metrics.curves import streaming_curve_points as streaming_curve_points
from thalweg._src.contrib.metrics.curves import streaming_false_negative_rate as streaming_false_negative_rate
from thalweg._src.contrib.metrics.curves import (
    streaming_false_negative_rate_at_thresholds as streaming_false_negative_rate_at_thresholds,
)
from thalweg._src.contrib.metrics.curves import streaming_false_positive_rate as streaming_false_positive_rate
from thalweg._src.contrib.metrics.curves import (
    streaming_false_positive_rate_at_thresholds as streaming_false_positive_rate_at_thresholds,
)
from thalweg._src.contrib.metrics.curves import streaming_recall_at_k as streaming_recall_at_k
from thalweg._src.contrib.metrics.curves import (
    streaming_sparse_average_precision_at_top_k as streaming_sparse_average_precision_at_top_k,
)
from thalweg._src.contrib.metrics.statistics import accuracy as accuracy
from thalweg._src.contrib.metrics.statistics import aggregate_metric_map as aggregate_metric_map
from thalweg._src.contrib.metrics.statistics import aggregate_metrics as aggregate_metrics
from thalweg._src.contrib.metrics.statistics import cohen_kappa as cohen_kappa
from thalweg._src.contrib.metrics.statistics import count as count
from thalweg._src.contrib.metrics.statistics import streaming_concat as streaming_concat
from thalweg._src.contrib.metrics.statistics import streaming_covariance as streaming_covariance
from thalweg._src.contrib.metrics.statistics import streaming_pearson_correlation as streaming_pearson_correlation
from thalweg._src.contrib.metrics.streaming import sparse_recall_at_top_k as sparse_recall_at_top_k
from thalweg._src.contrib.metrics.streaming import streaming_accuracy as streaming_accuracy
from thalweg._src.contrib.metrics.streaming import streaming_auc as streaming_auc
from thalweg._src.contrib.metrics.streaming import streaming_false_negatives as streaming_false_negatives
from thalweg._src.contrib.metrics.streaming import (
    streaming_false_negatives_at_thresholds as streaming_false_negatives_at_thresholds,
)
from thalweg._src.contrib.metrics.streaming import streaming_false_positives as streaming_false_positives
from thalweg._src.contrib.metrics.streaming import (
    streaming_false_positives_at_thresholds as streaming_false_positives_at_thresholds,
)
from thalweg._src.contrib.metrics.streaming import streaming_mean as streaming_mean
from thalweg._src.contrib.metrics.streaming import streaming_mean_absolute_error as streaming_mean_absolute_error
from thalweg._src.contrib.metrics.streaming import streaming_mean_cosine_distance as streaming_mean_cosine_distance
from thalweg._src.contrib.metrics.streaming import streaming_mean_iou as streaming_mean_iou
from thalweg._src.contrib.metrics.streaming import streaming_mean_relative_error as streaming_mean_relative_error
from thalweg._src.contrib.metrics.streaming import streaming_mean_squared_error as streaming_mean_squared_error
from thalweg._src.contrib.metrics.streaming import streaming_mean_tensor as streaming_mean_tensor
from thalweg._src.contrib.metrics.streaming import streaming_percentage_less as streaming_percentage_less
from thalweg._src.contrib.metrics.streaming import streaming_precision as streaming_precision
from thalweg._src.contrib.metrics.streaming import (
    streaming_precision_at_thresholds as streaming_precision_at_thresholds,
)
from thalweg._src.contrib.metrics.streaming import streaming_recall as streaming_recall
from thalweg._src.contrib.metrics.streaming import streaming_recall_at_thresholds as streaming_recall_at_thresholds
from thalweg._src.contrib.metrics.streaming import (
    streaming_root_mean_squared_error as streaming_root_mean_squared_error,
)
from thalweg._src.contrib.metrics.streaming import (
    streaming_sensitivity_at_specificity as streaming_sensitivity_at_specificity,
)
from thalweg._src.contrib.metrics.streaming import (
    streaming_sparse_average_precision_at_k as streaming_sparse_average_precision_at_k,
)
from thalweg._src.contrib.metrics.streaming import streaming_sparse_precision_at_k as streaming_sparse_precision_at_k
from thalweg._src.contrib.metrics.streaming import (
    streaming_sparse_precision_at_top_k as streaming_sparse_precision_at_top_k,
)
from thalweg._src.contrib.metrics.streaming import streaming_sparse_recall_at_k as streaming_sparse_recall_at_k
from thalweg._src.contrib.metrics.streaming import (
    streaming_specificity_at_sensitivity as streaming_specificity_at_sensitivity,
)
from thalweg._src.contrib.metrics.streaming import streaming_true_negatives as streaming_true_negatives
from thalweg._src.contrib.metrics.streaming import (
    streaming_true_negatives_at_thresholds as streaming_true_negatives_at_thresholds,
)
from thalweg._src.contrib.metrics.streaming import streaming_true_positives as streaming_true_positives
from thalweg._src.contrib.metrics.streaming import (
    streaming_true_positives_at_thresholds as streaming_true_positives_at_thresholds,
)
from thalweg._src.lib.weights import confusion_matrix as confusion_matrix
from thalweg._src.ops.sparse_tensors.sets import set_difference as set_difference
from thalweg._src.ops.sparse_tensors.sets import set_intersection as set_intersection
from thalweg._src.ops.sparse_tensors.sets import set_size as set_size
from thalweg._src.ops.sparse_tensors.sets import set_union as set_union
