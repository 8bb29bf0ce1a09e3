"""tf.contrib.staging: tensors that wait for a later step."""

from thalweg._src.ops.queueing.staging_api import MapStagingArea as MapStagingArea
from thalweg._src.ops.queueing.staging_api import StagingArea as StagingArea
