"""Sparse tensors and sets: arranging, arithmetic, reductions, products, serialized forms."""

import numpy as np

from cases.base import WIDE, Fails, OpCase, given, normal, raw

AT = [[0, 1], [1, 0], [1, 3], [2, 2]]
OTHER = [[0, 1], [0, 2], [1, 3]]
SHAPE = [3, 4]
FOUR, THREE = normal(4), normal(3)


def sp(tf, values, at=AT, shape=SHAPE):
    return tf.SparseTensor(at, values, shape)


def sparse(op, call, label="", inputs=(FOUR,), **more):
    return OpCase(op, list(inputs), call, label, **more)


ARRANGE = [
    sparse("SparseReorder", lambda tf, v: tf.sparse_reorder(sp(tf, v, [[2, 2], [0, 1], [1, 3], [1, 0]])), types=WIDE),
    sparse("SparseReshape", lambda tf, v: tf.sparse_reshape(sp(tf, v), [2, -1])),
    sparse("SparseConcat", lambda tf, v, w: tf.sparse_concat(1, [sp(tf, v), sp(tf, w, OTHER)]), inputs=[FOUR, THREE]),
    sparse(
        "SparseConcat",
        lambda tf, v, w: tf.sparse_concat(0, [sp(tf, v), sp(tf, w, OTHER, [3, 5])], expand_nonconcat_dim=True),
        "expanded",
        [FOUR, THREE],
        graph=False,  # the shape of the result is a constant here
    ),
    sparse("SparseSplit", lambda tf, v: tf.sparse_split(sp_input=sp(tf, v), num_split=2, axis=1)),
    sparse("SparseSlice", lambda tf, v: tf.sparse_slice(sp(tf, v), [0, 1], [2, 3])),
    sparse(
        "SparseSliceGrad",
        lambda tf, g: raw(
            tf,
            "SparseSliceGrad",
            backprop_val_grad=g,
            input_indices=tf.constant(AT, tf.int64),
            input_start=tf.constant([0, 1], tf.int64),
            output_indices=tf.constant([[0, 0], [1, 2]], tf.int64),
        ),
        inputs=[normal(2)],
        grad=False,
        misuse=False,
    ),
    sparse("SparseFillEmptyRows", lambda tf, v: tf.sparse_fill_empty_rows(sp(tf, v, AT, [4, 4]), 7.0)),
    sparse(
        "SparseFillEmptyRowsGrad",
        lambda tf, g: raw(
            tf, "SparseFillEmptyRowsGrad", reverse_index_map=tf.constant([0, 2], tf.int64), grad_values=g
        ),
        inputs=[THREE],
        grad=False,
        misuse=False,
    ),
    sparse("SparseToDense", lambda tf, v: tf.sparse_to_dense(AT, SHAPE, v, 9.0)),
    sparse("SparseToDense", lambda tf, v: tf.sparse_tensor_to_dense(sp(tf, v)), "tensor"),
    sparse("Where", lambda tf, v: tf.sparse_retain(sp(tf, v), [True, False, True, True]), "retain", graph=False),
    sparse(
        "SparseCross",
        lambda tf, a, b: raw(
            tf,
            "SparseCross",
            indices=[tf.constant([[0, 0], [1, 0]], tf.int64)],
            values=[a],
            shapes=[tf.constant([2, 1], tf.int64)],
            dense_inputs=[b],
            hashed_output=True,
            num_buckets=100,
            hash_key=956888297470,
            out_type=tf.int64,
            internal_type=tf.int64,
        ),
        inputs=[given([3, 5], "int64"), given([[7], [8]], "int64")],
        grad=False,
        misuse=False,
    ),
]

