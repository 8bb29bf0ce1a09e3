"""An iterator whose elements go to several devices in turn, and threads of a dataset's own."""

from collections.abc import Sequence
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.graph import Operation
from thalweg._src.lib import nesting
from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.lib.data.options import Options
from thalweg._src.ops import basic


class MultiDeviceIterator:
    """The elements of `dataset`, dealt to `devices`: the first to the first one, the second to the second one, and so on."""

    def __init__(
        self,
        dataset: Dataset,
        devices: Sequence[str],
        max_buffer_size: int = 1,
        prefetch_buffer_size: int = 1,
        source_device: str = "/cpu:0",
    ):
        """Elements wait in a buffer of `prefetch_buffer_size` for each device; the larger of both sizes counts."""
        room = max(max_buffer_size, prefetch_buffer_size) * len(devices)
        self._devices = list(devices)
        with scopes.device(source_device):
            self._iterator = (dataset.prefetch(room) if room else dataset).make_initializable_iterator()

    @property
    def initializer(self) -> Operation:
        """The operation that begins with the first element."""
        return self._iterator.initializer

    @property
    def element_spec(self) -> Any:
        """What an element is made of."""
        return self._iterator.element_spec

    def get_next(self, device: str | None = None) -> Any:
        """The next element of every device, in a list; of one device, where it is given, itself.

        A device's element is read after those of the devices before it, so a step that fetches one device's reads theirs too.
        """
        elements: list[Any] = []
        for place in self._devices if device is None else self._devices[: self._devices.index(device) + 1]:
            before = nesting.flatten(elements[-1:], expand_composites=True)
            with basic.control_dependencies(before), scopes.device(place):
                elements.append(self._iterator.get_next())
        return elements if device is None else elements[-1]


class PrivateThreadPool:
    """Threads for one dataset: `num_threads` of them."""

    def __init__(self, num_threads: int, display_name: str | None = None, max_intra_op_parallelism: int = 1):
        self.num_threads, self.display_name, self.max_intra_op_parallelism = (
            num_threads,
            display_name,
            max_intra_op_parallelism,
        )


def override_threadpool(dataset: Dataset, thread_pool: PrivateThreadPool) -> Dataset:
    """`dataset`, whose work is done by those threads."""
    options = Options()
    options.experimental_threading.private_threadpool_size = thread_pool.num_threads
    return dataset.with_options(options)
