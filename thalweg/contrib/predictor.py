"""tf.contrib.predictor: trained models as functions of arrays."""

from thalweg._src.contrib.predictor import from_estimator as from_estimator
from thalweg._src.contrib.predictor import from_saved_model as from_saved_model
