"""tf.contrib.gan: values by hand (TensorFlow 1.15 has no TFGAN to record from), and networks that learn."""

import numpy as np
import pytest

import thalweg as tf

gan = tf.contrib.gan
REAL, FAKE = np.float32([[2.0], [-1.0]]), np.float32([[0.5], [1.5]])


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def generator(noise):
    return tf.layers.dense(noise, 2, name="g")


def discriminator(data, conditions):
    return tf.layers.dense(data, 1, name="d", kernel_regularizer=tf.contrib.layers.l2_regularizer(0.5))


def classifying(data, conditions):
    return tf.layers.dense(data, 1, name="d"), tf.layers.dense(data, 3, name="c")


def evaluated(*tensors):
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        return session.run(list(tensors))


def plain_model():
    return gan.gan_model(generator, discriminator, tf.ones([4, 2]), tf.random_normal([4, 3], seed=1))


@pytest.mark.parametrize(
    ("name", "of_generator", "of_discriminator"),
    [
        ("wasserstein", -FAKE.mean(), FAKE.mean() - REAL.mean()),
        ("least_squares", ((FAKE - 1) ** 2).mean() / 2, ((REAL - 1) ** 2).mean() / 2 + (FAKE**2).mean() / 2),
        ("modified", softplus(-FAKE).mean(), None),
        ("minimax", None, (0.875 * softplus(-REAL) + 0.125 * softplus(REAL) + softplus(FAKE)).mean()),
    ],
)
def test_losses(name, of_generator, of_discriminator):
    wargs = gan.losses.wargs
    losses = [
        getattr(wargs, f"{name}_generator_loss")(tf.constant(FAKE), add_summaries=True),
        getattr(wargs, f"{name}_discriminator_loss")(tf.constant(REAL), tf.constant(FAKE), add_summaries=True),
    ]
    assert len(tf.losses.get_losses()) == 2
    got = evaluated(*losses)
    for value, expected in zip(got, (of_generator, of_discriminator), strict=True):
        assert expected is None or value == pytest.approx(expected, rel=1e-5)


def test_losses_take_their_arguments_from_the_model():
    model = plain_model()
    by_model, by_parts = (
        gan.losses.wasserstein_discriminator_loss(model, real_weights=2.0),
        gan.losses.wargs.wasserstein_discriminator_loss(
            model.discriminator_real_outputs, model.discriminator_gen_outputs, real_weights=2.0
        ),
    )
    a, b = evaluated(by_model, by_parts)
    assert a == b
    with pytest.raises(ValueError, match="present in both"):
        gan.losses.wasserstein_generator_loss(model, discriminator_gen_outputs=1.0)
    with pytest.raises(ValueError, match="must be supplied"):
        gan.losses.acgan_generator_loss(model)


def test_gradient_penalty_of_a_linear_discriminator_is_its_slope():
    model = plain_model()
    penalty = gan.losses.wasserstein_gradient_penalty(model, target=2.0)
    value, weights = evaluated(penalty, model.discriminator_variables[0])
    assert value == pytest.approx((np.sqrt((weights**2).sum()) / 2 - 1) ** 2, rel=1e-4)


def test_gan_loss_adds_what_has_a_weight():
    model = plain_model()
    bare = gan.gan_loss(model, add_summaries=False)
    whole = gan.gan_loss(model, gradient_penalty_weight=3.0, add_summaries=False)
    assert bare._fields == ("generator_loss", "discriminator_loss")
    generator_bare, generator_whole = evaluated(bare.generator_loss, whole.generator_loss)
    assert generator_bare == generator_whole
    with pytest.raises(ValueError, match="must be greater than 0"):
        gan.gan_loss(model, gradient_penalty_weight=-1.0)
    with pytest.raises(ValueError, match="InfoGANModel"):
        gan.gan_loss(model, mutual_information_penalty_weight=1.0)
    with pytest.raises(ValueError, match="ACGANModel"):
        gan.gan_loss(model, aux_cond_generator_weight=1.0)
    with pytest.raises(ValueError, match="same shape"):
        gan.gan_model(generator, lambda data, _: tf.reduce_sum(data, 1), tf.ones([4, 5]), tf.ones([4, 3]), "G2", "D2")


