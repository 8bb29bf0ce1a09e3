"""tf.contrib.slim.prefetch_queue."""

from thalweg._src.contrib.slim.data.parallel_reader import prefetch_queue as prefetch_queue
