"""Programs over feature columns and estimators that run under TensorFlow 1.15 and under thalweg; each gives plain values."""

import numpy as np


def floats(x):
    return np.round(np.asarray(x, np.float64), 5).tolist()


def feature_columns(tf):
    """The values of input_layer and linear_model, the gradients of the latter, and the names of the variables."""
    fc = tf.feature_column
    features = {
        "a": tf.constant([[1.0], [5.0], [3.0]]),
        "s": tf.constant([["x", "y"], ["z", ""], ["q", "x"]]),
        "i": tf.constant([[0], [2], [1]]),
        "j": tf.constant([[1], [1], [0]]),
        "w": tf.constant([[0.5, 2.0], [1, 0], [3.0, 1.0]]),
    }
    a = fc.numeric_column("a")
    buckets = fc.bucketized_column(a, [2.0, 4.0])
    words = fc.categorical_column_with_vocabulary_list("s", ["x", "y", "z"])
    hashed = fc.categorical_column_with_hash_bucket("s", 7)
    number = fc.categorical_column_with_identity("i", 3)
    cross = fc.crossed_column(["s", buckets], 11)
    weighted = fc.weighted_categorical_column(words, "w")
    embedded = fc.embedding_column(words, 2, initializer=tf.ones_initializer())
    dense = [a, buckets, embedded, *[fc.indicator_column(c) for c in (words, number, cross, weighted)]]
    joined = fc.input_layer(features, dense)
    shared = fc.shared_embedding_columns(
        [fc.categorical_column_with_identity(k, 3) for k in "ij"], 2, initializer=tf.ones_initializer()
    )
    both = fc.input_layer(features, shared)
    total = fc.linear_model(features, [a, buckets, hashed, number, cross, weighted], units=2)
    variables = [v for v in tf.trainable_variables() if v.name.startswith("linear_model")]
    slopes = [tf.convert_to_tensor(g) for g in tf.gradients(total, variables)]
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
        return {
            "names": sorted(v.name for v in tf.global_variables()),
            "input_layer": floats(sess.run(joined)),
            "shared": floats(sess.run(both)),
            "linear_model": floats(sess.run(total)),
            "gradients": {v.name: floats(sess.run(g)) for v, g in zip(variables, slopes)},
            "spec": sorted(map(str, fc.make_parse_example_spec(dense))),
        }


def sequences(tf):
    """Sequence columns: values, lengths, names."""
    fc, contrib = tf.feature_column, tf.contrib.feature_column
    ids = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([1, 2, 0], tf.int64), [2, 3])
    numbers = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [3.0, 4.0, 5.0], [2, 3])
    column = fc.sequence_categorical_column_with_identity("ids", 3)
    columns = [
        fc.indicator_column(column),
        fc.embedding_column(column, 2, initializer=tf.ones_initializer()),
        contrib.sequence_numeric_column("numbers"),
    ]
    values, lengths = contrib.sequence_input_layer({"ids": ids, "numbers": numbers}, columns)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        found, many = sess.run([values, lengths])
        return {"values": floats(found), "lengths": many.tolist(), "names": [v.name for v in tf.global_variables()]}


def data():
    x = np.random.RandomState(0).randn(40, 2).astype(np.float32)
    s = np.array(["a", "b", "c", "d"] * 10)
    return x, s, (x[:, 0] + x[:, 1] * 2 > 0).astype(np.int64)


def canned(tf):
    """Canned estimators that start at zero: metrics after a training, names of variables and predictions."""
    x, s, y = data()
    fc, found = tf.feature_column, {}

    def inputs(labels, epochs):
        return tf.estimator.inputs.numpy_input_fn({"x": x, "s": s}, labels, 10, epochs, False)

    columns = [
        fc.numeric_column("x", shape=[2]),
        fc.indicator_column(fc.categorical_column_with_vocabulary_list("s", ["a", "b", "c"])),
    ]
    estimator = tf.estimator
    for name, model, labels in (
        ("linear", estimator.LinearClassifier(columns), y),
        ("linear 3", estimator.LinearClassifier(columns, n_classes=3), np.arange(40) % 3),
        ("linear numbers", estimator.LinearRegressor(columns), x.sum(1)),
        ("baseline", estimator.BaselineClassifier(), y),
        ("baseline numbers", estimator.BaselineRegressor(), x.sum(1)),
    ):
        model.train(inputs(labels, None), steps=20)
        metrics = model.evaluate(inputs(labels, 1))
        first = next(iter(model.predict(inputs(None, 1))))
        found[name] = {
            "metrics": {k: round(float(v), 4) for k, v in sorted(metrics.items())},
            "variables": model.get_variable_names(),
            "predictions": sorted(first),
        }
    deep = estimator.DNNLinearCombinedClassifier(
        linear_feature_columns=columns,
        dnn_feature_columns=[columns[0], fc.embedding_column(fc.categorical_column_with_hash_bucket("s", 5), 3)],
        dnn_hidden_units=[3],
        batch_norm=True,
    )
    found["combined"] = deep.train(inputs(y, None), steps=1).get_variable_names()
    return found


