"""tf.contrib.distribute: strategies, each with one replica."""

from thalweg._src.contrib.distributing import CollectiveAllReduceStrategy as CollectiveAllReduceStrategy
from thalweg._src.contrib.distributing import MirroredStrategy as MirroredStrategy
from thalweg._src.contrib.distributing import ParameterServerStrategy as ParameterServerStrategy
from thalweg._src.lib.distributing import OneDeviceStrategy as OneDeviceStrategy
from thalweg._src.lib.distributing import ReplicaContext as ReplicaContext
from thalweg._src.lib.distributing import Strategy as DistributionStrategy
from thalweg._src.lib.distributing import get_loss_reduction as get_loss_reduction
from thalweg._src.lib.distributing import get_replica_context as get_replica_context
from thalweg._src.lib.distributing import get_strategy as get_distribution_strategy
from thalweg._src.lib.distributing import get_strategy as get_strategy
from thalweg._src.lib.distributing import has_strategy as has_distribution_strategy
from thalweg._src.lib.distributing import has_strategy as has_strategy
from thalweg._src.lib.distributing import in_cross_replica_context as in_cross_replica_context
