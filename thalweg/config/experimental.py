"""tf.config.experimental: devices."""

from thalweg._src.lib.configuring import VirtualDeviceConfiguration as VirtualDeviceConfiguration
from thalweg._src.lib.configuring import get_device_policy as get_device_policy
from thalweg._src.lib.configuring import get_memory_growth as get_memory_growth
from thalweg._src.lib.configuring import get_synchronous_execution as get_synchronous_execution
from thalweg._src.lib.configuring import get_virtual_device_configuration as get_virtual_device_configuration
from thalweg._src.lib.configuring import get_visible_devices as get_visible_devices
from thalweg._src.lib.configuring import list_logical_devices as list_logical_devices
from thalweg._src.lib.configuring import list_physical_devices as list_physical_devices
from thalweg._src.lib.configuring import set_device_policy as set_device_policy
from thalweg._src.lib.configuring import set_memory_growth as set_memory_growth
from thalweg._src.lib.configuring import set_synchronous_execution as set_synchronous_execution
from thalweg._src.lib.configuring import set_virtual_device_configuration as set_virtual_device_configuration
from thalweg._src.lib.configuring import set_visible_devices as set_visible_devices
