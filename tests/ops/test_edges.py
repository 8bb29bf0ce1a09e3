"""Static shapes and errors at the edges of array operations, as TensorFlow 1.15 has them."""

import numpy as np
import pytest

import thalweg as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as g:
        yield g


def test_transpose_of_what_may_be_a_scalar_has_no_known_rank():
    assert tf.transpose(tf.placeholder(tf.int32), [0]).shape.rank is None
    assert tf.transpose(tf.placeholder(tf.int32), [1, 0]).shape.as_list() == [None, None]


def test_split_that_does_not_divide():
    with pytest.raises(ValueError, match="should evenly divide"):
        tf.split([0, 1, 2, 3], 3)


def test_split_along_no_axis():
    axis = tf.placeholder(tf.int32)
    parts = tf.split(np.zeros([5, 30]), [4, 11, 15], axis=axis)
    with tf.Session() as s, pytest.raises(tf.errors.InvalidArgumentError, match="must have exactly one element"):
        s.run(parts, {axis: np.zeros(0, np.int32)})


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (tf.matrix_diag, "diagonal must be at least 1-dim"),
        (tf.matrix_diag_part, "input must be at least 2-dim"),
        (lambda v: tf.matrix_set_diag(v, [v]), "input must be at least 2-dim"),
        (lambda v: tf.matrix_set_diag([[v]], v), "diagonal must be at least 1-dim"),
    ],
)
def test_diagonals_of_a_scalar(made, message):
    v = tf.placeholder(tf.float32)
    with tf.Session() as s, pytest.raises(tf.errors.InvalidArgumentError, match=message):
        s.run(made(v), {v: 0.0})


def test_truth_values_are_padded_with_a_truth_value():
    spread = tf.matrix_diag(np.array([True, True]), k=1, padding_value=0)
    with tf.Session() as s:
        assert s.run(spread).tolist() == [[False, True, False], [False, False, True], [False] * 3]


def test_integers_have_no_gradient():
    i = tf.constant([1, 2, 3])
    assert tf.gradients(i * 2, i) == [None]
    assert tf.gradients(tf.gather(i, [0]), i, grad_ys=tf.constant([1])) == [None]


def test_unicode_that_is_none_and_encodings_that_are_none():
    kept = tf.strings.unicode_transcode(
        [b"\0\xff", b"a\tb"], "UTF-8", "UTF-8", errors="ignore", replace_control_characters=True
    )
    unknown = tf.strings.unicode_transcode(b"a", "invalid", "UTF-8")
    with tf.Session() as s:
        assert s.run(kept).tolist() == [b"", b"ab"]
        with pytest.raises(tf.errors.InvalidArgumentError, match="converter for input encoding: invalid"):
            s.run(unknown)
    with pytest.raises(ValueError, match='\'invalid\' not in: "strict", "replace", "ignore".'):
        tf.strings.unicode_transcode(b"a", "UTF-8", "UTF-8", errors="invalid")


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_powers_of_zero(dtype):
    x, y = tf.constant([0, 0, 0, 2], dtype), tf.constant([2, 2 + 1j, 0.5, 2], dtype)
    z = tf.pow(x, y)
    with tf.Session() as s:
        assert s.run(z).tolist() == [0, 0, 0, 4]
        gx, gy = s.run(tf.gradients(z, [x, y], tf.ones_like(z)))
        assert gy[:3].tolist() == [0, 0, 0]
        assert gx[:2].tolist() == [0, 0]


def test_zeros_of_either_sign_are_ties():
    with tf.Session() as s:
        assert s.run(tf.nn.top_k([-0.0, 0.0, 1.0, 0.0, -1.0], 5).indices).tolist() == [2, 0, 1, 3, 4]
        assert s.run(tf.argsort([0.0, -0.0, 1.0, -0.0], stable=True)).tolist() == [0, 1, 3, 2]


def test_incomplete_gammas_at_their_ends():
    a, x = [0.0, 0.0, -1.0, 1.0, 0.5], [0.0, 1.0, 1.0, -1.0, 0.0]
    with tf.Session() as s:
        np.testing.assert_equal(s.run(tf.igamma(a, x)), np.float32([0, np.nan, np.nan, np.nan, 0]))
        np.testing.assert_equal(s.run(tf.igammac(a, x)), np.float32([np.nan] * 4 + [1]))


