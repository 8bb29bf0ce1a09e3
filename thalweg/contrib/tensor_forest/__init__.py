"""tf.contrib.tensor_forest: random forests that learn from batches."""

from thalweg._src.contrib.tensor_forest.forest import ForestHParams as ForestHParams
from thalweg._src.contrib.tensor_forest.forest import RandomForestGraphs as RandomForestGraphs
from thalweg._src.contrib.tensor_forest.forest import TrainingLossForest as TrainingLossForest
from thalweg.contrib.tensor_forest import client as client
