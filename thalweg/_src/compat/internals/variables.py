"""tensorflow.python.ops.variables: the class of a variable in parts, which is public nowhere."""

from thalweg._src.ops.stateful.partitioned import PartitionedVariable as PartitionedVariable
