"""tf.config: devices and switches of the process."""

from thalweg._src.lib.configuring import get_soft_device_placement as get_soft_device_placement
from thalweg._src.lib.configuring import list_devices as experimental_list_devices
from thalweg._src.lib.configuring import set_soft_device_placement as set_soft_device_placement
from thalweg.config import experimental as experimental
from thalweg.config import optimizer as optimizer
from thalweg.config import threading as threading