def test_other_models():
    labels = tf.one_hot([0, 1, 2, 0], 3)
    acgan = gan.acgan_model(generator, classifying, tf.ones([4, 2]), tf.ones([4, 3]), labels, "G1", "D1")
    loss = gan.gan_loss(acgan, aux_cond_generator_weight=1.0, aux_cond_discriminator_weight=1.0)

    def guessing(data, conditions):
        return tf.layers.dense(data, 1, name="d"), [tf.distributions.Normal(tf.layers.dense(data, 1, name="n"), 1.0)]

    def joined(noise):
        return generator(tf.concat(noise, 1))

    info = gan.infogan_model(joined, guessing, tf.ones([4, 2]), [tf.ones([4, 2])], [tf.ones([4, 1])], "G2", "D2")
    penalty = gan.losses.mutual_information_penalty(info)
    likely = tf.reduce_mean(info.predicted_distributions[0].log_prob(info.structured_generator_inputs[0]))
    cycle = gan.cyclegan_model(
        lambda x: tf.layers.dense(x, 2, name="g"), discriminator, tf.ones([4, 2]), tf.zeros([4, 2])
    )
    both = gan.cyclegan_loss(cycle, add_summaries=False)

    def moved(data, domain):
        return tf.layers.dense(tf.concat([data, domain], 1), 2, name="g")

    def judged(data, domains):
        return tf.layers.dense(data, 1, name="d"), tf.layers.dense(data, domains, name="c")

    star = gan.stargan_model(moved, judged, tf.ones([4, 2]), labels, "G3", "D3")
    ops = gan.gan_train_ops(cycle, both, tf.train.AdamOptimizer(), tf.train.AdamOptimizer())
    assert len(ops.generator_train_op) == len(ops.discriminator_train_op) == 2
    values = evaluated(*loss, penalty, likely, *both.loss_x2y, *gan.stargan_loss(star))
    assert np.isfinite(values).all()
    assert values[2] == pytest.approx(-values[3], rel=1e-5)


def test_training_moves_what_is_generated_to_the_data(tmp_path):
    def moved(noise):
        return noise + tf.get_variable("place", [1], initializer=tf.zeros_initializer())

    real = tf.random_normal([64, 1], mean=3.0, stddev=0.1, seed=1)
    noise = tf.random_normal([64, 1], stddev=0.1, seed=2)
    model = gan.gan_model(moved, discriminator, real, noise)
    loss = gan.gan_loss(model, gradient_penalty_weight=1.0, add_summaries=False)
    ops = gan.gan_train_ops(model, loss, tf.train.AdamOptimizer(0.05, 0.5), tf.train.AdamOptimizer(0.1, 0.5))
    hooks = [tf.train.StopAtStepHook(last_step=120)]
    steps = gan.gan_train(ops, str(tmp_path), hooks=hooks, save_checkpoint_secs=None, save_summaries_steps=None)
    assert steps == 120
    joint = gan.get_joint_train_hooks(gan.GANTrainSteps(1, 3))(ops)
    assert [hook._train_steps for hook in joint] == [1, 0, 2]


def test_estimator(tmp_path):
    data = np.random.RandomState(0).randn(8, 2).astype("float32")
    estimator = gan.estimator.GANEstimator(
        str(tmp_path),
        generator_fn=generator,
        discriminator_fn=discriminator,
        generator_loss_fn=gan.losses.wasserstein_generator_loss,
        discriminator_loss_fn=gan.losses.wasserstein_discriminator_loss,
        generator_optimizer=tf.train.GradientDescentOptimizer(0.01),
        discriminator_optimizer=lambda: tf.train.GradientDescentOptimizer(0.01),
        add_summaries=gan.estimator.SummaryType.VARIABLES,
    )

    def inputs():
        return tf.zeros([8, 3]), tf.constant(data)

    estimator.train(inputs, steps=2)
    scores = estimator.evaluate(inputs, steps=1)
    assert scores["loss"] == pytest.approx(scores["generator_loss"] + scores["discriminator_loss"], abs=1e-5)
    made = estimator.predict(lambda: tf.data.Dataset.from_tensors(tf.zeros([3, 3])))
    assert [row.shape for row in made] == [(2,)] * 3


