"""Records of ops that no public function makes, and that belong to no other family."""

import numpy as np

from cases.base import Fails, OpCase, given, normal, raw, uniform

LOOP = [normal(3, 2, 3), normal(2, 2), normal(2, 2), normal(5, 8), normal(2), normal(2), normal(2), normal(8)]
LOOP_NAMES = ("x", "cs_prev", "h_prev", "w", "wci", "wcf", "wco", "b")


def lstm(tf, *values):
    return raw(tf, "BlockLSTMV2", seq_len_max=tf.constant(3, tf.int64), **dict(zip(LOOP_NAMES, values)))


def lstm_grad(tf, *values):
    out = lstm(tf, *values[:-1])._asdict()
    inputs = dict(zip(LOOP_NAMES, values))
    return raw(
        tf,
        "BlockLSTMGradV2",
        seq_len_max=tf.constant(3, tf.int64),
        cs_grad=values[-1],
        h_grad=values[-1],
        use_peephole=False,
        **inputs,
        **out,
    )


def gathered(tf, i):
    v = tf.Variable(np.arange(6, dtype=np.float32).reshape(3, 2), use_resource=True)
    return raw(tf, "ResourceGatherNd", resource=v.handle, indices=i, dtype=tf.float32)


def taken(tf, v):
    handles = raw(
        tf,
        "AddManySparseToTensorsMap",
        sparse_indices=tf.constant([[0, 0], [1, 2]], tf.int64),
        sparse_values=v,
        sparse_shape=tf.constant([2, 3], tf.int64),
        shared_name="a",
    )
    return raw(tf, "TakeManySparseFromTensorsMap", sparse_handles=handles, dtype=tf.float32, shared_name="a")


UNKNOWN = "name;1;/job:localhost/replica:0/task:0/device:CPU:0"
CASES = [
    OpCase("BlockLSTMV2", LOOP, lstm, "", grad=False, misuse=False, tol=10),
    OpCase("BlockLSTMGradV2", [*LOOP, normal(3, 2, 2)], lstm_grad, "", grad=False, misuse=False, tol=10),
    OpCase(
        "CholeskyGrad",
        [uniform(3, 3, low=0.5), normal(3, 3)],
        lambda tf, x, g: raw(tf, "CholeskyGrad", l=tf.cholesky(tf.matmul(x, x, transpose_b=True) + tf.eye(3)), grad=g),
        "",
        grad=False,
        misuse=False,
        tol=10,
    ),
    OpCase("ResourceGatherNd", [given([[1, 0], [2, 1]], "int32")], gathered, "", misuse=False),
    OpCase("TakeManySparseFromTensorsMap", [normal(2)], taken, "", grad=False, misuse=False, portable=False),
    OpCase(
        "GetSessionHandle",
        [normal(2)],
        lambda tf, x: tf.get_session_handle(x),
        "",
        value=False,
        grad=False,
        misuse=False,
    ),
    OpCase(
        "Einsum",
        [normal(2, 3), normal(3, 4)],
        lambda tf, x, y: (
            raw(tf, "Einsum", inputs=[x, y], equation="ij,jk->ik"),
            raw(tf, "Einsum", inputs=[x], equation="ij->j"),
        ),
        "",
        ["float32", "float64", "complex64"],
        misuse=False,
        tol=4,
    ),
    OpCase(
        "ScatterNdNonAliasingAdd",
        [normal(4), normal(3)],
        lambda tf, x, y: raw(tf, "ScatterNdNonAliasingAdd", input=x, indices=[[1], [3], [1]], updates=y),
        "",
        misuse=False,
    ),
    OpCase(
        "CompareAndBitpack",
        [given(np.arange(32).reshape(2, 16) * 7 % 13)],
        lambda tf, x: raw(tf, "CompareAndBitpack", input=x, threshold=tf.cast(6, x.dtype)),
        "",
        ["float32", "int32", "int8"],
        grad=False,
        misuse=False,
    ),
    OpCase(
        "DataFormatDimMap",
        [given([[0, 1, 2], [3, -1, -3]], "int32")],
        lambda tf, x: [
            raw(tf, "DataFormatDimMap", x=x, src_format=a, dst_format=b)
            for a, b in (("NHWC", "NCHW"), ("NCHW", "NHWC"), ("NHWC", "HWNC"))
        ],
        "",
        grad=False,
        misuse=False,
    ),
    OpCase(
        "DataFormatVecPermute",
        [given([5, 6, 7, 8], "int32"), given([[1, 2], [3, 4], [5, 6], [7, 8]], "int32")],
        lambda tf, x, y: [
            raw(tf, "DataFormatVecPermute", x=v, src_format=a, dst_format=b)
            for v in (x, y)
            for a, b in (("NHWC", "NCHW"), ("NCHW", "NHWC"), ("NHWC", "HWNC"))
        ],
        "",
        grad=False,
        misuse=False,
    ),
    OpCase("DeepCopy", [normal(2)], lambda tf, x: raw(tf, "DeepCopy", x=x), "", grad=False, misuse=False),
    OpCase(
        "Empty",
        [],
        lambda tf: raw(tf, "Empty", shape=[2, 3], dtype=tf.float32, init=True),
        "",
        grad=False,
        misuse=False,
    ),
    Fails(
        "DataFormatVecPermute",
        [given([1, 2], "int32")],
        lambda tf, x: raw(tf, "DataFormatVecPermute", x=x),
        "size",
    ),
    Fails("GetSessionTensor", [], lambda tf: raw(tf, "GetSessionTensor", handle=UNKNOWN, dtype=tf.float32), "unknown"),
    Fails("DeleteSessionTensor", [], lambda tf: raw(tf, "DeleteSessionTensor", handle=UNKNOWN), "unknown"),
]
