"""Images: resizing, cutting, colours, measures. Functions that choose with tf.cond have other nodes here."""

from cases.base import INTS, WIDE, Fails, OpCase, given, ints, normal, raw, spread, uniform

RESIZABLE = ("float32", "float16") + INTS[:4]


def pixels(*shape):
    """uint8 images."""
    return ints(0, 256, *shape, dtype="uint8")


RESIZE = [
    OpCase(op, [normal(2, 4, 5, 3)], lambda tf, x, f=name: getattr(tf.image, f)(x, [7, 3]), types=RESIZABLE)
    for op, name in [
        ("ResizeBilinear", "resize_bilinear"),
        ("ResizeNearestNeighbor", "resize_nearest_neighbor"),
        ("ResizeBicubic", "resize_bicubic"),
        ("ResizeArea", "resize_area"),
    ]
]
# The results are float32 and so are the products of the gradient, which TensorFlow sums in float64.
RESIZE += [
    OpCase(
        op,
        [normal(2, 4, 5, 3)],
        lambda tf, x, f=name: getattr(tf.image, f)(x, [7, 3]),
        "float64",
        ("float64",),
        grad=False,
    )
    for op, name in [
        ("ResizeBilinear", "resize_bilinear"),
        ("ResizeBicubic", "resize_bicubic"),
        ("ResizeArea", "resize_area"),
    ]
]
RESIZE += [
    OpCase(op, [normal(2, 4, 5, 2)], lambda tf, x, f=name, k=k: getattr(tf.image, f)(x, [3, 9], **k), label)
    for op, name in [
        ("ResizeBilinear", "resize_bilinear"),
        ("ResizeNearestNeighbor", "resize_nearest_neighbor"),
        ("ResizeBicubic", "resize_bicubic"),
    ]
    for label, k in [("align corners", {"align_corners": True}), ("half pixels", {"half_pixel_centers": True})]
]
RESIZE += [
    OpCase("ResizeArea", [normal(1, 9, 7, 1)], lambda tf, x: tf.image.resize_area(x, [2, 3]), "smaller", grad=False),
    OpCase(
        "ResizeArea",
        [normal(1, 6, 6, 3)],
        lambda tf, x: tf.image.resize_area(x, [4, 9], align_corners=True),
        "align corners",
        grad=False,
    ),
    OpCase("ResizeBilinear", [normal(1, 5, 5, 3)], lambda tf, x: tf.image.resize_bilinear(x, [5, 5]), "same size"),
    OpCase(
        "ResizeBilinear", [normal(0, 5, 5, 3)], lambda tf, x: tf.image.resize_bilinear(x, [2, 3]), "empty", grad=False
    ),
    OpCase(
        "ResizeBilinear",
        [normal(1, 3, 3, 1), given([4, 6], "int32")],
        lambda tf, x, s: tf.image.resize_bilinear(x, s),
        "size fed",
    ),
    OpCase(
        "ResizeBilinearGrad",
        [normal(2, 7, 3, 3), normal(2, 4, 5, 3)],
        lambda tf, g, x: raw(tf, "ResizeBilinearGrad", grads=g, original_image=x),
        grad=False,
    ),
    OpCase(
        "ResizeBicubicGrad",
        [normal(2, 7, 3, 3, dtype="float32"), normal(2, 4, 5, 3)],
        lambda tf, g, x: raw(tf, "ResizeBicubicGrad", grads=g, original_image=x),
        grad=False,
        types=WIDE,
    ),
    OpCase(
        "ResizeNearestNeighborGrad",
        [normal(2, 7, 3, 3)],
        lambda tf, g: raw(tf, "ResizeNearestNeighborGrad", grads=g, size=[4, 5]),
        grad=False,
        types=WIDE,
    ),
    *(
        OpCase(
            op,
            [normal(2, 4, 5, 3)],
            lambda tf, x, m=m: tf.image.resize_images(x, [3, 8], method=m),
            "resize_images",
            smooth=False,
        )
        for m, op in enumerate(["ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic"])
    ),
    OpCase(
        "ResizeArea",
        [normal(2, 4, 5, 3)],
        lambda tf, x: tf.image.resize_images(x, [3, 8], 3, True),
        "resize_images",
        grad=False,
    ),
    OpCase(
        "ResizeBilinear", [normal(4, 5, 3)], lambda tf, x: tf.image.resize_images(x, (6, 2)), "resize_images of one"
    ),
    OpCase(
        "Identity",
        [normal(4, 5, 3)],
        lambda tf, x: tf.identity(tf.image.resize_images(x, (4, 5))),
        "resize_images to the same",
    ),
    OpCase(
        "ResizeBilinear",
        [normal(2, 4, 6, 3)],
        lambda tf, x: tf.image.resize_images(x, [8, 9], preserve_aspect_ratio=True),
        "preserve_aspect_ratio",
    ),
    OpCase("ResizeBilinear", [pixels(4, 5, 3)], lambda tf, x: tf.image.resize_images(x, [2, 8]), "of uint8"),
    OpCase(
        "ResizeBilinear",
        [normal(2, 4, 6, 3)],
        lambda tf, x: tf.image.resize_image_with_pad(x, 7, 5),
        "resize_image_with_pad",
    ),
    OpCase(
        "ScaleAndTranslate",
        [normal(2, 6, 5, 3)],
        lambda tf, x: raw(tf, "ScaleAndTranslate", images=x, size=[4, 7], scale=[0.7, 1.4], translation=[0.5, -0.3]),
    ),
    *(
        OpCase(
            "ScaleAndTranslate",
            [normal(1, 6, 5, 2)],
            lambda tf, x, k=k: raw(
                tf, "ScaleAndTranslate", images=x, size=[9, 3], scale=[1.5, 0.6], translation=[0.0, 0.0], kernel_type=k
            ),
            k,
        )
        for k in ["lanczos1", "lanczos5", "gaussian", "box", "triangle", "keyscubic", "mitchellcubic"]
    ),
    OpCase(
        "ScaleAndTranslateGrad",
        [normal(1, 9, 3, 2), normal(1, 6, 5, 2)],
        lambda tf, g, x: raw(
            tf, "ScaleAndTranslateGrad", grads=g, original_image=x, scale=[1.5, 0.6], translation=[0.0, 0.0]
        ),
        grad=False,
    ),
    Fails("ResizeBilinear", [normal(4, 5)], lambda tf, x: tf.image.resize_bilinear(x, [2, 2]), "rank"),
    Fails("ResizeBilinear", [normal(1, 4, 5, 1)], lambda tf, x: tf.image.resize_bilinear(x, [0, 2]), "zero size"),
    Fails(
        "ResizeBilinear",
        [normal(1, 4, 5, 1)],
        lambda tf, x: tf.image.resize_bilinear(x, [3, 2], align_corners=True, half_pixel_centers=True),
        "both conventions",
    ),
    Fails("ResizeBilinear", [normal(1, 4, 5, 1)], lambda tf, x: tf.image.resize_images(x, [3, 2, 1]), "three sizes"),
    Fails("ResizeBilinear", [normal(1, 4, 5, 1)], lambda tf, x: tf.image.resize_images(x, [3, 2], method=7), "method"),
]