ARITHMETIC = [
    sparse("SparseAdd", lambda tf, v, w: tf.sparse_add(sp(tf, v), sp(tf, w, OTHER)), inputs=[FOUR, THREE]),
    sparse(
        "SparseAdd",
        lambda tf, v, w: tf.sparse_add(sp(tf, v), sp(tf, w, OTHER), threshold=1.0),
        "threshold",
        [FOUR, THREE],
        smooth=False,
    ),
    sparse(
        "SparseAddGrad",
        lambda tf, g: raw(
            tf,
            "SparseAddGrad",
            backprop_val_grad=g,
            a_indices=tf.constant(AT, tf.int64),
            b_indices=tf.constant(OTHER, tf.int64),
            sum_indices=tf.constant([[0, 1], [0, 2], [1, 0], [1, 3], [2, 2]], tf.int64),
        ),
        inputs=[normal(5)],
        grad=False,
        misuse=False,
    ),
    sparse("SparseTensorDenseAdd", lambda tf, v, d: tf.sparse_add(sp(tf, v), d), inputs=[FOUR, normal(3, 4)]),
    sparse("SparseDenseCwiseMul", lambda tf, v, d: sp(tf, v) * d, inputs=[FOUR, normal(3, 4)]),
    sparse("SparseDenseCwiseMul", lambda tf, v, d: sp(tf, v) * d, "broadcast", [FOUR, normal(4)]),
    sparse("SparseDenseCwiseDiv", lambda tf, v, d: sp(tf, v) / d, inputs=[FOUR, normal(3, 4, shift=3.0)]),
    sparse(
        "SparseDenseCwiseAdd",
        lambda tf, v, d: raw(
            tf,
            "SparseDenseCwiseAdd",
            sp_indices=tf.constant(AT, tf.int64),
            sp_values=v,
            sp_shape=tf.constant(SHAPE, tf.int64),
            dense=d,
        ),
        inputs=[FOUR, normal(3, 4)],
        grad=False,
    ),
    sparse(
        "SparseSparseMaximum",
        lambda tf, v, w: tf.sparse_maximum(sp(tf, v), sp(tf, w, OTHER)),
        inputs=[FOUR, THREE],
        grad=False,
    ),
    sparse(
        "SparseSparseMinimum",
        lambda tf, v, w: tf.sparse_minimum(sp(tf, v), sp(tf, w, OTHER)),
        inputs=[FOUR, THREE],
        grad=False,
    ),
    sparse("SparseSoftmax", lambda tf, v: tf.sparse_softmax(sp(tf, v)), types=WIDE),
    sparse("SparseReduceSum", lambda tf, v: tf.sparse_reduce_sum(sp(tf, v), 1), types=WIDE),
    sparse("SparseReduceSum", lambda tf, v: tf.sparse_reduce_sum(sp(tf, v), [-2], keep_dims=True), "keep dims"),
    sparse("SparseReduceMax", lambda tf, v: tf.sparse_reduce_max(sp(tf, v), 0), grad=False),
    sparse("SparseReduceSumSparse", lambda tf, v: tf.sparse_reduce_sum_sparse(sp(tf, v), 1), grad=False),
    sparse("SparseReduceMaxSparse", lambda tf, v: tf.sparse_reduce_max_sparse(sp(tf, v), 1), grad=False),
    sparse(
        "SparseTensorDenseMatMul",
        lambda tf, v, d: tf.sparse_tensor_dense_matmul(sp(tf, v), d),
        inputs=[FOUR, normal(4, 2)],
        types=WIDE,
    ),
    sparse(
        "SparseTensorDenseMatMul",
        lambda tf, v, d: tf.sparse_tensor_dense_matmul(sp(tf, v), d, adjoint_a=True, adjoint_b=True),
        "adjoint",
        [FOUR, normal(2, 3)],
    ),
]

SERIAL = [
    sparse("SerializeSparse", lambda tf, v: tf.serialize_sparse(sp(tf, v)), grad=False),
    sparse("SerializeManySparse", lambda tf, v: tf.serialize_many_sparse(sp(tf, v)), grad=False),
    sparse(
        "DeserializeManySparse",
        lambda tf, v: tf.deserialize_many_sparse(tf.serialize_many_sparse(sp(tf, v)), v.dtype),
        grad=False,
    ),
    sparse(
        "DeserializeSparse",
        lambda tf, v: raw(tf, "DeserializeSparse", serialized_sparse=tf.serialize_sparse(sp(tf, v)), dtype=tf.float32),
        grad=False,
    ),
]

