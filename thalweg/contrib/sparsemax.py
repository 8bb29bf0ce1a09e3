"""tf.contrib.sparsemax: a softmax with zeros, and its loss."""

from thalweg._src.contrib.sparsemax import sparsemax as sparsemax
from thalweg._src.contrib.sparsemax import sparsemax_loss as sparsemax_loss
