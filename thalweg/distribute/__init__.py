"""tf.distribute: servers of a cluster, and the default strategy, of one replica."""

from thalweg._src.lib.distributing import MirroredStrategy as MirroredStrategy
from thalweg._src.lib.distributing import OneDeviceStrategy as OneDeviceStrategy
from thalweg._src.lib.distributing import ReduceOp as ReduceOp
from thalweg._src.lib.distributing import ReplicaContext as ReplicaContext
from thalweg._src.lib.distributing import Strategy as Strategy
from thalweg._src.lib.distributing import get_loss_reduction as get_loss_reduction
from thalweg._src.lib.distributing import get_replica_context as get_replica_context
from thalweg._src.lib.distributing import get_strategy as get_strategy
from thalweg._src.lib.distributing import has_strategy as has_strategy
from thalweg._src.lib.distributing import in_cross_replica_context as in_cross_replica_context
from thalweg._src.lib.server import Server as Server
from thalweg.distribute import cluster_resolver as cluster_resolver
