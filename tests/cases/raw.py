"""Records of ops that graphs hold and no public function makes: gradients and older forms."""

import numpy as np

from cases.base import COMPLEX, FLOATS, INTS, WIDE, OpCase, given, normal, raw, spread, uniform

CASES = []


def made(op, inputs, label="", types=("float32",), attrs=None, names=None, **more):
    """A record of an op whose inputs are called `names`, with `attrs`."""

    def build(tf, *xs):
        args = dict(zip(names, xs))
        args.update(attrs(tf) if callable(attrs) else attrs or {})
        return raw(tf, op, **args)

    return OpCase(op, inputs, build, label, types, **more)


# Gradients of element-wise functions, written in terms of the result.
Y_DY = ("y", "dy")
for op, types in (
    ("SigmoidGrad", FLOATS + COMPLEX),
    ("TanhGrad", FLOATS + COMPLEX),
    ("SqrtGrad", FLOATS + COMPLEX),
    ("RsqrtGrad", FLOATS + COMPLEX),
    ("ReciprocalGrad", FLOATS + COMPLEX),
    ("InvGrad", FLOATS + COMPLEX),
):
    CASES.append(made(op, [uniform(3, 4, low=0.5, high=2.0), normal(3, 4)], "", types, names=Y_DY, tol=2))
for op, of in (
    ("SoftplusGrad", "features"),
    ("SoftsignGrad", "features"),
    ("EluGrad", "outputs"),
    ("SeluGrad", "outputs"),
    ("ReluGrad", "features"),
    ("Relu6Grad", "features"),
    ("LeakyReluGrad", "features"),
):
    has_gradient = op != "SoftsignGrad"
    CASES.append(
        made(op, [normal(3, 4), normal(3, 4)], "", FLOATS, names=("gradients", of), smooth=False, grad=has_gradient)
    )
CASES += [
    made("Inv", [uniform(3, low=0.5, high=2.0)], "", WIDE, names=("x",)),
    made("Mod", [given([7, -7, 7.5]), given([2, 2, -2])], "", ("float32", "float64", "int32"), names=("x", "y"), grad=False),
    made("MulNoNan", [given([1.0, np.inf, 2.0]), given([3.0, 0.0, 0.5])], "", WIDE, names=("x", "y"), smooth=False),
    made("NextAfter", [given([1.0, 0.0, -1.0]), given([2.0, -1.0, -1.0])], "", WIDE, names=("x1", "x2"), grad=False),
    made("Bucketize", [given([-5.0, 0.0, 10, 150, 10.5])], "", ("float32", "float64", "int32", "int64"), names=("input",),
         attrs={"boundaries": [0.0, 10.0, 100.0]}),
    made("BesselI0e", [normal(6, scale=3.0)], "", WIDE, names=("x",), tol=2),
    made("BesselI1e", [normal(6, scale=3.0)], "", WIDE, names=("x",), tol=2),
    made("CumulativeLogsumexp", [normal(2, 4)], "", WIDE, names=("x",), attrs={"axis": 1}, tol=2, grad=False),
    made("CumulativeLogsumexp", [normal(2, 4)], "exclusive reverse", WIDE, names=("x",),
         attrs={"axis": 1, "exclusive": True, "reverse": True}, tol=2, grad=False),
    made("IgammaGradA", [uniform(4, low=0.5, high=3.0), uniform(4, low=0.5, high=3.0)], "", WIDE, names=("a", "x"),
         grad=False, tol=50),
    made("RandomGammaGrad", [uniform(4, low=0.5, high=3.0), uniform(4, low=0.5, high=3.0)], "", WIDE,
         names=("alpha", "sample"), grad=False, tol=50),
    made("ApproximateEqual", [given([1.0, 2, 3]), given([1.0, 2.00001, 2.5])], "", WIDE, names=("x", "y"),
         attrs={"tolerance": 1e-3}),
    made("OnesLike", [normal(2, 3)], "", FLOATS + INTS + COMPLEX, names=("x",)),
    made("Snapshot", [normal(2, 3)], names=("input",), grad=False),
    made("GuaranteeConst", [normal(2, 3)], names=("input",), grad=False),
    made("PreventGradient", [normal(2, 3)], names=("input",), attrs={"message": "no"}, grad=False),
]  # fmt: skip

