"""tf.contrib.kernel_methods: random features, classifiers on top of them, the hinge loss of several classes."""

import numpy as np
import pytest

import thalweg as tf

kernels = tf.contrib.kernel_methods


def test_products_of_mapped_rows_approximate_the_kernel():
    x, y = np.random.RandomState(0).normal(size=(2, 1, 4)).astype(np.float32)
    mapper = kernels.RandomFourierFeatureMapper(4, 4000, stddev=2.0, seed=3)
    with tf.Session() as session:
        a, b = session.run([mapper.map(tf.constant(x)), mapper.map(tf.constant(y))])
    assert (a @ b.T).item() == pytest.approx(np.exp(-np.sum((x - y) ** 2) / 8), abs=0.03)
    with pytest.raises(Exception, match="expected 4 input features, got 3"):
        mapper.map(tf.zeros([2, 3]))
    with pytest.raises(Exception, match="should be 2. Got 1"):
        mapper.map(tf.zeros([4]))


def test_what_no_line_separates():
    column = tf.contrib.layers.real_valued_column("x", dimension=2)

    def inputs():
        return {"x": tf.constant([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])}, tf.constant(
            [[1], [0], [1], [0]]
        )

    mappers = {column: [kernels.RandomFourierFeatureMapper(2, 30, 0.6, 1)]}
    found = kernels.KernelLinearClassifier(kernel_mappers=mappers).fit(input_fn=inputs, steps=30)
    assert found.evaluate(input_fn=inputs, steps=1)["accuracy"] == 1.0
    assert list(found.predict_classes(inputs)) == [1, 0, 1, 0]
    assert np.all(np.array(list(found.predict_proba(inputs)))[:, 1].round() == [1, 0, 1, 0])
    with pytest.raises(ValueError, match="at least one of feature_columns, kernel_mappers"):
        kernels.KernelLinearClassifier()
    with pytest.raises(ValueError, match="Invalid kernel mappers"):
        kernels.KernelLinearClassifier(kernel_mappers={column: [object()]})


def test_hinge_loss_of_several_classes():
    logits, labels = tf.constant([[1.2, -1.4, -1.0], [1.4, 1.8, 4.0], [0.5, 1.8, -1.0]]), tf.constant([1, 0, 2])
    each = kernels.sparse_multiclass_hinge_loss(labels, logits, reduction="none")
    weighted = kernels.sparse_multiclass_hinge_loss(labels, logits, weights=tf.constant([1.0, 0.0, 2.0]))
    with tf.Session() as session:
        np.testing.assert_allclose(session.run(each), [3.6, 3.6, 3.8], rtol=1e-6)
        assert session.run(weighted) == pytest.approx((3.6 + 7.6) / 2)
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(kernels.sparse_multiclass_hinge_loss(tf.constant([1, 0, 4]), logits))
    for bad in (logits[0], tf.zeros([2, 3, 1])):
        with pytest.raises(ValueError, match="logits should have rank 2"):
            kernels.sparse_multiclass_hinge_loss(labels, bad)
    with pytest.raises(ValueError, match="Invalid dtype for labels"):
        kernels.sparse_multiclass_hinge_loss(tf.zeros([3]), logits)
    with pytest.raises(ValueError, match="not compatible|incompatible"):
        kernels.sparse_multiclass_hinge_loss(labels, logits, tf.zeros([2]))
    with pytest.raises(ValueError, match="None"):
        kernels.sparse_multiclass_hinge_loss(labels, logits, weights=None)
