"""Saved models, layers, distributions, feature columns."""

import os

import numpy as np

from . import raised

IMAGES = np.linspace(-1, 1, 1 * 4 * 4 * 2).reshape(1, 4, 4, 2).astype("float32")
SIGNALS = np.linspace(-1, 1, 2 * 6 * 3).reshape(2, 6, 3).astype("float32")
VOLUME = np.linspace(-1, 1, 1 * 4 * 4 * 4 * 1).reshape(1, 4, 4, 4, 1).astype("float32")


def shown(signature):
    """A SignatureDef as plain lists."""
    sides = [sorted((k, v.name, v.dtype) for k, v in side.items()) for side in (signature.inputs, signature.outputs)]
    return [signature.method_name] + sides


def signature(make):
    """A signature of x (strings) and y (numbers), made by tf.saved_model's function."""

    def run(tf):
        with tf.Graph().as_default():
            x, y = tf.placeholder(tf.string, [None], name="x"), tf.placeholder(tf.float32, [None, 2], name="y")
            return shown(make(tf.saved_model, x, y))

    return run


def informed(tf):
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        s = tf.sparse_placeholder(tf.float32, name="s")
        info, sparse = tf.saved_model.build_tensor_info(x), tf.saved_model.build_tensor_info(s)
        again = tf.saved_model.get_tensor_from_tensor_info(info)
        return [
            info.name,
            info.dtype,
            [d.size for d in info.tensor_shape.dim],
            again is x,
            sparse.coo_sparse.values_tensor_name,
        ]


def simple(tf, folder):
    path = os.path.join(folder, "simple")
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [2], name="x")
        y = x * tf.get_variable("v", initializer=3.0)
        session.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(session, path, {"x": x}, {"y": y})
    found = [tf.saved_model.contains_saved_model(p) for p in (path, folder)]
    with tf.Graph().as_default(), tf.Session() as session:
        model = tf.saved_model.load(session, [tf.saved_model.SERVING], path)
        signature = model.signature_def[tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY]
        return [found, shown(signature), session.run(signature.outputs["y"].name, {"x:0": [1.0, 2.0]})]


def restored(tf, folder):
    """A model whose main op restores under another name."""
    path = os.path.join(folder, "restored")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("v", initializer=3.0)
        ran = tf.saved_model.main_op_with_restore(tf.no_op()).type
        session.run(tf.global_variables_initializer())
        builder = tf.saved_model.Builder(path)
        builder.add_meta_graph_and_variables(session, ["mine"], main_op=tf.saved_model.main_op.main_op())
        builder.save(as_text=True)
        return [ran, tf.saved_model.main_op.main_op().type, sorted(os.listdir(path))]


SAVED = {
    "tf.saved_model.build_signature_def": signature(
        lambda m, x, y: m.build_signature_def({"x": m.build_tensor_info(x)}, {"y": m.build_tensor_info(y)}, "mine")
    ),
    "tf.saved_model.classification_signature_def": signature(lambda m, x, y: m.classification_signature_def(x, x, y)),
    "tf.saved_model.predict_signature_def": signature(
        lambda m, x, y: m.predict_signature_def({"a": x}, {"b": y, "c": x})
    ),
    "tf.saved_model.regression_signature_def": signature(lambda m, x, y: m.regression_signature_def(x, y)),
    "tf.saved_model.is_valid_signature": lambda tf: valid(tf),
    "tf.saved_model.build_tensor_info": informed,
    "tf.saved_model.get_tensor_from_tensor_info": lambda tf: raised(
        lambda: tf.saved_model.get_tensor_from_tensor_info(
            tf.saved_model.build_tensor_info(tf.constant(1.0)), tf.Graph()
        )
    ),
    "tf.saved_model.simple_save": simple,
    "tf.saved_model.contains_saved_model": lambda tf, folder: tf.saved_model.contains_saved_model(folder + "none"),
    "tf.saved_model.main_op_with_restore": restored,
}


def valid(tf):
    with tf.Graph().as_default():
        m, x, y = (
            tf.saved_model,
            tf.placeholder(tf.string, [None], name="x"),
            tf.placeholder(tf.float32, [None], name="y"),
        )
        good = m.predict_signature_def({"a": x}, {"b": y})
        bad = m.build_signature_def({"x": m.build_tensor_info(x)}, None, m.CLASSIFY_METHOD_NAME)
        return [m.is_valid_signature(good), m.is_valid_signature(bad)]