# Bits.
WHOLE = ("int32", "int64", "uint8", "int8", "int16", "uint16")
for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor", "LeftShift", "RightShift"):
    CASES.append(made(op, [given([5, 0, 3, 14, 7]), given([1, 2, 3, 2, 0])], "", WHOLE, names=("x", "y")))
CASES += [
    made("Invert", [given([5, 0, 3])], "", WHOLE, names=("x",)),
    made("PopulationCount", [given([5, 0, 7])], "", WHOLE, names=("x",)),
]

# Arrays.
CASES += [
    OpCase("ConcatOffset", [given([2, 3], "int32"), given([4, 3], "int32")],
           lambda tf, a, b: raw(tf, "ConcatOffset", concat_dim=0, shape=[a, b, a])),
    made("MirrorPadGrad", [normal(5, 4)], "", WIDE, names=("input",), attrs={"paddings": [[1, 1], [0, 1]], "mode": "REFLECT"}),
    made("MirrorPadGrad", [normal(6, 5)], "symmetric", names=("input",),
         attrs={"paddings": [[1, 2], [0, 2]], "mode": "SYMMETRIC"}),
    made("SpaceToBatch", [normal(1, 4, 4, 2)], "", WIDE, names=("input",), attrs={"paddings": [[0, 0], [0, 0]], "block_size": 2}),
    made("BatchToSpace", [normal(4, 2, 2, 2)], "", WIDE, names=("input",), attrs={"crops": [[0, 0], [1, 0]], "block_size": 2}),
    made("UniqueV2", [given([[1, 0, 0], [1, 0, 0], [2, 0, 0]], "int32")], misuse=False,
         shapes=False, names=("x",), attrs=lambda tf: {"axis": np.array([0])}),
    made("UniqueWithCountsV2", [given([[1, 0, 0], [1, 0, 0], [2, 0, 0]], "int32")], misuse=False, shapes=False, names=("x",),
         attrs=lambda tf: {"axis": np.array([0])}),
    made("TensorScatterSub", [normal(4, 2), given([[1], [1]], "int32"), normal(2, 2)], "", WIDE,
         names=("tensor", "indices", "updates")),
    made("TensorStridedSliceUpdate", [normal(4, 3), normal(2, 3)], "", WIDE, names=("input", "value"), grad=False,
         attrs={"begin": [1], "end": [3], "strides": [1]}),
    OpCase("MatrixDiagV2", [normal(2, 3)],
           lambda tf, x: raw(tf, "MatrixDiagV2", diagonal=x, k=1, num_rows=-1, num_cols=-1,
           padding_value=tf.cast(7.0, x.dtype)), types=WIDE, misuse=False, grad=False, shapes=False),
    OpCase("MatrixDiagV2", [normal(2, 3)], lambda tf, x: raw(tf, "MatrixDiagV2", diagonal=x, k=[-1, 0], num_rows=3,
           num_cols=4, padding_value=tf.cast(0.0, x.dtype)), "band", misuse=False, grad=False, shapes=False),
    OpCase("MatrixDiagPartV2", [normal(2, 3, 4)], lambda tf, x: raw(tf, "MatrixDiagPartV2", input=x, k=[-1, 1],
           padding_value=tf.cast(9.0, x.dtype)), types=WIDE, misuse=False, grad=False),
    OpCase("MatrixSetDiagV2", [normal(2, 3, 4), normal(2, 3)],
           lambda tf, x, d: raw(tf, "MatrixSetDiagV2", input=x, diagonal=d,
           k=1), types=WIDE, grad=False, misuse=False),
    OpCase("UnsortedSegmentJoin", [given(["a", "b", "c"], "string"), given([1, 0, 1], "int32")],
           lambda tf, x, s: raw(tf, "UnsortedSegmentJoin", inputs=x, segment_ids=s, num_segments=3, separator="-"),
           misuse=False),
]  # fmt: skip
for op in ("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN"):
    CASES.append(
        made(op + "WithNumSegments", [normal(5, 3), given([0, 2, 2], "int32"), given([0, 0, 2], "int32")], "", WIDE,
             names=("data", "indices", "segment_ids"), attrs={"num_segments": 4})
    )  # fmt: skip
    if op != "SparseSegmentSum":
        CASES.append(
            made(op + "Grad", [normal(2, 3), given([0, 2, 2], "int32"), given([0, 0, 1], "int32")], "", WIDE,
                 names=("grad", "indices", "segment_ids"), attrs={"output_dim0": 5}, grad=False)
        )  # fmt: skip

