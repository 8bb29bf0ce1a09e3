"""tf.contrib.model_pruning: networks that lose weights while they learn."""

from thalweg._src.contrib.model_pruning.layers import MaskedBasicLSTMCell as MaskedBasicLSTMCell
from thalweg._src.contrib.model_pruning.layers import MaskedLSTMCell as MaskedLSTMCell
from thalweg._src.contrib.model_pruning.layers import masked_conv2d as masked_conv2d
from thalweg._src.contrib.model_pruning.layers import masked_convolution as masked_convolution
from thalweg._src.contrib.model_pruning.layers import masked_fully_connected as masked_fully_connected
from thalweg._src.contrib.model_pruning.masks import apply_mask as apply_mask
from thalweg._src.contrib.model_pruning.masks import get_masked_weights as get_masked_weights
from thalweg._src.contrib.model_pruning.masks import get_masks as get_masks
from thalweg._src.contrib.model_pruning.masks import get_thresholds as get_thresholds
from thalweg._src.contrib.model_pruning.masks import get_weight_sparsity as get_weight_sparsity
from thalweg._src.contrib.model_pruning.masks import get_weights as get_weights
from thalweg._src.contrib.model_pruning.pruning import Pruning as Pruning
from thalweg._src.contrib.model_pruning.pruning import get_pruning_hparams as get_pruning_hparams
from thalweg._src.contrib.model_pruning.pruning import train as train
from thalweg._src.contrib.model_pruning.stripping import graph_def_from_checkpoint as graph_def_from_checkpoint
from thalweg._src.contrib.model_pruning.stripping import strip_pruning_vars_fn as strip_pruning_vars_fn
