"""tensorflow.python.ops.data_flow_ops, as far as no public name leads there."""

from thalweg._src.ops.queueing.barriers import Barrier as Barrier
from thalweg._src.ops.queueing.staging_api import BaseStagingArea as BaseStagingArea
from thalweg._src.ops.queueing.staging_api import MapStagingArea as MapStagingArea
from thalweg._src.ops.queueing.staging_api import StagingArea as StagingArea