def layer(kind, value, *args, **kwargs):
    """A layer that is an object: what it gives, the names and shapes of its weights, the shape that it foretells."""

    def run(tf):
        made = getattr(tf.layers, kind)(*args, **kwargs)
        y = made(tf.constant(value))
        foretold = made.compute_output_shape(tf.TensorShape(value.shape))
        return [
            y,
            [[w.name, w.shape.as_list()] for w in made.weights],
            foretold.as_list(),
            isinstance(made, tf.layers.Layer),
        ]

    return run


def halves(tf):
    return {"kernel_initializer": tf.constant_initializer(0.5)}


def weighted(kind, value, *args, **kwargs):
    return lambda tf: layer(kind, value, *args, kernel_initializer=tf.constant_initializer(0.5), **kwargs)(tf)


def separable(kind, value, *args, **kwargs):
    half = {"depthwise_initializer": 0.5, "pointwise_initializer": 0.25}
    return lambda tf: layer(
        kind, value, *args, **dict(kwargs, **{k: tf.constant_initializer(v) for k, v in half.items()})
    )(tf)


def own_layer(tf):
    class Scale(tf.layers.Layer):
        def build(self, shape):
            self.input_spec = tf.layers.InputSpec(min_ndim=2, axes={-1: shape[-1].value})
            self.scale = self.add_weight("scale", [shape[-1].value], initializer=tf.constant_initializer(3.0))
            super(Scale, self).build(shape)

        def call(self, inputs):
            return inputs * self.scale

    made = Scale(name="mine")
    y = made(tf.constant(SIGNALS[0]))
    return [
        y,
        [w.name for w in made.trainable_weights],
        raised(made, tf.constant(SIGNALS[0, :, :2])),
        made.count_params(),
    ]


def keras_style(tf):
    with tf.Graph().as_default():
        with tf.layers.experimental.keras_style_scope():
            made = tf.layers.Dense(2, name="d")
            made(tf.ones([1, 3]))
            second = tf.layers.Dense(2, name="d")
            second(tf.ones([1, 3]))
        return [w.name for w in made.weights + second.weights]


LAYERS = {
    "tf.layers.Layer": own_layer,
    "tf.layers.Flatten": layer("Flatten", IMAGES),
    "tf.layers.Dropout": layer("Dropout", IMAGES, 0.5),
    "tf.layers.AveragePooling1D": layer("AveragePooling1D", SIGNALS, 2, 2),
    "tf.layers.AveragePooling2D": layer("AveragePooling2D", IMAGES, 2, 1, padding="same"),
    "tf.layers.AveragePooling3D": layer("AveragePooling3D", VOLUME, 2, 2),
    "tf.layers.MaxPooling1D": layer("MaxPooling1D", SIGNALS, 2, 2),
    "tf.layers.MaxPooling2D": layer("MaxPooling2D", IMAGES, 2, 1, padding="same"),
    "tf.layers.MaxPooling3D": layer("MaxPooling3D", VOLUME, 2, 2),
    "tf.layers.Conv1D": weighted("Conv1D", SIGNALS, 2, 3),
    "tf.layers.Conv3D": weighted("Conv3D", VOLUME, 2, 2, strides=2),
    "tf.layers.Conv2DTranspose": weighted("Conv2DTranspose", IMAGES, 2, 3, strides=2),
    "tf.layers.Conv3DTranspose": weighted("Conv3DTranspose", VOLUME, 1, 2),
    "tf.layers.SeparableConv1D": separable("SeparableConv1D", SIGNALS, 2, 3),
    "tf.layers.SeparableConv2D": separable("SeparableConv2D", IMAGES, 2, 3, depth_multiplier=2),
    "tf.layers.experimental.keras_style_scope": keras_style,
}


def distribution(kind, value, *args, **kwargs):
    """A distribution's density, moments and shapes."""

    def run(tf):
        d = getattr(tf.distributions, kind)(*args, **kwargs)
        parts = [d.log_prob(value), d.mean(), d.variance(), d.batch_shape_tensor(), d.event_shape_tensor()]
        same = d.reparameterization_type is tf.distributions.FULLY_REPARAMETERIZED
        return parts + [isinstance(d, tf.distributions.Distribution), same, d.name, d.allow_nan_stats, d.dtype.name]

    return run


def diverging(tf):
    ds = tf.distributions

    class Mine(ds.Normal):
        pass

    @ds.RegisterKL(Mine, Mine)
    def of_mine(a, b, name=None):
        return tf.constant(42.0)

    return [ds.kl_divergence(Mine(0.0, 1.0), Mine(1.0, 1.0)), ds.kl_divergence(Mine(0.0, 1.0), ds.Normal(1.0, 1.0))]


