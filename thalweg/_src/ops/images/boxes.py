"""Bounding boxes: drawing them, and choosing random crops that hold enough of one."""

import itertools
from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import float16, float32, int8, int16, int32, int64, uint8
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Outputs, op, type_attr

T = type_attr("T", (float16, float32), float32)
S = type_attr("T", (uint8, int8, int16, int32, int64))
F = np.float32
PALETTE = [  # red, green, blue, alpha of the first ten boxes
    *([1, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 1], [0, 1, 0, 1], [0.5, 0, 0.5, 1]),
    *([0.5, 0.5, 0, 1], [0.5, 0, 0, 1], [0, 0, 0.5, 1], [0, 1, 1, 1], [1, 0, 1, 1]),
]


# -- drawing


def _drawn(images: Any, boxes: Any, colors: Any) -> Any:
    """The images with a frame of one pixel per box, later boxes over earlier ones; `colors` [n, channels] are used in turn."""
    _, height, width, _ = images.shape
    limits = np.array([height, width, height, width])
    edges = jnp.asarray(boxes * (limits - 1).astype(F)).astype(jnp.int32)  # towards zero
    rows, columns = jnp.arange(height)[:, None], jnp.arange(width)[None, :]

    def draw(i: Any, canvas: Any) -> Any:
        top, left, bottom, right = (edges[:, i, k][:, None, None] for k in range(4))
        visible = (top <= bottom) & (left <= right) & (top < height) & (bottom >= 0) & (left < width) & (right >= 0)
        inside = (rows >= top) & (rows <= bottom) & (columns >= left) & (columns <= right)
        frame = (rows == top) | (rows == bottom) | (columns == left) | (columns == right)
        return jnp.where((visible & inside & frame)[..., None], colors[i % colors.shape[0]], canvas)

    return lax.fori_loop(0, boxes.shape[1], draw, jnp.asarray(images))


def _check_drawing(images: Any, boxes: Any) -> None:
    check(images.ndim == 4, "The rank of the images should be 4")
    check(boxes.ndim == 3, "The rank of the boxes tensor should be 3")
    check(images.shape[0] == boxes.shape[0], "The batch sizes should be the same")
    check(images.shape[3] in (1, 3, 4), "Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA)")


@op("DrawBoundingBoxes")
def draw_bounding_boxes_op(images: T, boxes: float32) -> T:
    """Images [batch, height, width, channels] with the frames of boxes [batch, n, (y1, x1, y2, x2)], in ten colours."""
    _check_drawing(images, boxes)
    colors = np.array(PALETTE, F)
    if images.shape[3] == 1:
        colors[:, 0] = 1
    return _drawn(images, boxes, jnp.asarray(colors[:, : images.shape[3]], images.dtype))


@op("DrawBoundingBoxesV2")
def draw_bounding_boxes_v2(images: T, boxes: float32, colors: float32) -> T:
    """As DrawBoundingBoxes, with colours [n, channels] of one's own (the ten where there are none)."""
    _check_drawing(images, boxes)
    check(colors.ndim == 2, lambda: f"colors must be a 2-D matrix{list(colors.shape)}")
    depth = images.shape[3]
    check(
        colors.shape[1] >= depth,
        lambda: f"colors must have equal or more channels than the image provided: {colors.shape}",
    )
    if not colors.size:
        return draw_bounding_boxes_op.fn(images, boxes)
    return _drawn(images, boxes, jnp.asarray(colors[:, :depth], images.dtype))


@draw_bounding_boxes_op.shape_rule
def _(op):
    dims, boxes = shapes.of_rank(op.inputs[0].dims, 4), shapes.of_rank(op.inputs[1].dims, 3)
    if dims[3] not in (None, 1, 3, 4):
        raise ValueError("Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA)")
    if boxes[2] not in (None, 4):
        raise ValueError(f"Dimension must be 4 but is {boxes[2]}")
    return [op.inputs[0].dims]


draw_bounding_boxes_v2.shape_rule(lambda op: [shapes.of_rank_at_least(op.inputs[0].dims, 3)])


# -- random crops with constraints


