"""Layers of tf.contrib.layers that normalise divisively, run backwards, or are computed again for their gradient."""

import numpy as np

from . import raised

ROWS = np.linspace(-1, 1, 3 * 8).reshape(3, 8).astype("float32")
IMAGES = np.linspace(-2, 2, 2 * 3 * 3 * 3).reshape(2, 3, 3, 3).astype("float32")


def dense(tf, x, activation):
    weights = tf.constant_initializer(np.linspace(-1, 1, 16))
    return tf.layers.dense(x, 4, activation, kernel_initializer=weights)


def reversible(efficient):
    """Outputs and gradients of three reversible layers, by either way back."""

    def run(tf):
        name = "reversible%d" % efficient
        x, side = tf.constant(ROWS), tf.constant([1.0, 2.0, 3.0, 4.0])
        with tf.variable_scope(name):
            ys = tf.contrib.layers.rev_block(
                *tf.split(x, 2, axis=1),
                f=lambda t: dense(tf, t, tf.tanh),
                g=lambda t, sides: dense(tf, t, tf.sin) * sides[0],
                num_layers=3,
                g_side_input=[side],
                is_training=efficient,
            )
        variables = tf.trainable_variables(name)
        return [list(ys), tf.gradients(ys[0] * ys[0] + ys[1], [x, side] + variables), [v.name for v in variables]]

    return run


def there_and_back(tf):
    with tf.variable_scope("there"):
        block = tf.contrib.layers.RevBlock(lambda t: dense(tf, t, tf.tanh), lambda t: dense(tf, t, None), num_layers=2)
        ys = block.forward(*tf.split(tf.constant(ROWS), 2, axis=1))
    with tf.variable_scope("there", reuse=True):
        xs = block.backward(*ys)
    return [list(ys), list(xs), len(block.weights)]


def again(tf):
    """What is computed again is told so; a tensor from outside is refused."""
    told, x = [], tf.constant(ROWS)

    @tf.contrib.layers.recompute_grad(tupleize_grads=True)
    def layer(t, is_recomputing=False):
        told.append(is_recomputing)
        return tf.layers.dense(t, 2, tf.tanh, kernel_initializer=tf.ones_initializer(), name="layer")

    with tf.variable_scope("again", use_resource=True):
        y = layer(x)
    found = tf.gradients(y, [x] + tf.trainable_variables("again"))
    return [y, found, told, raised(tf.contrib.layers.recompute_grad, lambda t: t + x), raised(layer, 3.0)]


def divided(inverse):
    def run(tf):
        name, x = "divided%d" % inverse, tf.constant(IMAGES)
        y = tf.contrib.layers.gdn(x, inverse=inverse, gamma_init=0.3, name=name)
        variables = tf.trainable_variables(name)
        # The entries of gamma off the diagonal lie on their bound, which a rounded root may miss by a bit: no record of those.
        return [y, tf.gradients(y * y, [x] + variables[:1]), [v.name for v in variables]]

    return run


def layer_of_division(tf):
    layer = tf.contrib.layers.GDN(name="layer_of_division")
    y = layer.apply(tf.constant(IMAGES))
    refused = raised(tf.contrib.layers.GDN, data_format="channels_middle")
    return [y, layer.beta, layer.gamma, refused, raised(layer.apply, tf.constant(IMAGES[..., :2]))]


TABLES = {
    "blocks": {
        "tf.contrib.layers.rev_block": reversible(True),
        "tf.contrib.layers.rev_block by keeping all": reversible(False),
        "tf.contrib.layers.RevBlock": there_and_back,
        "tf.contrib.layers.recompute_grad": again,
        "tf.contrib.layers.gdn": divided(False),
        "tf.contrib.layers.gdn inverse": divided(True),
        "tf.contrib.layers.GDN": layer_of_division,
    }
}
