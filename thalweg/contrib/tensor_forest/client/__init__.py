"""tf.contrib.tensor_forest.client."""

from thalweg.contrib.tensor_forest.client import eval_metrics as eval_metrics
from thalweg.contrib.tensor_forest.client import random_forest as random_forest
