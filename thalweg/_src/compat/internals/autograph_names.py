"""tensorflow.python.autograph: what tf.autograph and tf.contrib.autograph have, in one module."""

from thalweg._src.lib.autograph.api import Feature as Feature
from thalweg._src.lib.autograph.api import convert as convert
from thalweg._src.lib.autograph.api import do_not_convert as do_not_convert
from thalweg._src.lib.autograph.api import set_loop_options as set_loop_options
from thalweg._src.lib.autograph.api import set_verbosity as set_verbosity
from thalweg._src.lib.autograph.api import stack as stack
from thalweg._src.lib.autograph.api import to_code as to_code
from thalweg._src.lib.autograph.api import to_graph as to_graph
from thalweg._src.lib.autograph.api import trace as trace