# Neural networks.
WINDOW = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}
WINDOW3 = {"ksize": [1, 2, 2, 2, 1], "strides": [1, 2, 2, 2, 1], "padding": "SAME"}
STEP = {"strides": [1, 1, 1, 1], "padding": "SAME"}
STEP3 = {"strides": [1, 1, 1, 1, 1], "padding": "SAME"}


def pooled(op, tail, more=(), window=WINDOW, shape=(2, 4, 4, 3), forward="max_pool", **flags):
    """A gradient of max-pooling: it takes the input, the pooled input and one or two gradients."""

    def build(tf, x, g):
        size = {k: window[k] for k in ("ksize", "strides", "padding")}
        y = getattr(tf.nn, forward)(x, size["ksize"], size["strides"], size["padding"])
        args = dict(window, orig_input=x, orig_output=y, grad=g)
        return raw(tf, op, **args)

    return OpCase(op, [spread(*shape), normal(*tail)], build, misuse=False, smooth=False, **flags)


CASES += [
    pooled("MaxPoolGrad", (2, 2, 2, 3)),
    pooled("MaxPoolGradV2", (2, 2, 2, 3)),
    pooled("MaxPoolGradGrad", (2, 4, 4, 3)),
    pooled("MaxPoolGradGradV2", (2, 4, 4, 3)),
    pooled("MaxPool3DGrad", (1, 2, 2, 2, 2), window=WINDOW3, shape=(1, 4, 4, 4, 2), forward="max_pool3d"),
    pooled("MaxPool3DGradGrad", (1, 4, 4, 4, 2), window=WINDOW3, shape=(1, 4, 4, 4, 2), forward="max_pool3d"),
    made("MaxPoolV2", [spread(2, 4, 4, 3)], names=("input",), attrs=WINDOW, smooth=False),
    made("MaxPoolGradWithArgmax", [spread(1, 2, 2, 1), normal(1, 1, 1, 1), given([[[[2]]]], "int64")],
         names=("input", "grad", "argmax"), attrs=WINDOW, smooth=False, grad=False),
    made("AvgPoolGrad", [normal(2, 2, 2, 3)], "", ("float32", "float64"), names=("grad",),
         attrs=dict(WINDOW, orig_input_shape=[2, 4, 4, 3])),
    made("AvgPool3DGrad", [normal(1, 2, 2, 2, 3)], names=("grad",), attrs=dict(WINDOW3, orig_input_shape=[1, 4, 4, 4, 3])),
    made("BiasAddGrad", [normal(2, 3, 4)], "", FLOATS, names=("out_backprop",)),
    made("BiasAddV1", [normal(2, 3), normal(3)], "", WIDE, names=("value", "bias")),
    OpCase("LRNGrad", [normal(1, 2, 2, 6), normal(1, 2, 2, 6)],
           lambda tf, g,
           x: raw(tf, "LRNGrad", input_grads=g, input_image=x, output_image=tf.nn.lrn(x, 2, 1.0, 0.1, 0.5),
                                depth_radius=2, bias=1.0, alpha=0.1, beta=0.5), grad=False, misuse=False, tol=5),
    made("Conv3DBackpropFilterV2", [normal(1, 3, 3, 3, 2), normal(1, 3, 3, 3, 3)], "", WIDE, names=("input", "out_backprop"),
         attrs=dict(STEP3, filter_sizes=[2, 2, 2, 2, 3]), tol=5),
    made("Conv3DBackpropInputV2", [normal(2, 2, 2, 2, 3), normal(1, 3, 3, 3, 3)], "", WIDE, names=("filter", "out_backprop"),
         attrs=dict(STEP3, input_sizes=[1, 3, 3, 3, 2]), tol=5),
    made("DepthwiseConv2dNativeBackpropFilter", [normal(2, 4, 4, 2), normal(2, 4, 4, 4)], "", WIDE,
         names=("input", "out_backprop"), attrs=dict(STEP, filter_sizes=[3, 3, 2, 2]), tol=5),
    made("DepthwiseConv2dNativeBackpropInput", [normal(3, 3, 2, 2), normal(2, 4, 4, 4)], "", WIDE,
         names=("filter", "out_backprop"), attrs=dict(STEP, input_sizes=[2, 4, 4, 2]), tol=5),
    made("Dilation2DBackpropInput", [normal(1, 4, 4, 2), normal(2, 2, 2), normal(1, 4, 4, 2)], "", WIDE,
         names=("input", "filter", "out_backprop"), attrs=dict(STEP, rates=[1, 1, 1, 1]), smooth=False, grad=False),
    made("Dilation2DBackpropFilter", [normal(1, 4, 4, 2), normal(2, 2, 2), normal(1, 4, 4, 2)], "", WIDE,
         names=("input", "filter", "out_backprop"), attrs=dict(STEP, rates=[1, 1, 1, 1]), smooth=False, grad=False),
    made("StatelessMultinomial", [normal(2, 4)], names=("logits",), attrs=lambda tf: {"num_samples": 5, "seed": [1, 2]}),
]  # fmt: skip
NORM = [normal(2, 3, 3, 4, dtype="float32"), uniform(4, low=0.5, dtype="float32"), normal(4, dtype="float32")]
for version in ("", "V2"):
    CASES += [
        OpCase("FusedBatchNorm" + version, NORM, lambda tf, x, s, o, v=version: raw(
            tf, "FusedBatchNorm" + v, x=x, scale=s, offset=o, mean=np.zeros(0, np.float32),
            variance=np.zeros(0, np.float32),
            epsilon=0.01)[:3], tol=5, misuse=False, smooth=False),
    ]  # fmt: skip
