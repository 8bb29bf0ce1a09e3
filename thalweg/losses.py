"""tf.losses: a scalar to minimize, from labels and what a model made of them."""

from thalweg._src.lib.losses import Reduction as Reduction
from thalweg._src.lib.losses import absolute_difference as absolute_difference
from thalweg._src.lib.losses import add_loss as add_loss
from thalweg._src.lib.losses import compute_weighted_loss as compute_weighted_loss
from thalweg._src.lib.losses import cosine_distance as cosine_distance
from thalweg._src.lib.losses import get_losses as get_losses
from thalweg._src.lib.losses import get_regularization_loss as get_regularization_loss
from thalweg._src.lib.losses import get_regularization_losses as get_regularization_losses
from thalweg._src.lib.losses import get_total_loss as get_total_loss
from thalweg._src.lib.losses import hinge_loss as hinge_loss
from thalweg._src.lib.losses import huber_loss as huber_loss
from thalweg._src.lib.losses import log_loss as log_loss
from thalweg._src.lib.losses import mean_pairwise_squared_error as mean_pairwise_squared_error
from thalweg._src.lib.losses import mean_squared_error as mean_squared_error
from thalweg._src.lib.losses import sigmoid_cross_entropy as sigmoid_cross_entropy
from thalweg._src.lib.losses import softmax_cross_entropy as softmax_cross_entropy
from thalweg._src.lib.losses import sparse_softmax_cross_entropy as sparse_softmax_cross_entropy
