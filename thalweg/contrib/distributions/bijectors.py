"""tf.contrib.distributions.bijectors: invertible functions."""

from thalweg._src.contrib.bijectors import AffineScalar as AffineScalar
from thalweg._src.contrib.bijectors import Bijector as Bijector
from thalweg._src.contrib.bijectors import Chain as Chain
from thalweg._src.contrib.bijectors import Exp as Exp
from thalweg._src.contrib.bijectors import Identity as Identity
from thalweg._src.contrib.bijectors import Inline as Inline
from thalweg._src.contrib.bijectors import Invert as Invert
from thalweg._src.contrib.bijectors import PowerTransform as PowerTransform
from thalweg._src.contrib.bijectors import Sigmoid as Sigmoid
from thalweg._src.contrib.bijectors import Softplus as Softplus
