"""Ops that move elements: `tf.manip`."""

from thalweg._src.ops.arrays.blocks import batch_to_space_nd as batch_to_space_nd
from thalweg._src.ops.arrays.blocks import space_to_batch_nd as space_to_batch_nd
from thalweg._src.ops.arrays.gathering import gather_nd as gather_nd
from thalweg._src.ops.arrays.padding import tile as tile
from thalweg._src.ops.arrays.scattering import scatter_nd as scatter_nd
from thalweg._src.ops.arrays.shaping import reshape as reshape
from thalweg._src.ops.arrays.transposing import reverse as reverse
from thalweg._src.ops.arrays.transposing import roll as roll
