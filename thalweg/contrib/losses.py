"""tf.contrib.losses: the losses of 0.x."""

from thalweg._src.contrib.losses import metric_learning as metric_learning
from thalweg._src.contrib.losses.losses import absolute_difference as absolute_difference
from thalweg._src.contrib.losses.losses import add_loss as add_loss
from thalweg._src.contrib.losses.losses import compute_weighted_loss as compute_weighted_loss
from thalweg._src.contrib.losses.losses import cosine_distance as cosine_distance
from thalweg._src.contrib.losses.losses import get_losses as get_losses
from thalweg._src.contrib.losses.losses import get_regularization_losses as get_regularization_losses
from thalweg._src.contrib.losses.losses import get_total_loss as get_total_loss
from thalweg._src.contrib.losses.losses import hinge_loss as hinge_loss
from thalweg._src.contrib.losses.losses import log_loss as log_loss
from thalweg._src.contrib.losses.losses import mean_pairwise_squared_error as mean_pairwise_squared_error
from thalweg._src.contrib.losses.losses import mean_squared_error as mean_squared_error
from thalweg._src.contrib.losses.losses import sigmoid_cross_entropy as sigmoid_cross_entropy
from thalweg._src.contrib.losses.losses import softmax_cross_entropy as softmax_cross_entropy
from thalweg._src.contrib.losses.losses import sparse_softmax_cross_entropy as sparse_softmax_cross_entropy
