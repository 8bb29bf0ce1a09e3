"""Estimators: heads, canned models, what they export and when they stop."""

import os

import numpy as np

from . import raised
from .programs import apart

LOGITS = np.float32([[0.5, -1.0, 0.25], [-2.0, 1.0, 0.75]])
X = {"x": np.float32([[1.0, 2.0], [3.0, 4.0]])}


def head(name, labels, width, *args, **kwargs):
    """What a head makes of logits: loss and predictions when evaluating, the keys of exports when predicting."""

    def run(tf):
        with tf.Graph().as_default(), tf.Session() as session:
            made = getattr(tf.estimator, name)(*args, **kwargs)
            logits = tf.constant(LOGITS[:, :width])
            y = {k: tf.constant(v) for k, v in labels.items()} if isinstance(labels, dict) else tf.constant(labels)
            if isinstance(labels, dict):
                logits = {k: tf.constant(LOGITS[:, :1]) for k in labels}
            trained = made.create_estimator_spec(
                X,
                tf.estimator.ModeKeys.TRAIN,
                logits,
                y,
                train_op_fn=lambda loss: tf.identity(loss),
                trainable_variables=[],
            )
            predicted = made.create_estimator_spec(X, tf.estimator.ModeKeys.PREDICT, logits)
            predictions = sorted((str(k), v) for k, v in predicted.predictions.items() if "string" not in v.dtype.name)
            session.run(tf.global_variables_initializer())
            return [
                session.run(trained.loss),
                [[k, session.run(v)] for k, v in predictions],
                sorted(predicted.export_outputs),
                isinstance(made, tf.estimator.Head),
                made.name,
            ]

    return run


def both(tf):
    heads = [tf.estimator.RegressionHead(name="a"), tf.estimator.BinaryClassHead(name="b")]
    labels = {"a": np.float32([[1.0], [2.0]]), "b": np.float32([[1.0], [0.0]])}
    return head_of(tf, tf.estimator.MultiHead(heads, [1.0, 0.5]), labels)


def head_of(tf, made, labels):
    with tf.Graph().as_default(), tf.Session() as session:
        logits = {k: tf.constant(LOGITS[:, :1]) for k in labels}
        spec = made.create_estimator_spec(
            X,
            tf.estimator.ModeKeys.TRAIN,
            logits,
            {k: tf.constant(v) for k, v in labels.items()},
            train_op_fn=lambda loss: tf.identity(loss),
            trainable_variables=[],
        )
        return [session.run(spec.loss), sorted(str(k) for k in spec.predictions or {}), made.logits_dimension]


def canned(name, labels, *args, **kwargs):
    """The names and shapes of the variables of a canned model after one step, and its number of steps."""

    def run(tf, folder):
        column = tf.feature_column.numeric_column("x", shape=[2])
        options = dict(kwargs)
        if "Combined" in name:
            options.update(linear_feature_columns=[column], dnn_feature_columns=[column], dnn_hidden_units=[3])
        elif "Baseline" not in name:
            options.update(feature_columns=[column])
            options.update({"hidden_units": [3]} if "DNN" in name else {})
        if name.endswith("Estimator"):
            options.update(head=tf.contrib.estimator.regression_head())
        config = tf.estimator.RunConfig(os.path.join(folder, name), tf_random_seed=1, log_step_count_steps=None)
        made = getattr(tf.estimator, name)(config=config, **options)
        feeds = tf.compat.v1.estimator.inputs if hasattr(tf.compat, "v1") else tf.estimator.inputs
        made.train(feeds.numpy_input_fn(X, labels, batch_size=2, shuffle=False), steps=1)
        shapes = [
            [v, list(made.get_variable_value(v).shape)] for v in sorted(made.get_variable_names()) if "Adagrad" not in v
        ]
        return [shapes, isinstance(made, tf.estimator.Estimator)]

    return run


NUMBERS = np.float32([[1.0], [2.0]])