def test_features():
    pool = gan.features.tensor_pool(tf.placeholder_with_default([1.0], [1]), pool_size=2, pooling_probability=1.0)
    with tf.Session() as session:
        source = pool.graph.get_tensor_by_name("PlaceholderWithDefault:0")
        seen = [float(session.run(pool, {source: [float(i)]})[0]) for i in range(6)]
    assert seen[:2] == [0.0, 1.0]
    assert all(value < i for i, value in enumerate(seen) if i >= 2)
    assert gan.features.tensor_pool("as it is", pool_size=0) == "as it is"
    batch = np.random.RandomState(0).randn(5, 4).astype("float32")
    normal = gan.features.VBN(tf.constant(batch))
    (reference,) = evaluated(normal.reference_batch_normalization())
    np.testing.assert_allclose(reference, (batch - batch.mean(0)) / np.sqrt(batch.var(0) + 1e-3), atol=1e-4)
    (one,) = evaluated(normal(tf.constant(batch[:1])))
    mean, squares = (5 * batch.mean(0) + batch[0]) / 6, (5 * (batch**2).mean(0) + batch[0] ** 2) / 6
    np.testing.assert_allclose(one[0], (batch[0] - mean) / np.sqrt(squares - mean**2 + 1e-3), atol=1e-4)
    shapes = gan.features.condition_tensor_from_onehot(tf.ones([2, 3]), tf.one_hot([0, 1], 4), embedding_size=5)
    assert shapes.shape.as_list() == [2, 3]
    v = tf.Variable([3.0, -3.0])
    clipped = gan.features.clip_variables(tf.train.GradientDescentOptimizer(0.0), [v], 1.0)
    with tf.Session() as session, tf.control_dependencies([clipped.minimize(tf.reduce_sum(v), var_list=[v])]):
        session.run(tf.global_variables_initializer())
        session.run(tf.get_default_graph().get_operations()[-1])
    with pytest.raises(ValueError, match="must be positive"):
        gan.features.clip_variables(None, [], -1.0)


def test_scores():
    rows = np.random.RandomState(0)
    real, fake = rows.randn(40, 3), 0.5 + 2 * rows.randn(50, 3)
    logits = rows.randn(20, 4)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    inception = np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean())
    a, b = np.cov(real.T), np.cov(fake.T)
    between = np.sqrt(np.linalg.eigvals(a @ b).real).sum()
    means = ((real.mean(0) - fake.mean(0)) ** 2).sum()

    def kernel(x, y):
        return (x @ y.T / 3 + 1) ** 3

    def inner(x):
        k = kernel(x, x)
        return (k.sum() - np.trace(k)) / (len(x) * (len(x) - 1))

    e = gan.eval
    got = evaluated(
        e.classifier_score_from_logits(tf.constant(logits)),
        e.frechet_classifier_distance_from_activations(tf.constant(real), tf.constant(fake)),
        e.mean_only_frechet_classifier_distance_from_activations(tf.constant(real), tf.constant(fake)),
        e.diagonal_only_frechet_classifier_distance_from_activations(tf.constant(real), tf.constant(fake)),
        e.kernel_classifier_distance_from_activations(tf.constant(real), tf.constant(fake)),
        e.classifier_score(tf.constant(logits), tf.identity, num_batches=2),
    )
    diagonal = means + ((np.sqrt(real.var(0)) - np.sqrt(fake.var(0))) ** 2).sum()
    expected = [
        inception,
        means + np.trace(a + b) - 2 * between,
        means,
        diagonal,
        inner(real) + inner(fake) - 2 * kernel(real, fake).mean(),
        inception,
    ]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_pictures():
    images = np.arange(4 * 2 * 3, dtype="float32").reshape(4, 2, 3, 1)
    grid, row = evaluated(
        gan.eval.image_grid(tf.constant(images), (2, 2), (2, 3), 1), gan.eval.image_reshaper(tf.constant(images[:3]), 2)
    )
    assert grid[0, :2, 3:, 0].tolist() == images[1, :, :, 0].tolist()
    assert row[0, 2:, :3, 0].tolist() == images[2, :, :, 0].tolist()
    assert not row[0, 2:, 3:].any()
    with pytest.raises(ValueError, match="incompatible with minibatch"):
        gan.eval.image_grid(tf.constant(images), (2, 3), (2, 3), 1)


def test_images_are_closer_to_themselves():
    tf.set_random_seed(0)
    random = np.random.RandomState(0)
    real = random.rand(8, 32, 32, 3).astype("float32").cumsum(1) / 32
    scores = gan.eval.sliced_wasserstein_distance(tf.constant(real), tf.constant(random.rand(*real.shape), tf.float32))
    assert len(scores) == 2
    for itself, other in evaluated(*scores):
        assert 0 < itself < other
