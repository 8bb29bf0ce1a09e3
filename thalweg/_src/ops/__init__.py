"""The ops, by family. Importing this package declares all of them; nothing else is imported for its side effect."""

from thalweg._src.ops import activations as activations
from thalweg._src.ops import array as array
from thalweg._src.ops import basic as basic
from thalweg._src.ops import constants as constants
from thalweg._src.ops import convolution as convolution
from thalweg._src.ops import normalization as normalization
from thalweg._src.ops import pooling as pooling
from thalweg._src.ops import softmax as softmax
from thalweg._src.ops import state as state
from thalweg._src.ops import transposing as transposing
