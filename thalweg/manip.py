"""Ops that move elements: `tf.manip`."""

from thalweg._src.ops.blocks import batch_to_space_nd as batch_to_space_nd
from thalweg._src.ops.blocks import space_to_batch_nd as space_to_batch_nd
from thalweg._src.ops.gathering import gather_nd as gather_nd
from thalweg._src.ops.padding import tile as tile
from thalweg._src.ops.scattering import scatter_nd as scatter_nd
from thalweg._src.ops.shaping import reshape as reshape
from thalweg._src.ops.transposing import reverse as reverse
from thalweg._src.ops.transposing import roll as roll
