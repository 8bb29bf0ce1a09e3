"""tf.contrib.boosted_trees.estimator_batch."""

from thalweg.contrib.boosted_trees.estimator_batch import estimator as estimator