def boosted(tf, folder):
    """Boosted trees under a head: what they predict after three layers."""
    column = tf.feature_column.bucketized_column(tf.feature_column.numeric_column("x"), [1.5, 2.5])
    config = tf.estimator.RunConfig(os.path.join(folder, "boosted"), tf_random_seed=1, log_step_count_steps=None)
    head = tf.contrib.estimator.regression_head()
    made = tf.estimator.BoostedTreesEstimator([column], 1, head, n_trees=2, max_depth=2, config=config)
    feeds = tf.compat.v1.estimator.inputs if hasattr(tf.compat, "v1") else tf.estimator.inputs
    x, y = {"x": np.float32([1, 2, 3, 1])}, np.float32([[1.0], [5.0], [9.0], [2.0]])
    made.train(feeds.numpy_input_fn(x, y, batch_size=4, num_epochs=None, shuffle=False), steps=3)
    guesses = made.predict(feeds.numpy_input_fn(x, batch_size=4, shuffle=False))
    return [np.concatenate([g["predictions"] for g in guesses]), isinstance(made, tf.estimator.Estimator)]


@apart
def exports(tf, folder, session):
    e = tf.estimator.export
    scores, classes, value = tf.constant([[0.2, 0.8]]), tf.constant([["a", "b"]]), tf.constant([[1.0]])
    made = [e.ClassificationOutput(scores, classes), e.RegressionOutput(value), e.PredictOutput({"p": value})]
    serialized = tf.placeholder(tf.string, [None], name="examples")
    return [
        [isinstance(m, e.ExportOutput) for m in made],
        [m.as_signature_def({"examples": serialized}).method_name for m in made],
        raised(e.ClassificationOutput),
        raised(e.RegressionOutput, classes),
    ]


@apart
def receivers(tf, folder, session):
    e = tf.estimator.export
    spec = {"x": tf.io.FixedLenFeature([2], tf.float32)}
    parsed = e.build_parsing_serving_input_receiver_fn(spec)()
    raw = e.build_raw_serving_input_receiver_fn({"x": tf.placeholder(tf.float32, [None, 2], name="x")})()
    tensor = e.TensorServingInputReceiver(tf.constant([1.0]), tf.placeholder(tf.float32, [1]))
    supervised = tf.estimator.experimental.build_raw_supervised_input_receiver_fn(
        {"x": tf.placeholder(tf.float32, [None, 2], name="f")}, {"y": tf.placeholder(tf.float32, [None, 1], name="l")}
    )()
    return [
        [sorted(parsed.features), sorted(parsed.receiver_tensors), parsed.features["x"].shape.as_list()],
        [sorted(raw.features), raw.receiver_tensors["x"].shape.as_list()],
        sorted(tensor.receiver_tensors),
        [sorted(supervised.features), sorted(supervised.labels), sorted(supervised.receiver_tensors)],
    ]


@apart
def logits(tf, folder, session):
    column = tf.feature_column.numeric_column("x", shape=[2])
    e = tf.estimator.experimental
    features = {"x": tf.constant(X["x"])}
    linear = e.linear_logit_fn_builder(2, [column])
    called = e.call_logit_fn(linear, features, tf.estimator.ModeKeys.EVAL, {}, tf.estimator.RunConfig())
    with tf.variable_scope("deep", initializer=tf.constant_initializer(0.5)):
        deep = e.dnn_logit_fn_builder(2, [3], [column], tf.nn.relu, None, None, False)(
            features, tf.estimator.ModeKeys.EVAL
        )
    session.run(tf.global_variables_initializer())
    return [session.run(called), deep.shape.as_list(), sorted(v.name for v in tf.global_variables())]


