"""Boxes in images, and pictures as files. decode_image chooses with tf.cond, which has other nodes here."""

import numpy as np

from cases.base import Fails, Input, OpCase, given, ints, normal, raw, uniform


def pixels(*shape):
    """uint8 images."""
    return ints(0, 256, *shape, dtype="uint8")


def boxes(n):
    """float32[n, 4]: corners in order, some of them outside of [0, 1]."""

    def make(r):
        corner = r.uniform(-0.1, 0.7, (n, 2))
        return np.concatenate([corner, corner + r.uniform(0.1, 0.5, (n, 2))], -1)

    return Input(make, "float32")


def inner_boxes(*shape):
    def make(r):
        corner = r.uniform(0.0, 0.5, shape + (2,))
        return np.concatenate([corner, corner + r.uniform(0.2, 0.5, shape + (2,))], -1)

    return Input(make, "float32")


# A GIF of two frames of 3 x 2, the second only one pixel; a BMP of 2 x 3.
GIF = (
    b"GIF87a\x03\x00\x02\x00\x81\x00\x00\x00\x00\x00\xff\x00\x00\x00\xff\x00\x00\x00"
    b"\xff,\x00\x00\x00\x00\x03\x00\x02\x00\x00\x08\t\x00\x01\x04\x10  \x00\x80\x80\x00!"
    b"\xf9\x04\x01\x00\x00\x04\x00,\x01\x00\x01\x00\x01\x00\x01\x00\x81\x00\x00\x00\xff\x00\x00\x00"
    b"\xff\x00\x00\x00\xff\x08\x04\x00\x07\x04\x04\x00;"
)
BMP = (
    b"BM"
    + (54 + 24).to_bytes(4, "little")
    + bytes(4)
    + (54).to_bytes(4, "little")
    + (40).to_bytes(4, "little")
    + (2).to_bytes(4, "little")
    + (3).to_bytes(4, "little")
    + b"\x01\x00\x18\x00"
    + bytes(24)
    + bytes(range(10, 16))
    + bytes(2)
    + bytes(range(20, 26))
    + bytes(2)
    + bytes(range(30, 36))
    + bytes(2)
)