GEOMETRY = [
    OpCase("ReverseV2", [normal(4, 5, 3)], lambda tf, x: tf.image.flip_left_right(x), "flip_left_right"),
    OpCase("ReverseV2", [normal(2, 4, 5, 3)], lambda tf, x: tf.image.flip_up_down(x), "flip_up_down"),
    OpCase("Transpose", [normal(4, 5, 3)], lambda tf, x: tf.image.transpose_image(x), "transpose_image"),
    OpCase(
        "Transpose", [normal(2, 4, 5, 3)], lambda tf, x: tf.image.transpose_image(x, name="t"), "transpose_image batch"
    ),
    *(
        OpCase(
            "Transpose",
            [normal(*shape)],
            lambda tf, x, k=k: tf.image.rot90(x, k),
            "rot90 %d of %d" % (k, len(shape)),
            graph=False,
            grad=False,
            misuse=False,
        )
        for k in (1, 2, 3, 5)
        for shape in ((3, 4, 2), (2, 3, 4, 1))
    ),
    OpCase(
        "Transpose",
        [normal(3, 4, 2), given(3, "int32")],
        lambda tf, x, k: tf.image.rot90(x, k),
        "rot90 fed",
        graph=False,
        grad=False,
        misuse=False,
    ),
    OpCase("Slice", [normal(7, 8, 3)], lambda tf, x: tf.image.central_crop(x, 0.5), "central_crop"),
    OpCase("Slice", [normal(2, 9, 8, 3)], lambda tf, x: tf.image.central_crop(x, 0.33), "central_crop batch"),
    OpCase(
        "Slice", [normal(7, 8, 3)], lambda tf, x: tf.image.crop_to_bounding_box(x, 1, 2, 4, 5), "crop_to_bounding_box"
    ),
    OpCase(
        "Slice",
        [normal(2, 7, 8, 3)],
        lambda tf, x: tf.image.crop_to_bounding_box(x, 0, 2, 7, 5),
        "crop_to_bounding_box batch",
    ),
    OpCase(
        "Slice",
        [normal(7, 8, 3), given(2, "int32")],
        lambda tf, x, n: tf.image.crop_to_bounding_box(x, n, 2, 4, 5),
        "crop_to_bounding_box fed",
    ),
    OpCase("Pad", [normal(2, 3, 3)], lambda tf, x: tf.image.pad_to_bounding_box(x, 1, 2, 4, 7), "pad_to_bounding_box"),
    OpCase(
        "Pad",
        [normal(2, 2, 3, 3)],
        lambda tf, x: tf.image.pad_to_bounding_box(x, 1, 2, 4, 7),
        "pad_to_bounding_box batch",
    ),
    OpCase("Pad", [normal(6, 3, 3)], lambda tf, x: tf.image.resize_image_with_crop_or_pad(x, 4, 6), "crop_or_pad"),
    OpCase(
        "Pad", [normal(2, 3, 7, 3)], lambda tf, x: tf.image.resize_image_with_crop_or_pad(x, 6, 4), "crop_or_pad batch"
    ),
    OpCase(
        "Pad",
        [normal(6, 3, 3), given(5, "int32")],
        lambda tf, x, n: tf.image.resize_image_with_crop_or_pad(x, n, 6),
        "crop_or_pad fed",
    ),
    OpCase(
        "RandomUniform",
        [normal(4, 5, 3)],
        lambda tf, x: tf.image.random_flip_left_right(x, seed=5),
        "random_flip_left_right",
        graph=False,
        smooth=False,
    ),
    OpCase(
        "RandomUniform",
        [normal(4, 5, 3)],
        lambda tf, x: tf.image.random_flip_up_down(x, seed=8),
        "random_flip_up_down",
        graph=False,
        smooth=False,
    ),
    OpCase(
        "RandomUniform",
        [normal(5, 2, 3, 1)],
        lambda tf, x: tf.image.random_flip_left_right(x, seed=5),
        "random_flip_left_right batch",
        smooth=False,
    ),
    OpCase(
        "RandomUniformInt",
        [normal(7, 8, 3)],
        lambda tf, x: tf.image.random_crop(x, [3, 4, 3], seed=3),
        "random_crop",
        smooth=False,
    ),
    Fails("ReverseV2", [normal(4, 5)], lambda tf, x: tf.image.flip_left_right(x), "rank"),
    Fails("Slice", [normal(4, 5, 1)], lambda tf, x: tf.image.central_crop(x, 0.0), "no fraction"),
    Fails("Slice", [normal(4, 5, 1)], lambda tf, x: tf.image.crop_to_bounding_box(x, 2, 0, 3, 2), "outside"),
    Fails("Pad", [normal(4, 5, 1)], lambda tf, x: tf.image.pad_to_bounding_box(x, 2, 0, 5, 9), "too large"),
    Fails(
        "Slice",
        [normal(4, 5, 1), given(3, "int32")],
        lambda tf, x, n: tf.image.crop_to_bounding_box(x, n, 0, 3, 2),
        "outside when run",
    ),
]

