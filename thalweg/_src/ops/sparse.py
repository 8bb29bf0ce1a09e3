"""The functions of sparse tensors in one place, for other families and the faces."""

from thalweg._src.core.sparse_tensor import SparseTensor as SparseTensor
from thalweg._src.core.sparse_tensor import SparseTensorValue as SparseTensorValue
from thalweg._src.core.sparse_tensor import convert_to_tensor_or_sparse_tensor as convert_to_tensor_or_sparse_tensor
from thalweg._src.core.sparse_tensor import is_sparse as is_sparse
from thalweg._src.core.sparse_tensor import to_sparse_tensor as to_sparse_tensor
from thalweg._src.ops.sparse_tensors.sparse_arithmetic import sparse_add as sparse_add
from thalweg._src.ops.sparse_tensors.sparse_arithmetic import sparse_maximum as sparse_maximum
from thalweg._src.ops.sparse_tensors.sparse_arithmetic import sparse_minimum as sparse_minimum
from thalweg._src.ops.sparse_tensors.sparse_arithmetic import sparse_softmax as sparse_softmax
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_expand_dims as sparse_expand_dims
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_eye as sparse_eye
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_mask as sparse_mask
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_merge as sparse_merge
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_placeholder as sparse_placeholder
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_reorder as sparse_reorder
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_reshape as sparse_reshape
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_transpose as sparse_transpose
from thalweg._src.ops.sparse_tensors.sparse_cross import sparse_cross as sparse_cross
from thalweg._src.ops.sparse_tensors.sparse_cross import sparse_cross_hashed as sparse_cross_hashed
from thalweg._src.ops.sparse_tensors.sparse_dense import from_dense as from_dense
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_dense_cwise_add as sparse_dense_cwise_add
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_tensor_dense_matmul as sparse_tensor_dense_matmul
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_tensor_to_dense as sparse_tensor_to_dense
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_to_dense as sparse_to_dense
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_to_indicator as sparse_to_indicator
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_concat as sparse_concat
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_fill_empty_rows as sparse_fill_empty_rows
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_reset_shape as sparse_reset_shape
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_retain as sparse_retain
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_slice as sparse_slice
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_split as sparse_split
from thalweg._src.ops.sparse_tensors.sparse_reduce import sparse_reduce_max as sparse_reduce_max
from thalweg._src.ops.sparse_tensors.sparse_reduce import sparse_reduce_max_sparse as sparse_reduce_max_sparse
from thalweg._src.ops.sparse_tensors.sparse_reduce import sparse_reduce_sum as sparse_reduce_sum
from thalweg._src.ops.sparse_tensors.sparse_reduce import sparse_reduce_sum_sparse as sparse_reduce_sum_sparse
from thalweg._src.ops.sparse_tensors.sparse_serial import (
    add_many_sparse_to_tensors_map as add_many_sparse_to_tensors_map,
)
from thalweg._src.ops.sparse_tensors.sparse_serial import add_sparse_to_tensors_map as add_sparse_to_tensors_map
from thalweg._src.ops.sparse_tensors.sparse_serial import deserialize_many_sparse as deserialize_many_sparse
from thalweg._src.ops.sparse_tensors.sparse_serial import deserialize_sparse as deserialize_sparse
from thalweg._src.ops.sparse_tensors.sparse_serial import serialize_many_sparse as serialize_many_sparse
from thalweg._src.ops.sparse_tensors.sparse_serial import serialize_sparse as serialize_sparse
from thalweg._src.ops.sparse_tensors.sparse_serial import (
    take_many_sparse_from_tensors_map as take_many_sparse_from_tensors_map,
)
