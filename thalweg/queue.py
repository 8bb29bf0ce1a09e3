"""tf.queue: queues of tensors between threads."""

from thalweg._src.ops.queueing.queue_api import FIFOQueue as FIFOQueue
from thalweg._src.ops.queueing.queue_api import PaddingFIFOQueue as PaddingFIFOQueue
from thalweg._src.ops.queueing.queue_api import PriorityQueue as PriorityQueue
from thalweg._src.ops.queueing.queue_api import QueueBase as QueueBase
from thalweg._src.ops.queueing.queue_api import RandomShuffleQueue as RandomShuffleQueue
