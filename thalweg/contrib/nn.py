"""tf.contrib.nn: functions that did not make it into tf.nn."""

from thalweg._src.contrib.nn import alpha_dropout as alpha_dropout
from thalweg._src.contrib.nn import (
    deprecated_flipped_sigmoid_cross_entropy_with_logits as deprecated_flipped_sigmoid_cross_entropy_with_logits,
)
from thalweg._src.contrib.nn import (
    deprecated_flipped_softmax_cross_entropy_with_logits as deprecated_flipped_softmax_cross_entropy_with_logits,
)
from thalweg._src.contrib.nn import (
    deprecated_flipped_sparse_softmax_cross_entropy_with_logits as deprecated_flipped_sparse_softmax_cross_entropy_with_logits,
)
from thalweg._src.contrib.nn import scaled_softplus as scaled_softplus
from thalweg._src.contrib.sampling_losses import rank_sampled_softmax_loss as rank_sampled_softmax_loss
from thalweg._src.contrib.sampling_losses import sampled_sparse_softmax_loss as sampled_sparse_softmax_loss
from thalweg._src.ops.arrays.topk import nth_element as nth_element
from thalweg._src.ops.nets.convolution_api import conv1d_transpose as conv1d_transpose