class _Numbers:
    """Random words one by one, as TensorFlow's SimplePhilox takes them."""

    def __init__(self, rng: Any):
        self.words = self._all(rng)

    @staticmethod
    def _all(rng: Any) -> Any:
        for start in itertools.count(0, 64):
            with np.errstate(over="ignore"):
                blocks = rng.blocks(np.arange(start, start + 64, dtype=np.uint32))
            yield from np.stack(blocks, -1).reshape(-1).tolist()

    def fraction(self) -> Any:
        """A float32 in [0, 1)."""
        word = np.uint32((next(self.words) & 0x7FFFFF) | 0x3F800000)
        return word.view(F) - F(1)

    def below(self, n: int) -> int:
        """An integer in [0, n), all equally likely."""
        if n & (n - 1) == 0:
            return next(self.words) & (n - 1) if n else next(self.words) * 0
        least = (0xFFFFFFFF % n) + 1
        while True:
            word = next(self.words)
            if word >= least:
                return word % n


def _rounded(x: Any) -> int:
    return int(np.rint(F(x)))


def _random_rectangle(width: int, height: int, low: Any, high: Any, aspect: Any, numbers: _Numbers) -> Any:
    """(top, left, bottom, right) of the given aspect ratio (width / height) and share of the area; None where it doesn't fit."""
    if high <= 0 or aspect <= 0 or width <= 0 or height <= 0 or low > high:
        return None
    least, most = F(low) * F(width) * F(height), F(high) * F(width) * F(height)
    rows, max_rows = _rounded(np.sqrt(least / aspect)), _rounded(np.sqrt(most / aspect))
    if _rounded(F(max_rows) * aspect) > width:
        max_rows = int((width + 0.5 - float(F(1e-7))) / float(aspect))
    max_rows = min(max_rows, height)
    rows = min(rows, max_rows)
    if rows < max_rows:
        rows += numbers.below(max_rows - rows + 1)
    columns = _rounded(F(rows) * aspect)
    for wrong, step in ((lambda area: area < least, 1), (lambda area: area > most, -1)):
        if wrong(F(columns * rows)):
            rows += step
            columns = _rounded(F(rows) * aspect)
    area = F(columns * rows)
    if area < least or area > most or columns > width or rows > height or columns <= 0 or rows <= 0:
        return None
    top = numbers.below(height - rows) if rows < height else 0
    left = numbers.below(width - columns) if columns < width else 0
    return top, left, top + rows, left + columns


def _covers(crop: Any, boxes: Any, wanted: Any) -> bool:
    """Whether the crop holds the share `wanted` of a box."""
    top, left, bottom, right = crop
    if (bottom - top) * (right - left) < 1:
        return False
    for y1, x1, y2, x2 in boxes:
        whole = F((y2 - y1) * (x2 - x1))
        if whole < 1:
            continue
        tall, wide = min(bottom, y2) - max(top, y1), min(right, x2) - max(left, x1)
        part = F(tall * wide) if tall >= 0 and wide >= 0 else F(0)
        if part / whole >= F(wanted):
            return True
    return False


