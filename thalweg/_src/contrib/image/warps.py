"""tf.contrib.image: images bent by flows, flows between a few points, and regions of images."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant, ones_like, zeros
from thalweg._src.ops.images import matching
from thalweg._src.ops.late import array, math
from thalweg._src.ops.linear.linalg import eye
from thalweg._src.ops.linear.linear_systems import matrix_solve
from thalweg._src.ops.reports.checks import assert_equal, assert_greater_equal

SMALL = 1e-10


def bipartite_match(
    distance_mat: Any, num_valid_rows: Any, top_k: int = -1, name: str | None = "bipartite_match"
) -> tuple[Tensor, Tensor]:
    """The column of each row and the row of each column, nearest pairs first; -1 where there is none."""
    return matching.bipartite_match(distance_mat, num_valid_rows, top_k=top_k, name=name)


def connected_components(images: Any) -> Tensor:
    """Numbers of the regions of equal pixels in [height, width] or [batch, height, width]; 0 where a pixel is zero.

    Raises TypeError for another rank.
    """
    with name_scope("connected_components"):
        images = to_tensor(images, name="images")
        rank = images.get_shape().ndims
        if rank not in (2, 3):
            raise TypeError(f"images should have rank 2 (HW) or 3 (NHW). Static shape is {images.get_shape()}")
        batch = images[None, :, :] if rank == 2 else images
        regions = math.cast(matching.image_connected_components(batch), dtypes.int32)
        return regions[0, :, :] if rank == 2 else regions


def interpolate_bilinear(
    grid: Any, query_points: Any, name: str = "interpolate_bilinear", indexing: str = "ij"
) -> Tensor:
    """[batch, n, channels]: values of `grid` [batch, height, width, channels] between its points, at [batch, n, 2].

    A point outside takes the nearest border. Raises ValueError where `grid` has another rank or for unknown `indexing`.
    """
    if indexing not in ("ij", "xy"):
        raise ValueError("Indexing mode must be 'ij' or 'xy'")
    with name_scope(name):
        grid, points = to_tensor(grid), to_tensor(query_points)
        if grid.get_shape().ndims != 4:
            raise ValueError(f"Grid must be 4 dimensional. Received size: {grid.get_shape()}")
        batch, height, width, channels = (array.shape(grid)[i] for i in range(4))
        graph = get_default_graph()
        wide_enough = [
            assert_equal(array.rank(points), 3, message="Query points must be 3 dimensional."),
            assert_equal(array.shape(points)[2], 2, message="Query points must be size 2 in dim 2."),
            assert_greater_equal(height, 2, message="Grid height must be at least 2."),
            assert_greater_equal(width, 2, message="Grid width must be at least 2."),
        ]
        with graph.control_dependencies(wide_enough):
            count = array.shape(points)[1]
            along = array.unstack(points, axis=2)
        low, share = {}, {}
        for axis, size, queries in zip(indexing, (height, width), along[:: 1 if indexing == "ij" else -1], strict=True):
            last = math.cast(size - 2, points.dtype)
            floor = math.minimum(math.maximum(constant(0.0, points.dtype), math.floor(queries)), last)
            low[axis] = math.cast(floor, dtypes.int32)
            between = math.cast(queries - floor, grid.dtype)
            one = constant(1.0, grid.dtype)
            share[axis] = array.expand_dims(math.minimum(math.maximum(constant(0.0, grid.dtype), between), one), 2)
        row, column = low[indexing[0]], low[indexing[1]]
        down, right = share[indexing[0]], share[indexing[1]]
        flat = array.reshape(grid, array.stack([batch * height * width, channels]))
        first = array.reshape(math.range(batch) * height * width, [-1, 1])

        def at(y: Any, x: Any) -> Any:
            return array.reshape(array.gather(flat, first + y * width + x), array.stack([batch, count, channels]))

        above = right * (at(row, column + 1) - at(row, column)) + at(row, column)
        below = right * (at(row + 1, column + 1) - at(row + 1, column)) + at(row + 1, column)
        return down * (below - above) + above


def dense_image_warp(image: Any, flow: Any, name: str = "dense_image_warp") -> Tensor:
    """[batch, height, width, channels]: at each pixel what `image` has at the pixel minus its `flow` (rows, columns)."""
    with name_scope(name):
        image, flow = to_tensor(image), to_tensor(flow)
        batch, height, width, channels = (array.shape(image)[i] for i in range(4))
        x, y = array.meshgrid(math.range(width), math.range(height))
        places = array.expand_dims(math.cast(array.stack([y, x], axis=2), flow.dtype), 0)
        points = array.reshape(places - flow, array.stack([batch, height * width, 2]))
        bent = interpolate_bilinear(image, points)
        bent = array.reshape(bent, array.stack([batch, height, width, channels]))
        bent.set_shape(image.get_shape())
        return bent


def _radial(r: Any, order: int) -> Any:
    """The basis function of polyharmonic splines of a squared distance."""
    if order == 1:
        return math.sqrt(math.maximum(r, SMALL))
    if order in (2, 4):
        power = r if order == 2 else math.square(r)
        return 0.5 * power * math.log(math.maximum(r, SMALL))
    r = math.maximum(r, SMALL)
    power = math.pow(r, 0.5 * order)
    return 0.5 * power * math.log(r) if order % 2 == 0 else power


def _squared_distances(x: Any, y: Any) -> Any:
    """[batch, n, m] between the points [batch, n, d] and [batch, m, d]."""
    lengths = array.expand_dims(math.reduce_sum(math.square(x), 2), 2)
    others = array.expand_dims(math.reduce_sum(math.square(y), 2), 1)
    return lengths - 2 * math.matmul(x, y, adjoint_b=True) + others


def _with_one(points: Any) -> Any:
    return array.concat([points, ones_like(points[..., :1])], 2)


def interpolate_spline(
    train_points: Any,
    train_values: Any,
    query_points: Any,
    order: int,
    regularization_weight: float = 0.0,
    name: str = "interpolate_spline",
) -> Tensor:
    """[batch, m, k]: a polyharmonic spline through `train_values` [batch, n, k] at [batch, n, d], at [batch, m, d].

    Raises ValueError where d or k is not known.
    """
    with name_scope(name):
        points, values, queries = to_tensor(train_points), to_tensor(train_values), to_tensor(query_points)
        batch, n = array.shape(points)[0], array.shape(points)[1]
        d, k = points.get_shape().as_list()[-1], values.get_shape().as_list()[-1]
        if d is None:
            raise ValueError("The dimensionality of the input points (d) must be statically-inferrable.")
        if k is None:
            raise ValueError("The dimensionality of the output values (k) must be statically-inferrable.")
        with name_scope("solve"):
            basis = _radial(_squared_distances(points, points), order)
            if regularization_weight > 0:
                basis += regularization_weight * array.expand_dims(eye(n, dtype=points.dtype), 0)
            plane = _with_one(points)
            corner = zeros(array.stack([batch, d + 1, d + 1]), points.dtype)
            left = array.concat([basis, array.transpose(plane, [0, 2, 1])], 1)
            matrix = array.concat([left, array.concat([plane, corner], 1)], 2)
            wanted = array.concat([values, zeros(array.stack([batch, d + 1, k]), points.dtype)], 1)
            weights = matrix_solve(matrix, wanted)
        with name_scope("predict"):
            curved = math.matmul(_radial(_squared_distances(queries, points), order), weights[:, :n, :])
            return curved + math.matmul(_with_one(queries), weights[:, n:, :])


def _on_border(height: int, width: int, per_edge: int) -> Any:
    """Places on the border of an image, `per_edge` on each edge beside the corners: [n, 2]."""
    y, x = np.meshgrid(np.linspace(0, height - 1, per_edge + 2), np.linspace(0, width - 1, per_edge + 2), indexing="ij")
    border = (x == 0) | (x == width - 1) | (y == 0) | (y == height - 1)
    return np.stack([y[border], x[border]], axis=-1)


def sparse_image_warp(
    image: Any,
    source_control_point_locations: Any,
    dest_control_point_locations: Any,
    interpolation_order: int = 2,
    regularization_weight: float = 0.0,
    num_boundary_points: int = 0,
    name: str = "sparse_image_warp",
) -> tuple[Tensor, Tensor]:
    """`image` bent so that the source points come to lie on the destination points, and the flow that did it.

    The flow between the points is a spline; `num_boundary_points` on each edge of the image hold it still there.
    """
    image = to_tensor(image)
    sources, targets = to_tensor(source_control_point_locations), to_tensor(dest_control_point_locations)
    flows = targets - sources
    with name_scope(name):
        batch, height, width, _ = image.get_shape().as_list()
        y, x = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
        pixels = np.stack([y, x], -1).reshape(1, height * width, 2)
        places = constant(np.tile(pixels, (batch, 1, 1)), image.dtype.base_dtype)
        if num_boundary_points > 0:
            border = np.tile(_on_border(height, width, num_boundary_points - 1)[None], (batch, 1, 1))
            targets = array.concat([targets, constant(border, targets.dtype.base_dtype)], 1)
            flows = array.concat([flows, constant(np.zeros_like(border), targets.dtype.base_dtype)], 1)
        flat = interpolate_spline(targets, flows, places, interpolation_order, regularization_weight)
        flow = array.reshape(flat, [batch, height, width, 2])
        return dense_image_warp(image, flow), flow
