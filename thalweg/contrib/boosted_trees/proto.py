"""tf.contrib.boosted_trees.proto: how trees are grown, as messages."""

from thalweg._src.contrib.boosted_trees import learner as learner_pb2

__all__ = ["learner_pb2"]
