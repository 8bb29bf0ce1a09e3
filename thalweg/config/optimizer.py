"""tf.config.optimizer: options of the graph optimizer."""

from thalweg._src.lib.configuring import get_experimental_options as get_experimental_options
from thalweg._src.lib.configuring import get_jit as get_jit
from thalweg._src.lib.configuring import set_experimental_options as set_experimental_options
from thalweg._src.lib.configuring import set_jit as set_jit
