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
