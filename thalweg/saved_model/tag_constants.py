"""tf.saved_model.tag_constants: the tags of graphs."""

from thalweg._src.lib.saved_model.constants import GPU as GPU
from thalweg._src.lib.saved_model.constants import SERVING as SERVING
from thalweg._src.lib.saved_model.constants import TPU as TPU
from thalweg._src.lib.saved_model.constants import TRAINING as TRAINING
