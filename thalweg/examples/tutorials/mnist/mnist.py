"""The network of the tutorial on TensorFlow's mechanics."""

from thalweg._src.contrib.models.mnist import IMAGE_PIXELS as IMAGE_PIXELS
from thalweg._src.contrib.models.mnist import IMAGE_SIZE as IMAGE_SIZE
from thalweg._src.contrib.models.mnist import NUM_CLASSES as NUM_CLASSES
from thalweg._src.contrib.models.mnist import evaluation as evaluation
from thalweg._src.contrib.models.mnist import inference as inference
from thalweg._src.contrib.models.mnist import loss as loss
from thalweg._src.contrib.models.mnist import training as training
