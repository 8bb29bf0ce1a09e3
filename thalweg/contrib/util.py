"""tf.contrib.util: values of tensors as messages and back, and the ops that a graph uses."""

from thalweg._src.core.infer import get_static_value as constant_value
from thalweg._src.core.tensor_protos import make_ndarray as make_ndarray
from thalweg._src.core.tensor_protos import make_tensor_proto as make_tensor_proto
from thalweg._src.lib.meta_graph import ops_used_by_graph_def as ops_used_by_graph_def
from thalweg._src.lib.meta_graph import stripped_op_list_for_graph as stripped_op_list_for_graph
