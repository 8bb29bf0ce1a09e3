"""Networks that tf.contrib.quantize rewrites, a family of contrib_programs.py. Kept to what Python 3.6 reads."""

import numpy as np

IMAGES = np.random.RandomState(0).randn(2, 6, 6, 3).astype("float32")
SHOWN = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "Relu", "Relu6", "FakeQuantWithMinMaxVars", "Square")


def normalized(tf, fused):
    parameters = {"fused": fused, "scale": True, "decay": 0.9}
    return {"normalizer_fn": tf.contrib.layers.batch_norm, "normalizer_params": parameters}


def separable(tf, x, fused):
    """Layers with batch normalization: a convolution, a depthwise one, and one that ends in relu."""
    layers = tf.contrib.layers
    normal = normalized(tf, fused)
    h = layers.conv2d(x, 4, 3, activation_fn=tf.nn.relu6, scope="conv", **normal)
    h = layers.separable_conv2d(h, None, 3, 1, activation_fn=tf.nn.relu6, scope="dw", **normal)
    return layers.conv2d(h, 4, 1, activation_fn=tf.nn.relu, scope="pw", **normal)


def residual(tf, x, fused):
    layers = tf.contrib.layers
    normal = normalized(tf, fused)
    a = layers.conv2d(x, 4, 3, activation_fn=tf.nn.relu, scope="a", **normal)
    return tf.nn.relu(a + layers.conv2d(a, 4, 3, activation_fn=None, scope="b"), name="out")


def dense(tf, x, fused):
    layers = tf.contrib.layers
    h = layers.fully_connected(layers.flatten(x), 5, activation_fn=tf.nn.relu, scope="fc1")
    return layers.fully_connected(h, 3, activation_fn=None, scope="fc2")


def dropped(tf, x, fused):
    """A rate that is fed and has no shape leaves the products behind an activation without one."""
    h = tf.contrib.layers.fully_connected(tf.contrib.layers.flatten(x), 5, activation_fn=tf.nn.relu, scope="fc1")
    kept = tf.nn.dropout(h, tf.placeholder(tf.float32))
    return tf.contrib.layers.fully_connected(tf.reshape(kept, [2, 5]), 3, activation_fn=None, scope="fc2")


def rewritten(network, train, fused=True, experimental=False, runs=0, **options):
    """Who takes what in the rewritten graph, its variables, and what runs give: the loss and the sum of all gradients."""

    def run(tf):
        with tf.Graph().as_default() as graph:
            with tf.contrib.framework.arg_scope([tf.contrib.layers.batch_norm], is_training=train):
                y = network(tf, tf.constant(IMAGES), fused)
            squares = tf.square(y, name="squares")
            name = "create_training_graph" if train else "create_eval_graph"
            getattr(tf.contrib.quantize, ("experimental_" if experimental else "") + name)(graph, **options)
            loss, trained = tf.reduce_sum(squares), tf.trainable_variables()
            gradients = [g for g in tf.gradients(loss, trained) if g is not None] if train else []
            taken = [
                "%s(%s)" % (op.name, ", ".join(t.name for t in op.inputs))
                for op in graph.get_operations()
                if op.type in SHOWN and not op.name.startswith("gradients/")
            ]
            values = []
            with tf.Session() as session:
                if runs:
                    session.run(tf.global_variables_initializer())
                    for i, v in enumerate(trained):
                        v.load(np.float32(np.random.RandomState(i).randn(*v.shape.as_list()) * 0.3), session)
                for _ in range(runs):
                    found = session.run([loss] + [tf.reduce_sum(tf.abs(g)) for g in gradients])
                    values.append([float(found[0]), float(sum(found[1:]))])
                    session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
            return [sorted(taken), sorted(v.op.name for v in tf.global_variables()), values]

    return run


QUANTIZED = {
    "separable, fused": rewritten(separable, True),
    "separable, single operations": rewritten(separable, True, fused=False),
    "separable, evaluated": rewritten(separable, False),
    "separable, single operations, evaluated": rewritten(separable, False, fused=False),
    "residual": rewritten(residual, True, runs=2),
    "residual in a scope, 4 bits": rewritten(
        residual, True, experimental=True, weight_bits=4, activation_bits=4, symmetric=True, scope="a"
    ),
    "dense after 2 steps": rewritten(dense, True, runs=3, quant_delay=2),
    "frozen averages": rewritten(separable, True, experimental=True, freeze_bn_delay=1),
    "products of unknown shape": rewritten(dropped, True),
    "dense, evaluated": rewritten(dense, False, experimental=True, runs=1, weight_bits=5),
}
