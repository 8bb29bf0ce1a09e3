"""tf.contrib.learn.utils.export: what is served of an estimator, before SavedModel."""

from thalweg._src.contrib.learn.bundles import classification_signature_fn as classification_signature_fn
from thalweg._src.contrib.learn.bundles import (
    classification_signature_fn_with_prob as classification_signature_fn_with_prob,
)
from thalweg._src.contrib.learn.bundles import generic_signature_fn as generic_signature_fn
from thalweg._src.contrib.learn.bundles import logistic_regression_signature_fn as logistic_regression_signature_fn
from thalweg._src.contrib.learn.bundles import regression_signature_fn as regression_signature_fn
