"""The functions of the array family in one place, for other families and the faces."""

from thalweg._src.ops.arrays.bits import bitcast as bitcast
from thalweg._src.ops.arrays.blocks import batch_to_space as batch_to_space
from thalweg._src.ops.arrays.blocks import batch_to_space_nd as batch_to_space_nd
from thalweg._src.ops.arrays.blocks import depth_to_space as depth_to_space
from thalweg._src.ops.arrays.blocks import required_space_to_batch_paddings as required_space_to_batch_paddings
from thalweg._src.ops.arrays.blocks import space_to_batch as space_to_batch
from thalweg._src.ops.arrays.blocks import space_to_batch_nd as space_to_batch_nd
from thalweg._src.ops.arrays.blocks import space_to_depth as space_to_depth
from thalweg._src.ops.arrays.constants import constant as constant
from thalweg._src.ops.arrays.constants import fill as fill
from thalweg._src.ops.arrays.constants import ones as ones
from thalweg._src.ops.arrays.constants import ones_like as ones_like
from thalweg._src.ops.arrays.constants import placeholder as placeholder
from thalweg._src.ops.arrays.constants import placeholder_with_default as placeholder_with_default
from thalweg._src.ops.arrays.constants import zeros as zeros
from thalweg._src.ops.arrays.constants import zeros_like as zeros_like
from thalweg._src.ops.arrays.diagonals import diag as diag
from thalweg._src.ops.arrays.diagonals import diag_part as diag_part
from thalweg._src.ops.arrays.diagonals import matrix_band_part as matrix_band_part
from thalweg._src.ops.arrays.diagonals import matrix_diag as matrix_diag
from thalweg._src.ops.arrays.diagonals import matrix_diag_part as matrix_diag_part
from thalweg._src.ops.arrays.diagonals import matrix_set_diag as matrix_set_diag
from thalweg._src.ops.arrays.distinct import listdiff as listdiff
from thalweg._src.ops.arrays.distinct import setdiff1d as setdiff1d
from thalweg._src.ops.arrays.distinct import unique as unique
from thalweg._src.ops.arrays.distinct import unique_with_counts as unique_with_counts
from thalweg._src.ops.arrays.gathering import batch_gather as batch_gather
from thalweg._src.ops.arrays.gathering import gather as gather
from thalweg._src.ops.arrays.gathering import gather_nd as gather_nd
from thalweg._src.ops.arrays.grids import meshgrid as meshgrid
from thalweg._src.ops.arrays.grids import repeat as repeat
from thalweg._src.ops.arrays.grids import unravel_index as unravel_index
from thalweg._src.ops.arrays.indexing import getitem as getitem
from thalweg._src.ops.arrays.indexing import newaxis as newaxis
from thalweg._src.ops.arrays.joining import concat as concat
from thalweg._src.ops.arrays.joining import split as split
from thalweg._src.ops.arrays.padding import pad as pad
from thalweg._src.ops.arrays.padding import tile as tile
from thalweg._src.ops.arrays.partitioning import dynamic_partition as dynamic_partition
from thalweg._src.ops.arrays.partitioning import dynamic_stitch as dynamic_stitch
from thalweg._src.ops.arrays.partitioning import parallel_dynamic_stitch as parallel_dynamic_stitch
from thalweg._src.ops.arrays.scattering import scatter_nd as scatter_nd
from thalweg._src.ops.arrays.scattering import tensor_scatter_add as tensor_scatter_add
from thalweg._src.ops.arrays.scattering import tensor_scatter_sub as tensor_scatter_sub
from thalweg._src.ops.arrays.scattering import tensor_scatter_update as tensor_scatter_update
from thalweg._src.ops.arrays.searching import searchsorted as searchsorted
from thalweg._src.ops.arrays.selecting import boolean_mask as boolean_mask
from thalweg._src.ops.arrays.selecting import one_hot as one_hot
from thalweg._src.ops.arrays.selecting import select as select
from thalweg._src.ops.arrays.selecting import sequence_mask as sequence_mask
from thalweg._src.ops.arrays.selecting import where as where
from thalweg._src.ops.arrays.selecting import where_v2 as where_v2
from thalweg._src.ops.arrays.shaping import broadcast_dynamic_shape as broadcast_dynamic_shape
from thalweg._src.ops.arrays.shaping import broadcast_to as broadcast_to
from thalweg._src.ops.arrays.shaping import ensure_shape as ensure_shape
from thalweg._src.ops.arrays.shaping import expand_dims as expand_dims
from thalweg._src.ops.arrays.shaping import rank as rank
from thalweg._src.ops.arrays.shaping import rank_internal as rank_internal
from thalweg._src.ops.arrays.shaping import reshape as reshape
from thalweg._src.ops.arrays.shaping import shape as shape
from thalweg._src.ops.arrays.shaping import shape_internal as shape_internal
from thalweg._src.ops.arrays.shaping import shape_n as shape_n
from thalweg._src.ops.arrays.shaping import size as size
from thalweg._src.ops.arrays.shaping import size_internal as size_internal
from thalweg._src.ops.arrays.shaping import squeeze as squeeze
from thalweg._src.ops.arrays.slicing import slice as slice
from thalweg._src.ops.arrays.slicing import strided_slice as strided_slice
from thalweg._src.ops.arrays.slicing import strided_slice_grad as strided_slice_grad
from thalweg._src.ops.arrays.stacking import parallel_stack as parallel_stack
from thalweg._src.ops.arrays.stacking import stack as stack
from thalweg._src.ops.arrays.stacking import unstack as unstack
from thalweg._src.ops.arrays.transposing import invert_permutation as invert_permutation
from thalweg._src.ops.arrays.transposing import matrix_transpose as matrix_transpose
from thalweg._src.ops.arrays.transposing import reverse as reverse
from thalweg._src.ops.arrays.transposing import reverse_sequence as reverse_sequence
from thalweg._src.ops.arrays.transposing import reverse_v2 as reverse_v2
from thalweg._src.ops.arrays.transposing import roll as roll
from thalweg._src.ops.arrays.transposing import transpose as transpose
from thalweg._src.ops.basic import guarantee_const as guarantee_const
from thalweg._src.ops.basic import identity as identity
from thalweg._src.ops.basic import identity_n as identity_n
from thalweg._src.ops.basic import stop_gradient as stop_gradient
from thalweg._src.ops.nets.fake_quantizing import fake_quant_with_min_max_args as fake_quant_with_min_max_args
from thalweg._src.ops.nets.fake_quantizing import (
    fake_quant_with_min_max_args_gradient as fake_quant_with_min_max_args_gradient,
)
from thalweg._src.ops.nets.fake_quantizing import fake_quant_with_min_max_vars as fake_quant_with_min_max_vars
from thalweg._src.ops.nets.fake_quantizing import (
    fake_quant_with_min_max_vars_gradient as fake_quant_with_min_max_vars_gradient,
)
from thalweg._src.ops.nets.fake_quantizing import (
    fake_quant_with_min_max_vars_per_channel as fake_quant_with_min_max_vars_per_channel,
)
from thalweg._src.ops.nets.fake_quantizing import (
    fake_quant_with_min_max_vars_per_channel_gradient as fake_quant_with_min_max_vars_per_channel_gradient,
)
from thalweg._src.ops.nets.fake_quantizing import quantize_and_dequantize as quantize_and_dequantize
from thalweg._src.ops.nets.quantizing import dequantize as dequantize
from thalweg._src.ops.nets.quantizing import quantize as quantize
from thalweg._src.ops.nets.quantizing import quantize_v2 as quantize_v2
from thalweg._src.ops.nets.quantizing import quantized_concat as quantized_concat