def learn(tf):
    """Canned estimators of tf.contrib.learn that start at zero: metrics, and names of variables."""
    x, _, y = data()
    learn, found = tf.contrib.learn, {}
    columns = learn.infer_real_valued_columns_from_input(x)
    for name, model, labels in (
        ("linear", learn.LinearClassifier(columns), y),
        ("linear 3", learn.LinearClassifier(columns, n_classes=3), np.arange(40) % 3),
        ("numbers", learn.LinearRegressor(columns), x.sum(1)),
    ):
        model.fit(x, labels, steps=20, batch_size=10)
        metrics = model.evaluate(x, labels, batch_size=10)
        found[name] = {
            "metrics": {k: round(float(v), 4) for k, v in sorted(metrics.items())},
            "variables": model.get_variable_names(),
            "predictions": floats(list(model.predict(x, as_iterable=True)))[:5],
        }
    deep = learn.DNNClassifier([3], columns).fit(x, y, steps=1, batch_size=10)
    found["deep"] = deep.get_variable_names()
    return found


def boosted(tf):
    """Boosted trees: batches and pruning, all data at once, a centered bias with its explanations."""
    column, random, found = tf.feature_column, np.random.RandomState(1), {}
    n = 120
    x = {"a": random.randn(n).astype("f").round(1), "b": random.rand(n).astype("f"), "c": random.choice(["x", "y"], n)}
    number = (x["a"] * 2 + x["b"] + (x["c"] == "y")).astype("f")
    columns = [
        column.numeric_column("a"),
        column.bucketized_column(column.numeric_column("b"), [0.25, 0.5, 0.75]),
        column.indicator_column(column.categorical_column_with_vocabulary_list("c", ["x", "y"])),
    ]

    def inputs(y, epochs, size=60):
        return tf.estimator.inputs.numpy_input_fn(x, y, size, epochs, False)

    trees = {"n_trees": 3, "max_depth": 3, "learning_rate": 0.3}
    pruned = dict(trees, tree_complexity=0.01, pruning_mode="post", l2_regularization=0.1)
    label = (number > 1).astype("int32")
    for name, model, y, size in (
        ("numbers", tf.estimator.BoostedTreesRegressor(columns, 2, **pruned), number, 60),
        ("at once", tf.estimator.BoostedTreesClassifier(columns, 1, train_in_memory=True, **trees), label, n),
        ("centered", tf.estimator.BoostedTreesRegressor(columns[:2], 1, center_bias=True, **trees), number, n),
    ):
        model.train(inputs(y, None, size), steps=200)
        metrics = model.evaluate(inputs(y, 1))
        found[name] = {
            "metrics": {k: round(float(v), 4) for k, v in sorted(metrics.items())},
            # TensorFlow keeps features and logits of data at once in variables; thalweg goes through the trees again.
            "variables": [name for name in model.get_variable_names() if "cache" not in name],
            "importances": {k: float(v) for k, v in model.experimental_feature_importances(normalize=True).items()},
        }
    rows = list(model.experimental_predict_with_explanations(inputs(None, 1)))[:3]
    found["explained"] = [[float(r["bias"])] + [float(r["dfc"][k]) for k in sorted(r["dfc"])] for r in rows]
    return found


PROGRAMS = {
    "boosted": boosted,
    "feature_columns": feature_columns,
    "sequences": sequences,
    "canned": canned,
    "learn": learn,
}