for version in ("", "V2", "V3"):
    CASES.append(
        OpCase(
            "FusedBatchNormGrad" + version,
            [*NORM[:2], normal(2, 3, 3, 4, dtype="float32"), normal(4, dtype="float32"), uniform(4, low=0.5, dtype="float32")],
            lambda tf, x, s, g, m, v, version=version: raw(
                tf, "FusedBatchNormGrad" + version, y_backprop=g, x=x, scale=s, reserve_space_1=m, reserve_space_2=v,
                epsilon=0.01, is_training=False, **({"reserve_space_3": m} if version == "V3" else {}))[:3],
            tol=5, misuse=False, grad=False,
        )
    )  # fmt: skip

# Rows replaced or added to; TensorFlow overwrites what it is given, so that is computed first.
for op in ("InplaceUpdate", "InplaceAdd", "InplaceSub"):
    CASES.append(
        OpCase(
            op,
            [normal(4, 3), given([2, 0], "int32"), normal(2, 3)],
            lambda tf, x, i, v, op=op: raw(tf, op, x=x + x, i=i, v=v),
            types=("float32", "float64", "int32"),
            grad=False,
            misuse=False,
        )
    )

# Resources.
CASES += [
    OpCase("VariableShape", [],
           lambda tf: raw(tf, "VariableShape", input=tf.Variable(tf.ones([2, 3]), use_resource=True).handle)),
    OpCase("ResourceGather", [given([2, 0], "int32")],
           lambda tf, i: tf.gather(tf.Variable([1.0, 2.0, 3.0], use_resource=True), i)),
    OpCase("ResourceCountUpTo", [], lambda tf: raw(
        tf, "ResourceCountUpTo", resource=tf.Variable(0, use_resource=True).handle, limit=3, T=tf.int32)),
]  # fmt: skip
