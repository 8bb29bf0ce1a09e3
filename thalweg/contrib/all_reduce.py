"""tf.contrib.all_reduce: the tensors of several devices made one."""

from thalweg._src.lib.all_reduce import build_nccl_all_reduce as build_nccl_all_reduce
from thalweg._src.lib.all_reduce import build_nccl_then_recursive_hd as build_nccl_then_recursive_hd
from thalweg._src.lib.all_reduce import build_nccl_then_ring as build_nccl_then_ring
from thalweg._src.lib.all_reduce import build_nccl_then_shuffle as build_nccl_then_shuffle
from thalweg._src.lib.all_reduce import build_recursive_hd_all_reduce as build_recursive_hd_all_reduce
from thalweg._src.lib.all_reduce import build_ring_all_reduce as build_ring_all_reduce
from thalweg._src.lib.all_reduce import build_shuffle_all_reduce as build_shuffle_all_reduce
from thalweg._src.lib.all_reduce import build_shuffle_then_ring as build_shuffle_then_ring
from thalweg._src.lib.all_reduce import build_shuffle_then_shuffle as build_shuffle_then_shuffle
