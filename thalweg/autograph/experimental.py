"""tf.autograph.experimental."""

from thalweg._src.lib.autograph import Feature as Feature
from thalweg._src.lib.autograph import do_not_convert as do_not_convert
from thalweg._src.lib.autograph import set_loop_options as set_loop_options