A, B = given([[1, 2, 3, 3], [4, 5, 5, 9]], "int64"), given([[3, 2, 9, 9], [5, 7, 7, 7]], "int64")
SETS = [
    OpCase(
        "SetSize",
        [given([1, 1, 2, 5], "int64")],
        lambda tf, v: tf.sets.set_size(tf.SparseTensor(AT, v, SHAPE)),
        grad=False,
    ),
    *(
        OpCase(
            "DenseToDenseSetOperation",
            [A, B],
            lambda tf, a, b, f=f: getattr(tf.sets, f)(a, b),
            f.replace("set_", ""),
            grad=False,
        )
        for f in ("set_intersection", "set_difference", "set_union")
    ),
    OpCase(
        "DenseToSparseSetOperation",
        [given([[1, 2], [3, 4], [5, 6]], "int64"), given([2, 3, 9, 5], "int64")],
        lambda tf, a, v: tf.sets.set_intersection(a, tf.SparseTensor([[0, 0], [1, 0], [1, 1], [2, 0]], v, [3, 2])),
        grad=False,
    ),
    OpCase(
        "SparseToSparseSetOperation",
        [given([2, 3, 9, 5], "int64"), given([2, 9, 5], "int64")],
        lambda tf, v, w: tf.sets.set_union(
            tf.SparseTensor([[0, 0], [1, 0], [1, 1], [2, 0]], v, [3, 2]),
            tf.SparseTensor([[0, 0], [1, 0], [2, 0]], w, [3, 1]),
        ),
        grad=False,
    ),
]

RAGGED = [
    OpCase(
        "RaggedTensorToSparse",
        [normal(4)],
        lambda tf, v: tf.RaggedTensor.from_row_splits(v, [0, 1, 1, 4]).to_sparse(),
        graph=False,
        shapes=False,
        misuse=False,  # ours tell less: how many there are is counted in the run
        grad=False,
    ),
    OpCase(
        "RaggedGather",
        [normal(5)],
        lambda tf, v: raw(
            tf,
            "RaggedGather",
            params_nested_splits=[np.array([0, 2, 2, 3]), np.array([0, 2, 2, 5])],
            params_dense_values=v,
            indices=[[2, 0], [1, 0]],
            OUTPUT_RAGGED_RANK=3,
        ),
        grad=False,
        misuse=False,
    ),
    OpCase(
        "RaggedTensorToTensor",
        [normal(5)],
        lambda tf, v: [
            raw(
                tf,
                "RaggedTensorToTensor",
                shape=np.array(shape),
                values=v,
                default_value=tf.constant(7, v.dtype),
                row_partition_tensors=partitions,
                row_partition_types=kinds,
            )
            for shape, partitions, kinds in (
                ([-1, -1], [np.array([0, 2, 2, 5])], ["ROW_SPLITS"]),
                ([2, 4], [np.array([0, 2, 2, 5])], ["ROW_SPLITS"]),
                ([-1, 2], [np.array(4), np.array([0, 0, 2, 2, 2])], ["FIRST_DIM_SIZE", "VALUE_ROWIDS"]),
                ([-1, -1, 2], [np.array([0, 2, 3]), np.array([0, 3, 3, 5])], ["ROW_SPLITS", "ROW_SPLITS"]),
            )
        ],
        grad=False,
        misuse=False,
    ),
]


MAPS = [
    sparse(
        "AddManySparseToTensorsMap",
        lambda tf, v: raw(
            tf,
            "AddManySparseToTensorsMap",
            sparse_indices=tf.constant(AT, tf.int64),
            sparse_values=v,
            sparse_shape=tf.constant(SHAPE, tf.int64),
        ),
        grad=False,
        misuse=False,
    ),
    sparse(
        "AddSparseToTensorsMap",
        lambda tf, v: raw(
            tf,
            "AddSparseToTensorsMap",
            sparse_indices=tf.constant(AT, tf.int64),
            sparse_values=v,
            sparse_shape=tf.constant(SHAPE, tf.int64),
        ),
        grad=False,
        misuse=False,
    ),
]

MISUSES = [
    Fails(
        "SparseTensorDenseMatMul",
        [FOUR, normal(5, 2)],
        lambda tf, v, d: tf.sparse_tensor_dense_matmul(sp(tf, v), d),
        "inner sizes",
    ),
    Fails(
        "SparseToDense", [FOUR], lambda tf, v: tf.sparse_to_dense([[0, 1], [0, 1], [1, 3], [2, 2]], SHAPE, v), "twice"
    ),
    Fails("SparseReshape", [FOUR], lambda tf, v: tf.sparse_reshape(sp(tf, v), [5, -1]), "does not divide"),
    Fails("SparseAdd", [FOUR, THREE], lambda tf, v, w: tf.sparse_add(sp(tf, v), sp(tf, w, OTHER, [3, 5])), "shapes"),
]

CASES = ARRANGE + ARITHMETIC + SERIAL + SETS + RAGGED + MAPS + MISUSES
