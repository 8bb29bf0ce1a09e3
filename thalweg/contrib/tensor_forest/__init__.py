"""tf.contrib.tensor_forest: random forests that learn from batches."""

from thalweg._src.contrib.tensor_forest.forest import ForestHParams as ForestHParams
from thalweg._src.contrib.tensor_forest.forest import RandomForestGraphs as RandomForestGraphs
from thalweg._src.contrib.tensor_forest.forest import TrainingLossForest as TrainingLossForest
from thalweg.contrib.tensor_forest import client as client
from thalweg.contrib.tensor_forest.client import eval_metrics as eval_metrics
from thalweg.contrib.tensor_forest.client import random_forest as random_forest
