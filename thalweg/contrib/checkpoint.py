"""tf.contrib.checkpoint: checkpoints of objects."""

from thalweg._src.lib.tracking.manager import CheckpointManager as CheckpointManager
from thalweg._src.lib.tracking.object_graph import AutoTrackable as Checkpointable
from thalweg._src.lib.tracking.object_graph import NoDependency as NoDependency
from thalweg._src.lib.tracking.object_graph import Trackable as CheckpointableBase
