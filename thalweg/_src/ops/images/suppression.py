"""Non-maximum suppression: of boxes that overlap, the one with the best score stays. How many stay is known in the run alone."""

import heapq
from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import float16, float32, int32
from thalweg._src.core.opdef import Outputs, op, type_attr

T = type_attr("T", (float16, float32), float32)
TT = type_attr("T_threshold", (float16, float32), float32)


def corners(boxes: Any) -> tuple[Any, ...]:
    """(top, left, bottom, right) of boxes [n, 4] given by any two opposite corners, and their areas."""
    top, bottom = np.minimum(boxes[:, 0], boxes[:, 2]), np.maximum(boxes[:, 0], boxes[:, 2])
    left, right = np.minimum(boxes[:, 1], boxes[:, 3]), np.maximum(boxes[:, 1], boxes[:, 3])
    return top, left, bottom, right, (bottom - top) * (right - left)


class Overlaps:
    """Intersection over union of one box with others, zero where one has no area."""

    def __init__(self, boxes: Any):
        self.parts = corners(boxes)

    def __call__(self, i: int, others: Any) -> Any:
        top, left, bottom, right, area = self.parts
        zero = area.dtype.type(0)
        tall = np.maximum(np.minimum(bottom[i], bottom[others]) - np.maximum(top[i], top[others]), zero)
        wide = np.maximum(np.minimum(right[i], right[others]) - np.maximum(left[i], left[others]), zero)
        both = tall * wide
        with np.errstate(divide="ignore", invalid="ignore"):
            share = both / (area[i] + area[others] - both)
        return np.where((area[i] <= 0) | (area[others] <= 0), zero, share)


def suppressed(
    scores: Any, limit: int, threshold: Any, least: Any, sigma: Any, similarity: Any
) -> tuple[list[int], list[Any]]:
    """(indices, scores) of what stays, best first.

    A box goes where its similarity to a better one reaches `threshold`; with `sigma` > 0 the others lose score by
    exp(-similarity^2 / (2 sigma)) instead (Bodla et al., 2017), and are looked at again at their new place. Boxes that
    score no more than `least` never count. Equal scores: the first box first.
    """
    kind = scores.dtype.type
    factor = kind(-0.5) / sigma if sigma > 0 else kind(0)
    queue = [(-score, i, 0) for i, score in enumerate(scores) if score > least]
    heapq.heapify(queue)
    kept: list[int] = []
    kept_scores: list[Any] = []
    while len(kept) < limit and queue:
        minus, i, seen = heapq.heappop(queue)
        before = score = -minus
        gone = False
        if len(kept) > seen:
            # The best of them first met: from the last one that stayed to the first.
            for near in similarity(i, np.array(kept[seen:][::-1])):
                weight = kind(np.exp(np.float32(factor * near * near))) if near <= threshold else kind(0)
                score = score * weight
                if near >= threshold:
                    gone = True
                    break
                if score <= least:
                    break
        if gone:
            continue
        if score == before:
            kept.append(i)
            kept_scores.append(score)
        elif score > least:
            heapq.heappush(queue, (-score, i, len(kept)))
    return kept, kept_scores


def _checked(boxes: Any, scores: Any, threshold: Any, limit: Any = None) -> None:
    check(
        boxes.ndim == 2 and boxes.shape[1] == 4,
        lambda: f"boxes must have 4 columns, they have shape {list(boxes.shape)}",
    )
    check(scores.ndim == 1, lambda: f"scores must be 1-D{list(scores.shape)}")
    check(scores.shape[0] == boxes.shape[0], "scores has incompatible shape")
    check(0 <= threshold <= 1, "iou_threshold must be in [0, 1]")
    check(limit is None or limit.ndim == 0, "max_output_size must be 0-D")


def _padded(kept: list[Any], limit: int, pad: bool, kind: Any) -> Any:
    out = np.zeros(limit if pad else len(kept), kind)
    out[: len(kept)] = kept
    return out


@op("NonMaxSuppression", host=True)
def non_max_suppression_v1(
    boxes: float32, scores: float32, max_output_size: int32, *, iou_threshold: float = 0.5
) -> int32:
    """As NonMaxSuppressionV3, every score allowed, the threshold fixed in the graph."""
    _checked(boxes, scores, iou_threshold, max_output_size)
    lowest = np.finfo(np.float32).min
    kept, _ = suppressed(scores, int(max_output_size), np.float32(iou_threshold), lowest, 0, Overlaps(boxes))
    return np.array(kept, np.int32)