COLORS = [
    OpCase("RGBToHSV", [uniform(2, 3, 3)], lambda tf, x: tf.image.rgb_to_hsv(x), types=WIDE, tol=2),
    OpCase(
        "RGBToHSV",
        [given([[[0.5, 0.5, 0.5], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.3, 0.3], [0.2, 0.0, 0.2]]])],
        lambda tf, x: tf.image.rgb_to_hsv(x),
        "ties",
        grad=False,
    ),
    OpCase("HSVToRGB", [uniform(2, 3, 3)], lambda tf, x: tf.image.hsv_to_rgb(x), types=WIDE),
    OpCase("AdjustContrastv2", [uniform(2, 4, 5, 3)], lambda tf, x: tf.image.adjust_contrast(x, 1.7), grad=False),
    OpCase("AdjustContrastv2", [pixels(4, 5, 3)], lambda tf, x: tf.image.adjust_contrast(x, 0.4), "of uint8"),
    OpCase("AdjustHue", [uniform(2, 4, 3)], lambda tf, x: tf.image.adjust_hue(x, 0.3), grad=False, tol=4),
    OpCase("AdjustHue", [uniform(2, 4, 3)], lambda tf, x: tf.image.adjust_hue(x, -0.8), "backwards", grad=False, tol=4),
    OpCase("AdjustHue", [pixels(4, 5, 3)], lambda tf, x: tf.image.adjust_hue(x, 0.1), "of uint8"),
    OpCase("AdjustSaturation", [uniform(2, 4, 3)], lambda tf, x: tf.image.adjust_saturation(x, 0.5), grad=False, tol=4),
    OpCase("AdjustSaturation", [pixels(4, 5, 3)], lambda tf, x: tf.image.adjust_saturation(x, 3.0), "of uint8"),
    OpCase("Add", [uniform(4, 5, 3)], lambda tf, x: tf.image.adjust_brightness(x, 0.2), "adjust_brightness"),
    OpCase("Add", [pixels(4, 5, 3)], lambda tf, x: tf.image.adjust_brightness(x, 0.2), "adjust_brightness of uint8"),
    OpCase("Pow", [uniform(4, 5, 3, low=0.1)], lambda tf, x: tf.image.adjust_gamma(x, 0.7, 1.2), "adjust_gamma"),
    OpCase(
        "RandomUniform",
        [uniform(4, 5, 3)],
        lambda tf, x: tf.image.random_brightness(x, 0.2, seed=3),
        "random_brightness",
        smooth=False,
    ),
    OpCase(
        "RandomUniform",
        [uniform(4, 5, 3)],
        lambda tf, x: tf.image.random_contrast(x, 0.2, 1.8, seed=3),
        "random_contrast",
        grad=False,
    ),
    OpCase(
        "RandomUniform",
        [uniform(4, 5, 3)],
        lambda tf, x: tf.image.random_hue(x, 0.2, seed=3),
        "random_hue",
        grad=False,
        tol=4,
    ),
    OpCase(
        "RandomUniform",
        [uniform(4, 5, 3)],
        lambda tf, x: tf.image.random_saturation(x, 0.2, 1.8, seed=3),
        "random_saturation",
        grad=False,
        tol=4,
    ),
    OpCase("MatMul", [uniform(2, 4, 5, 3)], lambda tf, x: tf.image.rgb_to_grayscale(x), "rgb_to_grayscale"),
    OpCase("MatMul", [pixels(4, 5, 3)], lambda tf, x: tf.image.rgb_to_grayscale(x), "rgb_to_grayscale of uint8"),
    OpCase("Tile", [uniform(4, 5, 1)], lambda tf, x: tf.image.grayscale_to_rgb(x), "grayscale_to_rgb"),
    *(
        OpCase("MatMul", [uniform(2, 5, 3)], lambda tf, x, f=f: getattr(tf.image, f)(x), f)
        for f in ["rgb_to_yiq", "yiq_to_rgb", "rgb_to_yuv", "yuv_to_rgb"]
    ),
    OpCase(
        "RealDiv",
        [normal(4, 5, 3)],
        lambda tf, x: tf.image.per_image_standardization(x),
        "per_image_standardization",
        tol=4,
        misuse=False,  # integers: docs/differences.md
    ),
    OpCase(
        "RealDiv",
        [normal(2, 4, 5, 3)],
        lambda tf, x: tf.image.per_image_standardization(x),
        "per_image_standardization batch",
        tol=4,
        misuse=False,  # integers: docs/differences.md
    ),
    *(
        OpCase(
            "Mul",
            [pixels(3, 4)],
            lambda tf, x, t=t, s=s: tf.image.convert_image_dtype(x, t, saturate=s),
            "convert_image_dtype to %s %d" % (t, s),
        )
        for t, s in [("float32", False), ("float64", False), ("int16", False), ("uint16", True), ("int32", False)]
    ),
    *(
        OpCase(
            "Cast",
            [normal(3, 4, scale=0.6)],
            lambda tf, x, t=t: tf.image.convert_image_dtype(x, t, saturate=True),
            "convert_image_dtype of floats to %s" % t,
        )
        for t in ["uint8", "int8", "float64", "int16"]
    ),
    OpCase(
        "Cast",
        [ints(-300, 300, 3, 4, dtype="int16")],
        lambda tf, x: tf.image.convert_image_dtype(x, "int8"),
        "convert_image_dtype down",
    ),
    Fails("AdjustHue", [uniform(4, 5, 4)], lambda tf, x: tf.image.adjust_hue(x, 0.3), "four channels"),
    Fails("RGBToHSV", [uniform(4, 5, 4)], lambda tf, x: tf.image.rgb_to_hsv(x), "four channels"),
    Fails("RandomUniform", [uniform(4, 5, 3)], lambda tf, x: tf.image.random_brightness(x, -0.2), "negative"),
    Fails(
        "RandomUniform", [uniform(4, 5, 3)], lambda tf, x: tf.image.random_contrast(x, 1.2, 0.2), "upper below lower"
    ),
    Fails("RandomUniform", [uniform(4, 5, 3)], lambda tf, x: tf.image.random_hue(x, 0.7), "too much"),
    Fails("Tile", [uniform(4, 5, 3)], lambda tf, x: tf.image.grayscale_to_rgb(x), "three channels"),
]