def _sample(image_size, bounding_boxes, covered, aspects, areas, attempts, whole_image, rng):
    check(len(aspects) == 2, "Aspect ratio range field must specify 2 dimensions")
    check(min(aspects) > 0, lambda: f"Aspect ratio range must be non-negative: {aspects}")
    check(len(areas) == 2, "Area range field must specify 2 dimensions")
    check(min(areas) > 0, lambda: f"Area range must be non-negative: {areas}")
    check(max(areas) <= 1, lambda: f"Area range must be less then or equal to 1.0: {areas}")
    check(attempts > 0, lambda: f"Max attempts must be non-negative: {attempts}")
    check(covered >= 0, lambda: f"Min object covered must be non-negative: {covered}")
    check(image_size.ndim == 1, lambda: f"image_size must be 1-dimensional{list(image_size.shape)}")
    check(image_size.size == 3, lambda: f"image_size must contain 3 elements{list(image_size.shape)}")
    check(bounding_boxes.ndim == 3, "input boxes must be 3-dimensional [batch, num_boxes, coords]")
    check(bounding_boxes.shape[-1] == 4, "bounding boxes must have shape [4] or [*, 4]")
    height, width = int(image_size[0]), int(image_size[1])
    given = bounding_boxes.reshape(-1, 4)
    check((given >= 0) & (given <= 1), "All bounding box coordinates must be in [0.0, 1.0]")
    scale = np.array([height, width, height, width], F)
    boxes = [tuple(int(v) for v in row) for row in (given * scale).astype(np.int32)]
    check(
        bool(boxes) or whole_image,
        "No bounding boxes provided as input. One must enable use_image_if_no_bounding_boxes if you wish to not "
        "provide any bounding boxes.",
    )
    boxes = boxes or [(0, 0, height, width)]
    rng.state = np.asarray(rng.state)
    rng.reserve(attempts, 1)
    numbers = _Numbers(rng)
    low, high = F(aspects[0]), F(aspects[1])
    crop = (0, 0, height, width)
    for _ in range(attempts):
        aspect = numbers.fraction() * (high - low) + low
        found = _random_rectangle(width, height, F(areas[0]), F(areas[1]), aspect, numbers)
        if found is not None and _covers(found, boxes, covered):
            crop = found
            break
    top, left, bottom, right = crop
    kind = image_size.dtype
    begin = np.array([top, left, 0]).astype(kind)
    size = np.array([bottom - top, right - left, -1]).astype(kind)
    box = np.array([[[F(top) / F(height), F(left) / F(width), F(bottom) / F(height), F(right) / F(width)]]], F)
    return begin, size, box


@op("SampleDistortedBoundingBox", host=True)
def sample_distorted_bounding_box_v1(
    image_size: S,
    bounding_boxes: float32,
    *,
    seed: int = 0,
    seed2: int = 0,
    min_object_covered: float = 0.1,
    aspect_ratio_range: list[float] = [0.75, 1.33],  # noqa: B006
    area_range: list[float] = [0.05, 1.0],  # noqa: B006
    max_attempts: int = 100,
    use_image_if_no_bounding_boxes: bool = False,
    rng,
) -> Outputs(begin=S, size=S, bboxes=float32):
    """As SampleDistortedBoundingBoxV2, with `min_object_covered` fixed in the graph."""
    return _sample(
        *(image_size, bounding_boxes, min_object_covered, aspect_ratio_range, area_range, max_attempts),
        *(use_image_if_no_bounding_boxes, rng),
    )


@op("SampleDistortedBoundingBoxV2", host=True)
def sample_distorted_bounding_box_v2(
    image_size: S,
    bounding_boxes: float32,
    min_object_covered: float32,
    *,
    seed: int = 0,
    seed2: int = 0,
    aspect_ratio_range: list[float] = [0.75, 1.33],  # noqa: B006
    area_range: list[float] = [0.05, 1.0],  # noqa: B006
    max_attempts: int = 100,
    use_image_if_no_bounding_boxes: bool = False,
    rng,
) -> Outputs(begin=S, size=S, bboxes=float32):
    """A random crop of an image that holds at least `min_object_covered` of one of the boxes [batch, n, 4].

    `begin` and `size` go into tf.slice as they are; `bboxes` is the crop as a box. After `max_attempts` without success
    it is the whole image.
    """
    check(min_object_covered.ndim == 0, "min_object_covered must be 0-D")
    return _sample(
        *(image_size, bounding_boxes, min_object_covered, aspect_ratio_range, area_range, max_attempts),
        *(use_image_if_no_bounding_boxes, rng),
    )


def _three(op):
    size, boxes = shapes.of_rank(op.inputs[0].dims, 1), shapes.of_rank(op.inputs[1].dims, 3)
    if len(op.inputs) > 2:
        shapes.of_rank(op.inputs[2].dims, 0)
    for got, want in ((size[0], 3), (boxes[2], 4)):
        if got not in (None, want):
            raise ValueError(f"Dimension must be {want} but is {got}")
    return [(3,), (3,), (1, 1, 4)]


for _op in (sample_distorted_bounding_box_v1, sample_distorted_bounding_box_v2):
    _op.shape_rule(_three)
    _op.not_differentiable()
for _op in (draw_bounding_boxes_op, draw_bounding_boxes_v2):
    _op.not_differentiable()