@op("NonMaxSuppressionV2", host=True)
def non_max_suppression_v2(boxes: T, scores: T, max_output_size: int32, iou_threshold: TT) -> int32:
    """As NonMaxSuppressionV3, every score allowed."""
    _checked(boxes, scores, iou_threshold, max_output_size)
    lowest = np.finfo(scores.dtype).min
    kept, _ = suppressed(scores, int(max_output_size), iou_threshold, lowest, 0, Overlaps(boxes))
    return np.array(kept, np.int32)


@op("NonMaxSuppressionV3", host=True)
def non_max_suppression_v3(
    boxes: T, scores: T, max_output_size: int32, iou_threshold: TT, score_threshold: TT
) -> int32:
    """The indices of at most `max_output_size` boxes [n, (y1, x1, y2, x2)], best score first, none of them overlapping much."""
    _checked(boxes, scores, iou_threshold, max_output_size)
    kept, _ = suppressed(scores, int(max_output_size), iou_threshold, score_threshold, 0, Overlaps(boxes))
    return np.array(kept, np.int32)


@op("NonMaxSuppressionV4", host=True)
def non_max_suppression_v4(
    boxes: T,
    scores: T,
    max_output_size: int32,
    iou_threshold: TT,
    score_threshold: TT,
    *,
    pad_to_max_output_size: bool = False,
) -> Outputs(selected_indices=int32, valid_outputs=int32):
    """As NonMaxSuppressionV3, zeros behind the indices where asked, and how many are valid."""
    _checked(boxes, scores, iou_threshold, max_output_size)
    limit = int(max_output_size)
    kept, _ = suppressed(scores, limit, iou_threshold, score_threshold, 0, Overlaps(boxes))
    return _padded(kept, limit, pad_to_max_output_size, np.int32), np.int32(len(kept))


@op("NonMaxSuppressionV5", host=True)
def non_max_suppression_v5(
    boxes: T,
    scores: T,
    max_output_size: int32,
    iou_threshold: T,
    score_threshold: T,
    soft_nms_sigma: T,
    *,
    pad_to_max_output_size: bool = False,
) -> Outputs(selected_indices=int32, selected_scores=T, valid_outputs=int32):
    """As NonMaxSuppressionV4, and the scores; with `soft_nms_sigma` > 0 overlapping boxes lose score instead of going."""
    _checked(boxes, scores, iou_threshold, max_output_size)
    check(soft_nms_sigma >= 0, "soft_nms_sigma must be non-negative")
    limit, pad = int(max_output_size), pad_to_max_output_size
    kept, best = suppressed(scores, limit, iou_threshold, score_threshold, soft_nms_sigma, Overlaps(boxes))
    return _padded(kept, limit, pad, np.int32), _padded(best, limit, pad, scores.dtype), np.int32(len(kept))


@op("NonMaxSuppressionWithOverlaps", host=True)
def non_max_suppression_with_overlaps_op(
    overlaps: float32, scores: float32, max_output_size: int32, overlap_threshold: float32, score_threshold: float32
) -> int32:
    """As NonMaxSuppressionV3, by a matrix of overlaps [n, n] in the place of boxes."""
    check(overlaps.ndim == 2, lambda: f"overlaps must be 2-D{list(overlaps.shape)}")
    check(overlaps.shape[0] == overlaps.shape[1], lambda: f"overlaps must be square{list(overlaps.shape)}")
    check(scores.ndim == 1, lambda: f"scores must be 1-D{list(scores.shape)}")
    check(scores.shape[0] == overlaps.shape[0], "scores has incompatible shape")
    kept, _ = suppressed(
        scores, int(max_output_size), overlap_threshold, score_threshold, 0, lambda i, others: overlaps[i, others]
    )
    return np.array(kept, np.int32)


# -- several classes at once


