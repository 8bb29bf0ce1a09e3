"""tf.linalg: matrices."""

from thalweg._src.ops.clip import global_norm as global_norm
from thalweg._src.ops.einsum import einsum as einsum
from thalweg._src.ops.matmul import cross as cross
from thalweg._src.ops.matmul import matmul as matmul
from thalweg._src.ops.matmul import matvec as matvec
from thalweg._src.ops.matmul import tensordot as tensordot
from thalweg._src.ops.matmul import trace as trace
