"""tf.contrib.boosted_trees.estimator_batch.estimator: the estimators."""

from thalweg._src.contrib.boosted_trees.estimators import (
    GradientBoostedDecisionTreeClassifier as GradientBoostedDecisionTreeClassifier,
)
from thalweg._src.contrib.boosted_trees.estimators import (
    GradientBoostedDecisionTreeEstimator as GradientBoostedDecisionTreeEstimator,
)
from thalweg._src.contrib.boosted_trees.estimators import (
    GradientBoostedDecisionTreeRegressor as GradientBoostedDecisionTreeRegressor,
)