@op("CombinedNonMaxSuppression", host=True)
def combined_non_max_suppression_op(
    boxes: float32,
    scores: float32,
    max_output_size_per_class: int32,
    max_total_size: int32,
    iou_threshold: float32,
    score_threshold: float32,
    *,
    pad_per_class: bool = False,
    clip_boxes: bool = True,
) -> Outputs(nmsed_boxes=float32, nmsed_scores=float32, nmsed_classes=float32, valid_detections=int32):
    """The best boxes of all classes for each image of a batch: boxes [batch, n, classes or 1, 4], scores [batch, n, classes]."""
    check(boxes.ndim == 4, lambda: f"boxes must be 4-D{list(boxes.shape)}")
    check(scores.ndim == 3, lambda: f"scores must be 3-D{list(scores.shape)}")
    batch, n, classes = scores.shape
    check(boxes.shape[2] in (1, classes), "third dimension of boxes must be either 1 or num classes")
    check(boxes.shape[3] == 4, "boxes must have 4 columns")
    check(boxes.shape[1] == n, "scores has incompatible shape")
    per_class, total = int(max_output_size_per_class), int(max_total_size)
    check(per_class > 0, "max_size_per_class must be positive")
    check(total > 0, "max_total_size must be > 0")
    check(0 <= iou_threshold <= 1, "iou_threshold must be in [0, 1]")
    size = min(total, per_class * classes) if pad_per_class else total
    out_boxes = np.zeros((batch, size, 4), np.float32)
    out_scores, out_classes = np.zeros((2, batch, size), np.float32)
    valid = np.zeros(batch, np.int32)
    for b in range(batch):
        found: list[tuple[Any, int, Any]] = []
        for c in range(classes):
            of_class = boxes[b, :, c if boxes.shape[2] > 1 else 0]
            for i in _class_boxes(of_class, scores[b, :, c], min(per_class, n), iou_threshold, score_threshold):
                found.append((scores[b, i, c], c, of_class[i]))
        found.sort(key=lambda f: -f[0])
        valid[b] = min(size, len(found))
        for k, (score, c, box) in enumerate(found[: valid[b]]):
            out_boxes[b, k] = np.clip(box, 0, 1) if clip_boxes else box
            out_scores[b, k], out_classes[b, k] = score, c
    return out_boxes, out_scores, out_classes, valid


def _class_boxes(boxes: Any, scores: Any, limit: int, threshold: Any, least: Any) -> list[int]:
    """The indices of what stays of one class; here an overlap must exceed the threshold to count."""
    similarity = Overlaps(boxes)
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable").tolist():
        if len(kept) >= limit or not scores[i] > least:
            break
        if not kept or not (similarity(i, np.array(kept)) > threshold).any():
            kept.append(i)
    return kept


# -- shapes


def _nms_dims(op):
    boxes, scores = shapes.of_rank(op.inputs[0].dims, 2), shapes.of_rank(op.inputs[1].dims, 1)
    for scalar in op.inputs[2:]:
        shapes.of_rank(scalar.dims, 0)
    shapes.one_size(boxes[0], scores[0])
    if op.type != "NonMaxSuppressionWithOverlaps" and boxes[1] not in (None, 4):
        raise ValueError(f"Dimension must be 4 but is {boxes[1]}")
    if op.type == "NonMaxSuppressionWithOverlaps":
        shapes.one_size(*boxes)
    size = None
    if op.attrs.get("pad_to_max_output_size"):
        size = infer.partial_scalar(op.inputs[2])
    return [(size,), (size,)][: len(op.outputs) - 1] + [()] if len(op.outputs) > 1 else [(size,)]


NMS = (
    *(non_max_suppression_v1, non_max_suppression_v2, non_max_suppression_v3, non_max_suppression_v4),
    *(non_max_suppression_v5, non_max_suppression_with_overlaps_op),
)
for _op in NMS:
    _op.shape_rule(_nms_dims)
for _op in (*NMS, combined_non_max_suppression_op):
    _op.not_differentiable()


@combined_non_max_suppression_op.shape_rule
def _(op):
    boxes, scores = shapes.of_rank(op.inputs[0].dims, 4), shapes.of_rank(op.inputs[1].dims, 3)
    for scalar in op.inputs[2:]:
        shapes.of_rank(scalar.dims, 0)
    batch = shapes.one_size(boxes[0], scores[0])
    shapes.one_size(boxes[1], scores[1])
    if boxes[3] not in (None, 4):
        raise ValueError(f"Dimension must be 4 but is {boxes[3]}")
    if None not in (boxes[2], scores[2]) and boxes[2] not in (1, scores[2]):
        raise ValueError("third dimension of boxes must be either 1 or equal to the third dimension of scores")
    per_class, total = (infer.partial_scalar(t) for t in op.inputs[2:4])
    if total is not None and total <= 0:
        raise ValueError("max_total_size should be > 0")
    size = total
    if op.attrs["pad_per_class"]:
        size = None if None in (total, per_class, scores[2]) else min(total, per_class * scores[2])
    return [(batch, size, 4), (batch, size), (batch, size), (batch,)]