# TensorFlow's shape of patches of a volume has a dimension too few where one is unknown.
BOXES = [
    OpCase(
        "ExtractVolumePatches",
        [normal(2, 4, 5, 3, 2)],
        lambda tf, x: tf.extract_volume_patches(x, [1, 2, 2, 2, 1], [1, 2, 3, 1, 1], "SAME"),
        shapes=False,
    ),
    OpCase(
        "ExtractVolumePatches",
        [normal(1, 4, 5, 3, 2)],
        lambda tf, x: tf.extract_volume_patches(x, [1, 2, 1, 3, 1], [1, 1, 1, 1, 1], "VALID"),
        "valid",
        shapes=False,
    ),
    OpCase(
        "CropAndResize",
        [normal(2, 5, 6, 3), boxes(4), given([0, 1, 1, 0], "int32")],
        lambda tf, x, b, i: tf.image.crop_and_resize(x, b, i, [3, 4]),
        types=("float32", "uint8", "int32"),
        smooth=False,
    ),
    OpCase(
        "CropAndResize",
        [normal(2, 5, 6, 3), boxes(4), given([0, 1, 1, 0], "int32")],
        lambda tf, x, b, i: tf.image.crop_and_resize(x, b, i, [3, 4], method="nearest", extrapolation_value=2.0),
        "nearest",
        smooth=False,
    ),
    OpCase(
        "CropAndResize",
        [normal(2, 5, 6, 3), boxes(3), given([0, 1, 1], "int32")],
        lambda tf, x, b, i: tf.image.crop_and_resize(x, b, box_indices=i, crop_size=[1, 1]),
        "one pixel",
        smooth=False,
    ),
    OpCase(
        "CropAndResizeGradImage",
        [normal(3, 2, 2, 3, dtype="float32"), boxes(3), given([0, 1, 1], "int32")],
        lambda tf, g, b, i: raw(
            tf, "CropAndResizeGradImage", grads=g, boxes=b, box_ind=i, image_size=[2, 4, 5, 3], T=tf.float32
        ),
        grad=False,
    ),
    OpCase(
        "CropAndResizeGradBoxes",
        [normal(3, 2, 2, 3, dtype="float32"), normal(2, 4, 5, 3), boxes(3), given([0, 1, 1], "int32")],
        lambda tf, g, x, b, i: raw(tf, "CropAndResizeGradBoxes", grads=g, image=x, boxes=b, box_ind=i),
        grad=False,
        tol=4,
    ),
    OpCase(
        "ExtractGlimpse",
        [normal(2, 6, 7, 3), given([[0.1, -0.2], [0.3, 0.2]], "float32")],
        lambda tf, x, o: tf.image.extract_glimpse(x, [2, 3], o),
        grad=False,
    ),
    OpCase(
        "ExtractGlimpse",
        [normal(2, 6, 7, 3), given([[3.0, 3.0], [2.0, 4.0]], "float32")],
        lambda tf, x, o: tf.image.extract_glimpse(x, [2, 3], o, centered=False, normalized=False),
        "in pixels",
        grad=False,
    ),
    OpCase(
        "DrawBoundingBoxes",
        [uniform(2, 8, 9, 3), inner_boxes(2, 3)],
        lambda tf, x, b: tf.image.draw_bounding_boxes(x, b),
        grad=False,
    ),
    OpCase(
        "DrawBoundingBoxes",
        [uniform(1, 8, 9, 1), given([[[-0.2, 0.3, 0.5, 1.4], [0.9, 0.2, 0.1, 0.5]]], "float32")],
        lambda tf, x, b: tf.image.draw_bounding_boxes(x, b),
        "partly outside",
        grad=False,
    ),
    OpCase(
        "DrawBoundingBoxesV2",
        [uniform(2, 8, 9, 3), inner_boxes(2, 3)],
        lambda tf, x, b: tf.image.draw_bounding_boxes(x, b, colors=[[0.1, 0.2, 0.3, 1.0], [0.9, 0.5, 0.2, 1.0]]),
        grad=False,
    ),
    OpCase(
        "SampleDistortedBoundingBoxV2",
        [given([40, 50, 3], "int32"), inner_boxes(1, 2)],
        lambda tf, s, b: tf.image.sample_distorted_bounding_box(
            s, b, seed=3, seed2=4, aspect_ratio_range=[0.7, 1.5], area_range=[0.2, 0.9], max_attempts=20
        ),
        grad=False,
    ),
    OpCase(
        "SampleDistortedBoundingBoxV2",
        [given([40, 50, 3], "int64")],
        lambda tf, s: tf.image.sample_distorted_bounding_box(
            s, tf.zeros([1, 0, 4]), seed=1, seed2=7, use_image_if_no_bounding_boxes=True
        ),
        "no boxes",
        grad=False,
    ),
    OpCase(
        "SampleDistortedBoundingBox",
        [given([40, 50, 3], "int32"), inner_boxes(1, 2)],
        lambda tf, s, b: raw(
            tf, "SampleDistortedBoundingBox", image_size=s, bounding_boxes=b, seed=3, seed2=4, min_object_covered=0.5
        ),
        grad=False,
    ),
    OpCase(
        "NonMaxSuppressionV3",
        [inner_boxes(12), uniform(12, dtype="float32")],
        lambda tf, b, s: tf.image.non_max_suppression(b, s, 5),
        grad=False,
    ),
    OpCase(
        "NonMaxSuppressionV3",
        [inner_boxes(12), uniform(12, dtype="float32")],
        lambda tf, b, s: tf.image.non_max_suppression(b, s, 20, 0.3, 0.4),
        "thresholds",
        grad=False,
    ),
    OpCase(
        "NonMaxSuppressionV4",
        [inner_boxes(12), uniform(12, dtype="float32")],
        lambda tf, b, s: tf.image.non_max_suppression_padded(b, s, 9, pad_to_max_output_size=True),
        grad=False,
    ),
    OpCase(
        "NonMaxSuppressionV5",
        [inner_boxes(12), uniform(12, dtype="float32")],
        lambda tf, b, s: tf.image.non_max_suppression_with_scores(b, s, 9, score_threshold=0.1, soft_nms_sigma=0.4),
        grad=False,
    ),
    OpCase(
        "NonMaxSuppression",
        [inner_boxes(12), uniform(12, dtype="float32")],
        lambda tf, b, s: raw(tf, "NonMaxSuppression", boxes=b, scores=s, max_output_size=6, iou_threshold=0.4),
        grad=False,
    ),
    OpCase(
        "NonMaxSuppressionV2",
        [inner_boxes(12), uniform(12, dtype="float32")],
        lambda tf, b, s: raw(tf, "NonMaxSuppressionV2", boxes=b, scores=s, max_output_size=6, iou_threshold=0.4),
        grad=False,
    ),
    OpCase(
        "NonMaxSuppressionWithOverlaps",
        [given([[1.0, 0.8, 0.1], [0.8, 1.0, 0.3], [0.1, 0.3, 1.0]], "float32"), uniform(3, dtype="float32")],
        lambda tf, o, s: tf.image.non_max_suppression_overlaps(o, s, 3, 0.5, 0.0),
        grad=False,
    ),
    OpCase(
        "CombinedNonMaxSuppression",
        [inner_boxes(2, 8, 1), uniform(2, 8, 3, dtype="float32")],
        lambda tf, b, s: tf.image.combined_non_max_suppression(b, s, 3, 7, 0.4, 0.3),
        grad=False,
    ),
    OpCase(
        "CombinedNonMaxSuppression",
        [inner_boxes(2, 8, 3), uniform(2, 8, 3, dtype="float32")],
        lambda tf, b, s: tf.image.combined_non_max_suppression(b, s, 2, 7, pad_per_class=True, clip_boxes=False),
        "boxes of classes",
        grad=False,
        shapes=False,  # TensorFlow multiplies an unknown number of classes, -1
    ),
    Fails(
        "CropAndResize",
        [normal(2, 5, 6, 3), boxes(3), given([0, 1, 2], "int32")],
        lambda tf, x, b, i: tf.image.crop_and_resize(x, b, i, [3, 4]),
        "no such image",
    ),
    Fails(
        "DrawBoundingBoxes",
        [uniform(2, 8, 9, 2), inner_boxes(2, 3)],
        lambda tf, x, b: tf.image.draw_bounding_boxes(x, b),
        "two channels",
    ),
    Fails(
        "NonMaxSuppressionV3",
        [inner_boxes(12), uniform(11, dtype="float32")],
        lambda tf, b, s: tf.image.non_max_suppression(b, s, 5),
        "scores",
    ),
    Fails(
        "NonMaxSuppressionV3",
        [inner_boxes(12), uniform(12, dtype="float32")],
        lambda tf, b, s: tf.image.non_max_suppression(b, s, 5, 1.5),
        "threshold",
    ),
    Fails(
        "SampleDistortedBoundingBoxV2",
        [given([40, 50, 3], "int64")],
        lambda tf, s: tf.image.sample_distorted_bounding_box(s, tf.zeros([1, 0, 4])),
        "no boxes given",
    ),
    Fails(
        "SampleDistortedBoundingBoxV2",
        [given([40, 50, 3], "int64"), given([[[0.1, 0.1, 1.2, 0.5]]], "float32")],
        lambda tf, s, b: tf.image.sample_distorted_bounding_box(s, b),
        "outside",
    ),
]

