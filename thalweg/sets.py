"""tf.sets: sets in the rows of tensors."""

from thalweg._src.ops.sparse_tensors.sets import set_difference as difference
from thalweg._src.ops.sparse_tensors.sets import set_difference as set_difference
from thalweg._src.ops.sparse_tensors.sets import set_intersection as intersection
from thalweg._src.ops.sparse_tensors.sets import set_intersection as set_intersection
from thalweg._src.ops.sparse_tensors.sets import set_size as set_size
from thalweg._src.ops.sparse_tensors.sets import set_size as size
from thalweg._src.ops.sparse_tensors.sets import set_union as set_union
from thalweg._src.ops.sparse_tensors.sets import set_union as union
