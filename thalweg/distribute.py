"""tf.distribute: servers of a cluster."""

from thalweg._src.lib.server import Server as Server
