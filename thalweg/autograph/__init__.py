"""tf.autograph: marks and settings for the rewriting of functions, which are traced here."""

from thalweg._src.lib.autograph.api import set_verbosity as set_verbosity
from thalweg._src.lib.autograph.api import to_code as to_code
from thalweg._src.lib.autograph.api import to_graph as to_graph
from thalweg._src.lib.autograph.api import trace as trace
from thalweg.autograph import experimental as experimental
