"""tf.contrib.image: images turned, moved, bent and seen through projective transforms; regions and pairs."""

from thalweg._src.contrib.image.colors import adjust_hsv_in_yiq as adjust_hsv_in_yiq
from thalweg._src.contrib.image.colors import random_hsv_in_yiq as random_hsv_in_yiq
from thalweg._src.contrib.image.transforms import angles_to_projective_transforms as angles_to_projective_transforms
from thalweg._src.contrib.image.transforms import compose_transforms as compose_transforms
from thalweg._src.contrib.image.transforms import rotate as rotate
from thalweg._src.contrib.image.transforms import transform as transform
from thalweg._src.contrib.image.transforms import translate as translate
from thalweg._src.contrib.image.transforms import (
    translations_to_projective_transforms as translations_to_projective_transforms,
)
from thalweg._src.contrib.image.warps import bipartite_match as bipartite_match
from thalweg._src.contrib.image.warps import connected_components as connected_components
from thalweg._src.contrib.image.warps import dense_image_warp as dense_image_warp
from thalweg._src.contrib.image.warps import interpolate_spline as interpolate_spline
from thalweg._src.contrib.image.warps import sparse_image_warp as sparse_image_warp
from thalweg._src.ops.images.projecting import flat_transforms_to_matrices as flat_transforms_to_matrices
from thalweg._src.ops.images.projecting import matrices_to_flat_transforms as matrices_to_flat_transforms