def test_what_no_kernel_takes_is_told_before_a_missing_feed():
    x = tf.placeholder(tf.float32)
    with tf.Session() as s:
        with pytest.raises(tf.errors.InvalidArgumentError, match="strides in the batch and depth"):
            s.run(tf.nn.conv2d(x, x, [2, 1, 1, 1], "SAME"))
        with pytest.raises(tf.errors.UnimplementedError, match="not yet supported on the batch"):
            s.run(tf.nn.avg_pool(x, [1, 1, 1, 1], [2, 1, 1, 1], "SAME"))
        with pytest.raises(tf.errors.InvalidArgumentError, match="You must feed a value"):
            s.run(tf.nn.conv2d(x, x, [1, 1, 1, 1], "SAME"))


def test_strings_without_elements_are_joined():
    empty = np.zeros([0, 1], dtype=str)
    with tf.Session() as s:
        assert s.run(tf.reduce_join(empty, axis=0)).tolist() == [b""]
        assert s.run(tf.reduce_join(empty, axis=1)).shape == (0,)
        assert s.run(tf.reduce_join(empty, axis=[])).shape == (0, 1)


def test_products_of_matrices_that_do_not_fit():
    a, b = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    pairs = {
        "Matrix size-incompatible": (tf.tensordot(a, b, [[1], [0]]), [2, 2], [3, 2]),
        "shape: 2 vs. 3": (tf.matmul(a, b, transpose_a=True), [2, 2], [3, 2]),
        "compatible batch dimensions": (tf.matmul(a, b), [2, 1, 1], [3, 1, 1]),
    }
    with tf.Session() as s:
        for message, (product, *sizes) in pairs.items():
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                s.run(product, {t: np.ones(size) for t, size in zip((a, b), sizes, strict=True)})


def test_sparse_tensors_of_different_ranks_have_no_maximum():
    row, matrix = tf.SparseTensor([[0]], [1], [2]), tf.SparseTensor([[0, 0]], [0], [1, 1])
    with tf.Session() as s, pytest.raises(tf.errors.InvalidArgumentError, match="do not have the same ranks"):
        s.run(tf.sparse_maximum(matrix, row))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_powers_of_a_complex_zero_are_the_c_library_s(dtype):
    y = np.array([0, 1, -1, 1j, 1 + 1j, -1 + 1j, 0.5, 2], dtype)
    with tf.Session() as s:
        got = s.run(tf.pow(tf.zeros([8], dtype), y))
    assert np.isnan(got[[0, 3]].real).all()
    assert np.isposinf(got[[2, 5]].real).all()
    assert not got[[1, 4, 6, 7]].any()


@pytest.mark.parametrize(("dtype", "distinct"), [("float16", 5), ("float32", 4), ("float64", 4), ("bfloat16", 4)])
def test_unique_of_zeros_and_nans(dtype, distinct):
    """Two zeros are one value but in float16, which TensorFlow hashes by its bits; no NaN is another."""
    x = tf.cast(tf.constant([0.0, -0.0, 1, -0.0, np.nan, np.nan]), dtype)
    rows = tf.stack([x, tf.ones_like(x)], axis=1)
    with tf.Session() as s:
        y, index = s.run(tf.unique(x))
        along, places = s.run(tf.raw_ops.UniqueV2(x=rows, axis=[0]))
    assert (len(y), len(along)) == (distinct, distinct)
    assert index.tolist() == places.tolist() == ([0, 1, 2, 1, 3, 4] if distinct == 5 else [0, 0, 1, 0, 2, 3])


def test_shapes_follow_from_constants_through_host_work():
    sp = tf.SparseTensor([[0, 0], [1, 1], [3, 2]], [1.0, 2.0, 3.0], [4, 3])
    part = tf.sparse.slice(sp, [1, 0], [9, 2])
    assert tf.zeros(part.dense_shape).shape.as_list() == [3, 2]
    assert tf.zeros(tf.strings.to_number(["2", "3"], tf.int32)).shape.as_list() == [2, 3]