DISTRIBUTIONS = {
    "tf.distributions.Beta": distribution("Beta", [0.2, 0.6], [2.0, 3.0], 1.5),
    "tf.distributions.Exponential": distribution("Exponential", [0.2, 2.0], [2.0, 3.0]),
    "tf.distributions.Gamma": distribution("Gamma", [0.2, 2.0], [2.0, 3.0], 0.5),
    "tf.distributions.Laplace": distribution("Laplace", [0.2, 2.0], [1.0, 3.0], 0.5),
    "tf.distributions.StudentT": distribution("StudentT", [0.2, 2.0], [3.0, 4.0], 0.5, 2.0),
    "tf.distributions.Uniform": distribution("Uniform", [0.2, 2.0], 0.0, [1.0, 3.0]),
    "tf.distributions.Bernoulli": distribution("Bernoulli", [0, 1], probs=[0.2, 0.7]),
    "tf.distributions.Categorical": lambda tf: categorical(tf),
    "tf.distributions.Multinomial": distribution("Multinomial", [1.0, 2.0, 0.0], 3.0, probs=[0.2, 0.7, 0.1]),
    "tf.distributions.Dirichlet": distribution("Dirichlet", [0.2, 0.7, 0.1], [1.0, 2.0, 0.5]),
    "tf.distributions.DirichletMultinomial": distribution(
        "DirichletMultinomial", [1.0, 2.0, 0.0], 3.0, [1.0, 2.0, 0.5]
    ),
    "tf.distributions.RegisterKL": diverging,
    "tf.distributions.ReparameterizationType": lambda tf: [
        isinstance(tf.distributions.NOT_REPARAMETERIZED, tf.distributions.ReparameterizationType),
        tf.distributions.ReparameterizationType("Mine") == tf.distributions.NOT_REPARAMETERIZED,
    ],
}


def categorical(tf):
    d = tf.distributions.Categorical(logits=np.float32([[0.1, 2.0], [1.0, 0.0]]))
    return [d.log_prob([0, 1]), d.entropy(), d.mode(), d.probs, d.event_size]


def sequence(column):
    parsed = sorted((k, str(v)) for k, v in column.parse_example_spec.items())
    return [column.key, list(column.shape), column.default_value, column.name, parsed]


def columns(make, features):
    """What a column gives as the input of a dense layer, and how it is parsed."""

    def run(tf, folder):
        path = os.path.join(folder, "words")
        with open(path, "w") as f:
            f.write("a\nb\nc\n")
        column = make(tf.feature_column, path)
        values = {k: tf.SparseTensor(*v) for k, v in features.items()}
        if "indicator_column" in make.__code__.co_names:
            dense = list(tf.contrib.feature_column.sequence_input_layer(values, [column]))
        else:
            dense = tf.feature_column.input_layer(values, [tf.feature_column.indicator_column(column)])
        return [dense, sorted((k, str(v)) for k, v in tf.feature_column.make_parse_example_spec([column]).items())]

    return run


WORDS = {"w": ([[0, 0], [0, 1], [1, 0]], ["a", "c", "z"], [2, 2])}
COLUMNS = {
    "tf.feature_column.categorical_column_with_vocabulary_file": columns(
        lambda fc, path: fc.categorical_column_with_vocabulary_file("w", path, 3, num_oov_buckets=2), WORDS
    ),
    "tf.feature_column.sequence_categorical_column_with_hash_bucket": columns(
        lambda fc, path: fc.indicator_column(fc.sequence_categorical_column_with_hash_bucket("w", 3)), WORDS
    ),
    "tf.feature_column.sequence_categorical_column_with_vocabulary_file": columns(
        lambda fc, path: fc.indicator_column(fc.sequence_categorical_column_with_vocabulary_file("w", path, 2)), WORDS
    ),
    "tf.feature_column.sequence_categorical_column_with_vocabulary_list": columns(
        lambda fc, path: fc.indicator_column(fc.sequence_categorical_column_with_vocabulary_list("w", ["a", "z"])),
        WORDS,
    ),
    "tf.feature_column.sequence_numeric_column": lambda tf: sequence(
        tf.feature_column.sequence_numeric_column("w", shape=[2], default_value=-1.0)
    ),
}
TABLES = {"saved models": SAVED, "layers": LAYERS, "distributions": DISTRIBUTIONS, "columns": COLUMNS}
