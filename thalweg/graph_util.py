"""tf.graph_util: parts of graphs, and graphs without variables or training."""

from thalweg._src.core.graph_import import import_graph_def as import_graph_def
from thalweg._src.lib.subgraphs import convert_variables_to_constants as convert_variables_to_constants
from thalweg._src.lib.subgraphs import extract_sub_graph as extract_sub_graph
from thalweg._src.lib.subgraphs import must_run_on_cpu as must_run_on_cpu
from thalweg._src.lib.subgraphs import remove_training_nodes as remove_training_nodes
from thalweg._src.lib.subgraphs import tensor_shape_from_node_def_name as tensor_shape_from_node_def_name
