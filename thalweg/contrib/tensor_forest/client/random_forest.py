"""tf.contrib.tensor_forest.client.random_forest: forests as estimators."""

from thalweg._src.contrib.tensor_forest.estimators import ALL_SERVING_KEY as ALL_SERVING_KEY
from thalweg._src.contrib.tensor_forest.estimators import TREE_PATHS_PREDICTION_KEY as TREE_PATHS_PREDICTION_KEY
from thalweg._src.contrib.tensor_forest.estimators import VARIANCE_PREDICTION_KEY as VARIANCE_PREDICTION_KEY
from thalweg._src.contrib.tensor_forest.estimators import CoreTensorForestEstimator as CoreTensorForestEstimator
from thalweg._src.contrib.tensor_forest.estimators import TensorForestEstimator as TensorForestEstimator
from thalweg._src.contrib.tensor_forest.estimators import TensorForestLossHook as TensorForestLossHook
from thalweg._src.contrib.tensor_forest.estimators import get_model_fn as get_model_fn