FILES = [
    OpCase("DecodePng", [pixels(4, 5, 3)], lambda tf, x: tf.image.decode_png(tf.image.encode_png(x), channels=3)),
    OpCase(
        "DecodePng", [pixels(4, 5, 3)], lambda tf, x: tf.image.decode_png(tf.image.encode_png(x), channels=1), "to grey"
    ),
    OpCase(
        "DecodePng", [pixels(4, 5, 1)], lambda tf, x: tf.image.decode_png(tf.image.encode_png(x), channels=4), "to RGBA"
    ),
    OpCase(
        "DecodePng",
        [ints(0, 65536, 4, 5, 4, dtype="uint16")],
        lambda tf, x: tf.image.decode_png(tf.image.encode_png(x), dtype=tf.uint16),
        "16 bits",
    ),
    OpCase(
        "DecodePng",
        [ints(0, 65536, 4, 5, 2, dtype="uint16")],
        lambda tf, x: tf.image.decode_png(tf.image.encode_png(x)),
        "16 bits as 8",
    ),
    OpCase("EncodePng", [pixels(4, 5, 3)], lambda tf, x: tf.image.encode_png(x, compression=3), value=False),
    OpCase("EncodeJpeg", [pixels(4, 5, 3)], lambda tf, x: tf.image.encode_jpeg(x, quality=80), value=False),
    OpCase(
        "EncodeJpegVariableQuality",
        [pixels(4, 5, 3)],
        lambda tf, x: raw(tf, "EncodeJpegVariableQuality", images=x, quality=50),
        value=False,
    ),
    OpCase("ExtractJpegShape", [pixels(4, 5, 3)], lambda tf, x: tf.image.extract_jpeg_shape(tf.image.encode_jpeg(x))),
    OpCase(
        "DecodeJpeg",
        [pixels(4, 5, 3)],
        lambda tf, x: tf.image.decode_jpeg(tf.image.encode_jpeg(x), dct_method="INTEGER_ACCURATE"),
    ),
    OpCase(
        "DecodeJpeg",
        [pixels(16, 17, 1)],
        lambda tf, x: tf.image.decode_jpeg(tf.image.encode_jpeg(x), channels=3, ratio=2, dct_method="INTEGER_ACCURATE"),
        "half the size",
    ),
    OpCase(
        "DecodeAndCropJpeg",
        [pixels(16, 17, 1)],
        lambda tf, x: tf.image.decode_and_crop_jpeg(
            tf.image.encode_jpeg(x), [8, 8, 4, 5], dct_method="INTEGER_ACCURATE"
        ),
    ),
    OpCase(
        "EncodeJpegVariableQuality",
        [pixels(8, 8, 3)],
        lambda tf, x: tf.image.adjust_jpeg_quality(x, 60),
        "adjust_jpeg_quality",
        value=False,
    ),
    OpCase("DecodeBmp", [given("BM", "string")], lambda tf, x: tf.image.decode_bmp(BMP), misuse=False),
    OpCase("DecodeGif", [given("GIF", "string")], lambda tf, x: tf.image.decode_gif(GIF), misuse=False),
    OpCase(
        "DecodePng",
        [pixels(4, 5, 3)],
        lambda tf, x: tf.image.decode_image(tf.image.encode_png(x)),
        "decode_image",
        graph=False,
        misuse=False,
    ),
    OpCase(
        "DecodeBmp",
        [given("BM", "string")],
        lambda tf, x: tf.image.decode_image(BMP),
        "decode_image",
        graph=False,
        misuse=False,
    ),
    OpCase(
        "DecodeGif",
        [given("GIF", "string")],
        lambda tf, x: tf.image.decode_image(GIF, dtype=tf.float32),
        "decode_image",
        graph=False,
        misuse=False,
    ),
    OpCase("Equal", [given("\\xff", "string")], lambda tf, x: tf.image.is_jpeg(x), "is_jpeg", misuse=False),
    Fails("DecodePng", [given("no picture at all", "string")], lambda tf, x: tf.image.decode_png(x), "no picture"),
    Fails("DecodeBmp", [given("no picture at all", "string")], lambda tf, x: tf.image.decode_bmp(x), "no picture"),
    Fails("EncodePng", [pixels(4, 5)], lambda tf, x: tf.image.encode_png(x), "rank"),
    Fails("EncodeJpeg", [pixels(4, 5, 2)], lambda tf, x: tf.image.encode_jpeg(x), "two channels"),
    Fails("DecodeJpeg", [given("x", "string")], lambda tf, x: tf.image.decode_jpeg(x, ratio=3), "ratio"),
]

CASES = BOXES + FILES
