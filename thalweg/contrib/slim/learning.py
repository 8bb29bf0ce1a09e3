"""tf.contrib.slim.learning: training."""

from thalweg._src.contrib.slim.learning import add_gradients_summaries as add_gradients_summaries
from thalweg._src.contrib.slim.learning import create_train_op as create_train_op
from thalweg._src.contrib.slim.learning import train as train
from thalweg._src.contrib.slim.learning import train_step as train_step
from thalweg._src.contrib.training.training import clip_gradient_norms as clip_gradient_norms
from thalweg._src.contrib.training.training import multiply_gradients as multiply_gradients
