"""tf.contrib.gan.features: clipping, conditioning, pools, virtual batch normalization."""

from thalweg._src.contrib.gan.features import clip_discriminator_weights as clip_discriminator_weights
from thalweg._src.contrib.gan.features import clip_variables as clip_variables
from thalweg._src.contrib.gan.features import condition_tensor as condition_tensor
from thalweg._src.contrib.gan.features import condition_tensor_from_onehot as condition_tensor_from_onehot
from thalweg._src.contrib.gan.features import tensor_pool as tensor_pool
from thalweg._src.contrib.gan.virtual_batch_norm import VBN as VBN
