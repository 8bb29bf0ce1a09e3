"""tf.nn: the ops of neural networks."""

from thalweg._src.ops.activations import bias_add as bias_add
from thalweg._src.ops.activations import bias_add_v1 as bias_add_v1
from thalweg._src.ops.activations import crelu as crelu
from thalweg._src.ops.activations import elu as elu
from thalweg._src.ops.activations import leaky_relu as leaky_relu
from thalweg._src.ops.activations import relu as relu
from thalweg._src.ops.activations import relu6 as relu6
from thalweg._src.ops.activations import relu_layer as relu_layer
from thalweg._src.ops.activations import selu as selu
from thalweg._src.ops.activations import softplus as softplus
from thalweg._src.ops.activations import softsign as softsign
from thalweg._src.ops.activations import xw_plus_b as xw_plus_b
from thalweg._src.ops.activations import xw_plus_b_v1 as xw_plus_b_v1
from thalweg._src.ops.convolution_api import atrous_conv2d_transpose as atrous_conv2d_transpose
from thalweg._src.ops.convolution_api import conv1d as conv1d
from thalweg._src.ops.convolution_api import conv1d_transpose as conv1d_transpose
from thalweg._src.ops.convolution_api import conv2d as conv2d
from thalweg._src.ops.convolution_api import conv2d_backprop_filter as conv2d_backprop_filter
from thalweg._src.ops.convolution_api import conv2d_backprop_input as conv2d_backprop_input
from thalweg._src.ops.convolution_api import conv2d_transpose as conv2d_transpose
from thalweg._src.ops.convolution_api import conv3d as conv3d
from thalweg._src.ops.convolution_api import conv3d_backprop_filter as conv3d_backprop_filter
from thalweg._src.ops.convolution_api import conv3d_backprop_filter as conv3d_backprop_filter_v2
from thalweg._src.ops.convolution_api import conv3d_transpose as conv3d_transpose
from thalweg._src.ops.convolution_api import conv_transpose as conv_transpose
from thalweg._src.ops.pooling_api import avg_pool as avg_pool
from thalweg._src.ops.pooling_api import avg_pool as avg_pool2d
from thalweg._src.ops.pooling_api import avg_pool1d as avg_pool1d
from thalweg._src.ops.pooling_api import avg_pool3d as avg_pool3d
from thalweg._src.ops.pooling_api import avg_pool_v2 as avg_pool_v2
from thalweg._src.ops.pooling_api import max_pool as max_pool
from thalweg._src.ops.pooling_api import max_pool1d as max_pool1d
from thalweg._src.ops.pooling_api import max_pool2d as max_pool2d
from thalweg._src.ops.pooling_api import max_pool3d as max_pool3d
from thalweg._src.ops.pooling_api import max_pool_v2 as max_pool_v2
from thalweg._src.ops.pooling_api import max_pool_with_argmax as max_pool_with_argmax
from thalweg._src.ops.softmax import log_poisson_loss as log_poisson_loss
from thalweg._src.ops.softmax import log_softmax as log_softmax
from thalweg._src.ops.softmax import sigmoid_cross_entropy_with_logits as sigmoid_cross_entropy_with_logits
from thalweg._src.ops.softmax import softmax as softmax
from thalweg._src.ops.softmax import softmax_cross_entropy_with_logits as softmax_cross_entropy_with_logits
from thalweg._src.ops.softmax import softmax_cross_entropy_with_logits_v2 as softmax_cross_entropy_with_logits_v2
from thalweg._src.ops.softmax import (
    sparse_softmax_cross_entropy_with_logits as sparse_softmax_cross_entropy_with_logits,
)
from thalweg._src.ops.softmax import weighted_cross_entropy_with_logits as weighted_cross_entropy_with_logits