MEASURES = [
    OpCase("Sum", [normal(4, 5, 3)], lambda tf, x: tf.image.total_variation(x), "total_variation", smooth=False),
    OpCase(
        "Sum",
        [normal(2, 4, 5, 3)],
        lambda tf, x: tf.image.total_variation(x),
        "total_variation batch",
        smooth=False,
        tol=4,
    ),
    OpCase("StridedSlice", [normal(2, 4, 5, 3)], lambda tf, x: tf.image.image_gradients(x), "image_gradients"),
    OpCase("DepthwiseConv2dNative", [normal(2, 5, 6, 3)], lambda tf, x: tf.image.sobel_edges(x), "sobel_edges", tol=8),
    OpCase(
        "Mean", [uniform(2, 5, 6, 3), uniform(2, 5, 6, 3)], lambda tf, a, b: tf.image.psnr(a, b, 1.0), "psnr", tol=4
    ),
    OpCase(
        "Mean", [pixels(5, 6, 3), pixels(5, 6, 3)], lambda tf, a, b: tf.image.psnr(a, b, 255), "psnr of uint8", tol=4
    ),
    OpCase(
        "DepthwiseConv2dNative",
        [uniform(2, 13, 12, 1), uniform(2, 13, 12, 1)],
        lambda tf, a, b: tf.image.ssim(a, b, 1.0),
        "ssim",
        graph=False,  # the shape of the filters is known here
        tol=20,
        smooth=False,
        portable=False,
    ),
    OpCase(
        "DepthwiseConv2dNative",
        [pixels(13, 12, 3), pixels(13, 12, 3)],
        lambda tf, a, b: tf.image.ssim(a, b, 255, filter_size=5),
        "ssim of uint8",
        graph=False,
        tol=20,
        portable=False,
    ),
    OpCase(
        "AvgPool",
        [uniform(1, 24, 23, 1), uniform(1, 24, 23, 1)],
        lambda tf, a, b: tf.image.ssim_multiscale(a, b, 1.0, power_factors=(0.4, 0.6), filter_size=5),
        "ssim_multiscale",
        tol=50,
        smooth=False,
        graph=False,
        misuse=False,
    ),
    Fails("Sum", [normal(4, 5)], lambda tf, x: tf.image.total_variation(x), "rank"),
    Fails("Mean", [uniform(5, 6, 3), uniform(5, 5, 3)], lambda tf, a, b: tf.image.psnr(a, b, 1.0), "shapes"),
]

REGIONS = [
    OpCase(
        "ImageProjectiveTransformV2",
        [normal(2, 4, 5, 1)],
        lambda tf, x: tf.contrib.image.transform(x, [1.0, 0.1, 0.3, -0.1, 1.0, 0.6, 0.0, 0.0], "BILINEAR"),
        types=("float32",),
        smooth=False,  # the gradient is the transform back, no derivative
    ),
    OpCase(
        "BipartiteMatch",
        [spread(4, 3), given([-1.0])],
        lambda tf, x, n: tf.contrib.image.bipartite_match(x, n, top_k=2),
        types=("float32",),
    ),
    OpCase(
        "ImageConnectedComponents",
        [ints(0, 3, 2, 4, 5)],
        lambda tf, x: tf.contrib.image.connected_components(x),
        types=("int32", "int64", "uint8"),
        graph=False,  # TensorFlow numbers regions anew by further operations, ours come in that order
        misuse=False,
        shapes=False,
    ),
]

CASES = RESIZE + GEOMETRY + COLORS + MEASURES + REGIONS