def stopping(tf, folder):
    """After which step a training ends, for each way to stop it early."""
    e, found = tf.estimator.experimental, []

    def model(features, labels, mode):
        step = tf.train.get_or_create_global_step()
        loss = tf.cast(step, tf.float32)
        metrics = {"loss_of": tf.metrics.mean(loss)}
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=tf.assign_add(step, 1), eval_metric_ops=metrics)

    def rows():
        return tf.data.Dataset.from_tensors((X["x"], NUMBERS)).repeat()

    often = {"run_every_secs": None, "run_every_steps": 1}
    ways = [
        lambda estimator: e.make_early_stopping_hook(estimator, lambda: True, **often),
        lambda estimator: e.stop_if_higher_hook(estimator, "loss", -1.0, **often),
        lambda estimator: e.stop_if_no_decrease_hook(estimator, "loss", 1000, **often),
        lambda estimator: e.stop_if_no_increase_hook(estimator, "loss", 1000, **often),
    ]
    for i, way in enumerate(ways):
        path = os.path.join(folder, "stopping%d" % i)
        config = tf.estimator.RunConfig(path, log_step_count_steps=None, save_checkpoints_steps=2)
        estimator = tf.estimator.Estimator(model, config=config)
        hook = way(estimator)
        os.makedirs(estimator.eval_dir(), exist_ok=True)
        estimator.train(rows, hooks=[hook], steps=4)
        found.append(int(estimator.get_variable_value("global_step")))
    evaluator = e.InMemoryEvaluatorHook(estimator, rows, steps=1, every_n_iter=2)
    estimator.train(rows, hooks=[evaluator], steps=2)
    return found + [sorted(os.listdir(estimator.eval_dir()))[:1] != []]


@apart
def specs(tf, folder, session):
    column = tf.feature_column.numeric_column("x")
    made = [
        tf.estimator.classifier_parse_example_spec([column], "y", tf.string, weight_column="w"),
        tf.estimator.regressor_parse_example_spec([column], "y", label_dimension=2),
    ]
    warm = tf.estimator.WarmStartSettings("there", vars_to_warm_start=".*x")
    exporter = tf.estimator.LatestExporter("latest", lambda: None, exports_to_keep=2)
    return [
        [[[k, str(v)] for k, v in sorted(spec.items())] for spec in made],
        list(warm),
        [
            exporter.name,
            isinstance(exporter, tf.estimator.Exporter),
            raised(tf.estimator.LatestExporter, "x", None, exports_to_keep=0),
        ],
        raised(tf.estimator.classifier_parse_example_spec, [column], "x"),
    ]


TABLES = {
    "heads": {
        "tf.estimator.BinaryClassHead": head("BinaryClassHead", NUMBERS - 1, 1),
        "tf.estimator.MultiClassHead": head("MultiClassHead", np.int64([[2], [0]]), 3, 3),
        "tf.estimator.MultiLabelHead": head("MultiLabelHead", np.int64([[1, 0, 1], [0, 0, 1]]), 3, 3),
        "tf.estimator.RegressionHead": head("RegressionHead", NUMBERS, 1),
        "tf.estimator.PoissonRegressionHead": head("PoissonRegressionHead", NUMBERS, 1),
        "tf.estimator.LogisticRegressionHead": head("LogisticRegressionHead", NUMBERS - 1, 1),
        "tf.estimator.MultiHead": both,
        "tf.estimator.export.ClassificationOutput": exports,
        "tf.estimator.export.TensorServingInputReceiver": receivers,
        "tf.estimator.experimental.linear_logit_fn_builder": logits,
        "tf.estimator.WarmStartSettings": specs,
    },
    "canned": {
        "tf.estimator.BaselineEstimator": canned("BaselineEstimator", NUMBERS),
        "tf.estimator.BoostedTreesEstimator": boosted,
        "tf.estimator.DNNClassifier": canned("DNNClassifier", np.int64([1, 0])),
        "tf.estimator.DNNRegressor": canned("DNNRegressor", NUMBERS),
        "tf.estimator.LinearEstimator": canned("LinearEstimator", NUMBERS),
        "tf.estimator.DNNLinearCombinedEstimator": canned("DNNLinearCombinedEstimator", NUMBERS),
        "tf.estimator.DNNLinearCombinedRegressor": canned("DNNLinearCombinedRegressor", NUMBERS),
    },
    "stopping": {"tf.estimator.experimental.make_early_stopping_hook": stopping},
}
