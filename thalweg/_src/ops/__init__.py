"""The ops, by family. Importing this package declares all of them; nothing else is imported for its side effect."""

from thalweg._src.ops import activations as activations
from thalweg._src.ops import arithmetic as arithmetic
from thalweg._src.ops import array as array
from thalweg._src.ops import basic as basic
from thalweg._src.ops import broadcasting as broadcasting
from thalweg._src.ops import casting as casting
from thalweg._src.ops import clip as clip
from thalweg._src.ops import compare as compare
from thalweg._src.ops import complex as complex
from thalweg._src.ops import constants as constants
from thalweg._src.ops import convolution as convolution
from thalweg._src.ops import cumulative as cumulative
from thalweg._src.ops import elementwise as elementwise
from thalweg._src.ops import matmul as matmul
from thalweg._src.ops import normalization as normalization
from thalweg._src.ops import operators as operators
from thalweg._src.ops import pooling as pooling
from thalweg._src.ops import ranges as ranges
from thalweg._src.ops import reduce as reduce
from thalweg._src.ops import segments as segments
from thalweg._src.ops import softmax as softmax
from thalweg._src.ops import state as state
from thalweg._src.ops import transposing as transposing
