"""tf.contrib.graph_editor.util: lists of operations and tensors, and placeholders for tensors."""

from thalweg._src.contrib.graph_editor.lists import ControlOutputs as ControlOutputs
from thalweg._src.contrib.graph_editor.lists import ListView as ListView
from thalweg._src.contrib.graph_editor.lists import check_graphs as check_graphs
from thalweg._src.contrib.graph_editor.lists import concatenate_unique as concatenate_unique
from thalweg._src.contrib.graph_editor.lists import get_consuming_ops as get_consuming_ops
from thalweg._src.contrib.graph_editor.lists import get_generating_ops as get_generating_ops
from thalweg._src.contrib.graph_editor.lists import get_tensors as get_tensors
from thalweg._src.contrib.graph_editor.lists import get_unique_graph as get_unique_graph
from thalweg._src.contrib.graph_editor.lists import is_iterable as is_iterable
from thalweg._src.contrib.graph_editor.lists import make_list_of_op as make_list_of_op
from thalweg._src.contrib.graph_editor.lists import make_list_of_t as make_list_of_t
from thalweg._src.contrib.graph_editor.placeholders import (
    make_placeholder_from_dtype_and_shape as make_placeholder_from_dtype_and_shape,
)
from thalweg._src.contrib.graph_editor.placeholders import make_placeholder_from_tensor as make_placeholder_from_tensor
from thalweg._src.contrib.graph_editor.placeholders import placeholder_name as placeholder_name
from thalweg._src.contrib.graph_editor.placeholders import scope_basename as scope_basename
from thalweg._src.contrib.graph_editor.placeholders import scope_dirname as scope_dirname
from thalweg._src.contrib.graph_editor.placeholders import scope_finalize as scope_finalize
from thalweg._src.contrib.graph_editor.transform import transform_tree as transform_tree
