"""tensorflow.python.estimator.inputs.queues: queues that are fed with arrays, tables and generators."""

from thalweg._src.lib.estimators.feeding import FeedingQueueRunner as FeedingQueueRunner
from thalweg._src.lib.estimators.feeding import FeedingQueueRunner as _FeedingQueueRunner
from thalweg._src.lib.estimators.feeding import enqueue_data as _enqueue_data
from thalweg._src.lib.estimators.feeding import enqueue_data as enqueue_data
