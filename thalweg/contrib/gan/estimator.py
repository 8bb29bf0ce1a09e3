"""tf.contrib.gan.estimator: estimators of GANs."""

from thalweg._src.contrib.gan.estimators import GANEstimator as GANEstimator
from thalweg._src.contrib.gan.estimators import StarGANEstimator as StarGANEstimator
from thalweg._src.contrib.gan.estimators import SummaryType as SummaryType
from thalweg._src.contrib.gan.estimators import (
    stargan_prediction_input_fn_wrapper as stargan_prediction_input_fn_wrapper,
)
from thalweg._src.contrib.gan.head import GANHead as GANHead
from thalweg._src.contrib.gan.head import gan_head as gan_head
