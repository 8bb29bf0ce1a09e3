"""tf.image's functions over boxes, crops and patches, and decode_image: what stands between a program and the ops."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float32, uint8, uint16
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.images.boxes import (
    draw_bounding_boxes_op,
    draw_bounding_boxes_v2,
    sample_distorted_bounding_box_v2,
)
from thalweg._src.ops.images.cropping import crop_and_resize_op, extract_glimpse_op, extract_image_patches_op
from thalweg._src.ops.images.image_colors import convert_image_dtype
from thalweg._src.ops.images.picture_files import decode_bmp, decode_gif, decode_jpeg, decode_png
from thalweg._src.ops.images.suppression import (
    combined_non_max_suppression_op,
    non_max_suppression_v3,
    non_max_suppression_v4,
    non_max_suppression_v5,
    non_max_suppression_with_overlaps_op,
)
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports.checks import Assert
from thalweg._src.ops.text.strings import substr

LOWEST = float("-inf")


# -- files


def is_jpeg(contents: Any, name: str | None = None) -> Tensor:
    """Whether a string begins like a JPEG."""
    with name_scope(name, "is_jpeg"):
        return math.equal(substr(contents, 0, 3), b"\xff\xd8\xff", name=name)


def _is_png(contents: Any) -> Tensor:
    with name_scope(None, "is_png"):
        return math.equal(substr(contents, 0, 3), b"\211PN")


def decode_image(
    contents: Any,
    channels: int | None = None,
    dtype: Any = uint8,
    name: str | None = None,
    expand_animations: bool = True,
) -> Tensor:
    """The picture in a string, whether PNG, JPEG, GIF or BMP: [height, width, channels] in the range of `dtype`.

    A GIF gives [frames, height, width, 3], so the rank isn't known before the run; with `expand_animations` False, its
    first frame. Raises ValueError for `channels` other than None, 0, 1, 3, 4.
    """
    dtype = dtypes.as_dtype(dtype)
    with name_scope(name, "decode_image"):
        if channels not in (None, 0, 1, 3, 4):
            raise ValueError("channels must be in (None, 0, 1, 3, 4)")
        start = substr(contents, 0, 3)
        wanted = 0 if channels is None else channels

        def assert_channels(good: Tensor, allowed: str, kind: str) -> Any:
            return Assert(good, [f"Channels must be in ({allowed}) when decoding {kind} images"])

        def bmp() -> Tensor:
            is_bmp = math.equal(substr(contents, 0, 2), "BM", name="is_bmp")
            known = Assert(is_bmp, ["Unable to decode bytes as JPEG, PNG, GIF, or BMP"])
            good = math.not_equal(wanted, 1, name="check_channels")
            with get_default_graph().control_dependencies([known, assert_channels(good, "None, 0, 3", "BMP")]):
                return convert_image_dtype(decode_bmp(contents), dtype)

        def gif() -> Tensor:
            good = math.logical_and(
                math.not_equal(wanted, 1, name="check_gif_channels"),
                math.not_equal(wanted, 4, name="check_gif_channels"),
            )
            with get_default_graph().control_dependencies([assert_channels(good, "None, 0, 3", "GIF")]):
                result = convert_image_dtype(decode_gif(contents), dtype)
                return result if expand_animations else array.gather(result, 0)

        def png() -> Tensor:
            kind = uint8 if dtype == uint8 else uint16
            return convert_image_dtype(decode_png(contents, channels=wanted, dtype=kind), dtype)

        def jpeg() -> Tensor:
            good = math.not_equal(wanted, 4, name="check_jpeg_channels")
            with get_default_graph().control_dependencies([assert_channels(good, "None, 0, 1, 3", "JPEG")]):
                return convert_image_dtype(decode_jpeg(contents, channels=wanted), dtype)

        def not_jpeg() -> Tensor:
            return cond(_is_png(contents), png, not_png, name="cond_png")

        def not_png() -> Tensor:
            return cond(math.equal(start, b"GIF", name="is_gif"), gif, bmp, name="cond_gif")

        return cond(is_jpeg(contents), jpeg, not_jpeg, name="cond_jpeg")


# -- boxes


def draw_bounding_boxes(images: Any, boxes: Any, name: str | None = None, colors: Any = None) -> Tensor:
    """Images with the frames of boxes [batch, n, (y1, x1, y2, x2)], with 1 at the last row and column."""
    if colors is None:
        return draw_bounding_boxes_op(images, boxes, name=name)
    return draw_bounding_boxes_v2(images, boxes, colors, name=name)


def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: int | None = None,
    seed2: int | None = None,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> Any:
    """(begin, size, bboxes) of a random crop that holds at least `min_object_covered` of one of the boxes.

    `begin` and `size` go into tf.slice as they are. The crop's width / height lies in `aspect_ratio_range`, its share of
    the image in `area_range`; after `max_attempts` it is the whole image.
    """
    with name_scope(name, "sample_distorted_bounding_box"):
        return sample_distorted_bounding_box_v2(
            image_size,
            bounding_boxes,
            0.1 if min_object_covered is None else min_object_covered,
            seed=seed,
            seed2=seed2,
            aspect_ratio_range=aspect_ratio_range,
            area_range=area_range,
            max_attempts=max_attempts,
            use_image_if_no_bounding_boxes=use_image_if_no_bounding_boxes,
            name=name,
        )


def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = LOWEST,
    name: str | None = None,
) -> Tensor:
    """The indices of at most `max_output_size` boxes [n, (y1, x1, y2, x2)], the best score first.

    A box whose intersection with a better one is `iou_threshold` of their union is left out.
    """
    if isinstance(score_threshold, str):  # until 1.4, the name was the fifth argument
        score_threshold, name = LOWEST, score_threshold
    with name_scope(name, "non_max_suppression"):
        iou, score = _thresholds(0.5 if iou_threshold is None else iou_threshold, score_threshold)
        return non_max_suppression_v3(boxes, scores, max_output_size, iou, score)


def _thresholds(iou_threshold: Any, score_threshold: Any) -> tuple[Tensor, Tensor]:
    return to_tensor(iou_threshold, None, "iou_threshold"), to_tensor(score_threshold, None, "score_threshold")


def non_max_suppression_with_scores(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = LOWEST,
    soft_nms_sigma: Any = 0.0,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """As non_max_suppression, and the scores; with `soft_nms_sigma`, neighbours lose score instead of going."""
    with name_scope(name, "non_max_suppression_with_scores"):
        iou, score = _thresholds(iou_threshold, score_threshold)
        sigma = to_tensor(soft_nms_sigma, None, "soft_nms_sigma")
        indices, kept, _ = non_max_suppression_v5(boxes, scores, max_output_size, iou, score, sigma)
        return indices, kept


def non_max_suppression_padded(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = LOWEST,
    pad_to_max_output_size: bool = False,
    name: str | None = None,
) -> Any:
    """(indices, how many are valid); with `pad_to_max_output_size` there are always that many indices."""
    with name_scope(name, "non_max_suppression_padded"):
        iou, score = _thresholds(iou_threshold, score_threshold)
        return non_max_suppression_v4(
            boxes, scores, max_output_size, iou, score, pad_to_max_output_size=pad_to_max_output_size
        )


def non_max_suppression_with_overlaps(
    overlaps: Any,
    scores: Any,
    max_output_size: Any,
    overlap_threshold: Any = 0.5,
    score_threshold: Any = LOWEST,
    name: str | None = None,
) -> Tensor:
    """As non_max_suppression, by a matrix of overlaps [n, n]."""
    with name_scope(name, "non_max_suppression_overlaps"):
        overlap = to_tensor(overlap_threshold, None, "overlap_threshold")
        return non_max_suppression_with_overlaps_op(overlaps, scores, max_output_size, overlap, score_threshold)


def combined_non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size_per_class: Any,
    max_total_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = LOWEST,
    pad_per_class: bool = False,
    clip_boxes: bool = True,
    name: str | None = None,
) -> Any:
    """(boxes, scores, classes, how many are valid): the best of all classes, for each image of a batch."""
    with name_scope(name, "combined_non_max_suppression"):
        iou = to_tensor(iou_threshold, float32, "iou_threshold")
        score = to_tensor(score_threshold, float32, "score_threshold")
        return combined_non_max_suppression_op(
            *(boxes, scores, max_output_size_per_class, max_total_size, iou, score),
            pad_per_class=pad_per_class,
            clip_boxes=clip_boxes,
        )


# -- crops, glimpses, patches


def crop_and_resize(
    image: Any,
    boxes: Any,
    box_ind: Any = None,
    crop_size: Any = None,
    method: str = "bilinear",
    extrapolation_value: float = 0,
    name: str | None = None,
    box_indices: Any = None,
) -> Tensor:
    """float32[boxes, height, width, channels]: what lies in each box, of the image that `box_ind` says, all of `crop_size`."""
    box_ind = renamed("box_indices", box_indices, "box_ind", box_ind)
    return crop_and_resize_op(
        image, boxes, box_ind, crop_size, method=method, extrapolation_value=extrapolation_value, name=name
    )


def extract_glimpse(
    input: Any,
    size: Any,
    offsets: Any,
    centered: bool = True,
    normalized: bool = True,
    uniform_noise: bool = True,
    name: str | None = None,
) -> Tensor:
    """The window of `size` around `offsets` [batch, (y, x)] of each image, noise where it leaves the image."""
    return extract_glimpse_op(
        input, size, offsets, centered=centered, normalized=normalized, uniform_noise=uniform_noise, name=name
    )


def extract_image_patches(
    images: Any,
    ksizes: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: str | None = None,
    name: str | None = None,
    sizes: Any = None,
) -> Tensor:
    """[batch, rows, columns, window * channels]: the window of `ksizes` at every place."""
    return extract_image_patches_op(
        images,
        ksizes=renamed("sizes", sizes, "ksizes", ksizes),
        strides=strides,
        rates=rates,
        padding=padding,
        name=name,
    )


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: str | None = None) -> Tensor:
    """[batch, rows, columns, window * channels]: the window of `sizes` at every place."""
    return extract_image_patches_op(images, ksizes=sizes, strides=strides, rates=rates, padding=padding, name=name)
