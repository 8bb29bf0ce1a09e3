"""tf.contrib.boosted_trees: trees that are grown with each step of an estimator of tf.contrib.learn."""

from thalweg.contrib.boosted_trees import estimator_batch as estimator_batch
from thalweg.contrib.boosted_trees import proto as proto
