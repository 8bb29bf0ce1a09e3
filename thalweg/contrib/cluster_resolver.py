"""tf.contrib.cluster_resolver: where the tasks of a cluster are."""

from thalweg._src.lib.cluster_resolvers import ClusterResolver as ClusterResolver
from thalweg._src.lib.cluster_resolvers import SimpleClusterResolver as SimpleClusterResolver
from thalweg._src.lib.cluster_resolvers import TFConfigClusterResolver as TFConfigClusterResolver
from thalweg._src.lib.cluster_resolvers import TPUClusterResolver as TPUClusterResolver
