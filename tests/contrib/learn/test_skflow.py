"""tf.contrib.learn: SKFlow's estimators as in r0.11, monitors, preprocessing, experiments."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.contrib.learn.feeding import DataFeeder

learn = tf.contrib.learn


def rows(array):
    while True:
        yield from array


def test_a_convolution_of_skflow():
    x, y = np.random.rand(30, 8, 8).astype(np.float32), np.arange(30) % 3

    def model(x, y):
        maps = learn.ops.conv2d(tf.expand_dims(x, 3), n_filters=4, filter_shape=[3, 3], activation=tf.nn.relu)
        return learn.models.logistic_regression(tf.reduce_max(maps, [1, 2]), y)

    found = learn.TensorFlowEstimator(model_fn=model, n_classes=3, batch_size=10, steps=3, learning_rate=0.05)
    found.fit(x, y)
    assert found.predict(x).shape == (30,)
    np.testing.assert_allclose(found.predict_proba(x).sum(1), 1, rtol=1e-5)
    assert "convolution/filters" in found.get_variable_names()


def test_two_outputs_of_a_dense_model():
    x = np.linspace(-1, 1, 40, dtype=np.float32)[:, None]
    y = np.column_stack([x[:, 0], -x[:, 0]])

    def model(x, y):
        return learn.models.linear_regression(learn.ops.dnn(x, hidden_units=[8], activation=tf.tanh), y)

    found = learn.TensorFlowEstimator(model_fn=model, n_classes=0, batch_size=20, steps=150, learning_rate=0.1)
    assert found.fit(x, y).score(x, y) > 0.9


def test_words_to_words():
    words, length, width = 10, 4, 6
    x, y = np.random.randint(0, words, (12, length)), np.random.randint(0, words, (12, length))

    def model(x, y):
        vectors = learn.ops.categorical_variable(x, n_classes=words, embedding_size=width, name="words")
        in_x, in_y, out_y = learn.ops.seq2seq_inputs(vectors, y, length, length)
        cell = tf.nn.rnn_cell.GRUCell(width)
        top = tf.nn.rnn_cell.OutputProjectionWrapper(tf.nn.rnn_cell.GRUCell(width), words)
        decoding, _, sampled, _ = learn.ops.rnn_seq2seq(in_x, in_y, cell, decoder_cell=top)
        return learn.ops.sequence_classifier(decoding, out_y, sampled)

    found = learn.TensorFlowEstimator(
        model, n_classes=words, optimizer="Adam", learning_rate=0.01, batch_size=4, steps=2
    )
    found.fit(rows(x), rows(y))
    assert found.predict(x, axis=2).shape == (12, length + 1)


def test_a_recurrent_classifier():
    x = np.random.randint(0, 5, (12, 3))

    def steps(x):
        return tf.unstack(learn.ops.categorical_variable(x, n_classes=5, embedding_size=4, name="words"), axis=1)

    found = learn.TensorFlowRNNClassifier(rnn_size=4, n_classes=3, input_op_fn=steps, steps=2, batch_size=6)
    found.fit(x, np.arange(12) % 3)
    assert found.predict(x).shape == (12,)
    assert found.bias_.shape == (3,)
    assert found.weights_.shape == (4, 3)


def test_restore_says_what_to_do(tmp_path):
    found = learn.TensorFlowEstimator(learn.models.linear_regression, 0, steps=1, batch_size=2)
    found.fit(np.ones((2, 1), np.float32), np.ones(2, np.float32)).save(tmp_path / "model")
    with pytest.raises(ValueError, match="same model_fn"):
        learn.TensorFlowEstimator.restore(tmp_path / "model")
    found.fit(np.ones((2, 1), np.float32), np.ones(2, np.float32), logdir=tmp_path / "own").save(tmp_path / "own")
    assert (tmp_path / "own" / "model.def").exists()


def test_the_refusals_of_estimators():
    with pytest.raises(ValueError, match="Can not provide both input_fn and x or y"):
        learn.Estimator(lambda x, y: None).fit(np.ones((1, 1)), input_fn=lambda: None)
    with pytest.raises(learn.NotFittedError):
        learn.Estimator(lambda x, y: None).evaluate(np.ones((1, 1)), np.ones(1))
    with pytest.raises(ValueError, match="racist"):
        learn.datasets.load_dataset("boston")


def test_validation_stops_early():
    x = np.random.randn(40, 2).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    monitor = learn.monitors.ValidationMonitor(
        x, y, every_n_steps=1, early_stopping_rounds=3, early_stopping_metric_minimize=False, check_interval_secs=None
    )
    config = learn.RunConfig(save_checkpoints_steps=1, save_checkpoints_secs=None)
    model = learn.LinearClassifier(learn.infer_real_valued_columns_from_input(x), config=config)
    model.fit(x, y, steps=60, batch_size=40, monitors=[monitor])
    assert monitor.early_stopped
    assert monitor.best_step is not None
    assert model.get_variable_value("global_step") < 60


def test_an_experiment_exports(tmp_path):
    x = np.float32([[1], [2], [3]])
    features = {"x": tf.FixedLenFeature([1], tf.float32)}

    def inputs():
        return {"x": tf.constant(x)}, tf.constant(2 * x[:, 0])

    def experiment(output_dir):
        model = learn.LinearRegressor([tf.contrib.layers.real_valued_column("x")], model_dir=output_dir)
        strategy = learn.make_export_strategy(learn.build_parsing_serving_input_fn(features))
        how = {"train_steps": 5, "eval_steps": 1, "min_eval_frequency": 0, "export_strategies": strategy}
        return learn.Experiment(model, inputs, inputs, **how)

    metrics, exports = learn.learn_runner.run(experiment, output_dir=str(tmp_path))
    assert metrics["global_step"] == 5
    assert len(exports) == 1
    with tf.Graph().as_default(), tf.Session() as session:
        meta = tf.saved_model.loader.load(session, ["serve"], exports[0])
        assert meta.signature_def["serving_default"].method_name == "tensorflow/serving/regress"


def test_crossed_and_embedded_columns(tmp_path):
    layers = tf.contrib.layers
    kind = layers.sparse_column_with_keys("kind", ["a", "b"])
    word = layers.sparse_column_with_hash_bucket("word", 5)
    age = layers.bucketized_column(layers.real_valued_column("age"), [20.0, 40.0])

    def inputs():
        words = tf.SparseTensor([[0, 0], [1, 0]], ["u", "v"], [2, 1])
        kinds = tf.SparseTensor([[0, 0], [1, 0]], ["a", "b"], [2, 1])
        return {"kind": kinds, "word": words, "age": tf.constant([[10.0], [50.0]])}, tf.constant([0, 1])

    model = learn.DNNLinearCombinedClassifier(
        linear_feature_columns=[kind, age, layers.crossed_column([kind, word], 11)],
        dnn_feature_columns=[layers.embedding_column(word, 3), layers.one_hot_column(kind)],
        dnn_hidden_units=[4],
        model_dir=str(tmp_path),
    )
    model.fit(input_fn=inputs, steps=40)
    assert list(model.predict_classes(input_fn=inputs)) == [0, 1]
    names = model.get_variable_names()
    assert {"linear/kind_X_word/weights", "dnn/input_from_feature_columns/word_embedding/weights"} <= set(names)


def test_vocabularies(tmp_path):
    processor = learn.preprocessing.VocabularyProcessor(3, min_frequency=1)
    texts = ["a b a", "b c"]
    assert [row.tolist() for row in processor.fit_transform(texts)] == [[1, 2, 1], [2, 0, 0]]
    assert list(processor.reverse([[1, 2, 0]])) == ["a b <UNK>"]
    processor.save(str(tmp_path / "words"))
    assert len(learn.preprocessing.VocabularyProcessor.restore(str(tmp_path / "words")).vocabulary_) == 3
    coded = list(learn.preprocessing.ByteProcessor(4).transform(["ab", "abcdef"]))
    assert [row.tolist() for row in coded] == [[97, 98, 0, 0], [97, 98, 99, 100]]
    categories = learn.preprocessing.CategoricalProcessor().fit([["x", "1"], ["y", "1"]])
    assert [row.tolist() for row in categories.transform([["y", "1"], ["z", float("nan")]])] == [[2, 1], [0, 0]]


def test_at_the_end_of_a_pipeline_of_scikit_learn():
    pipeline = pytest.importorskip("sklearn.pipeline")
    from sklearn.preprocessing import StandardScaler

    rng = np.random.RandomState(0)
    x = rng.randn(60, 3)
    y = (x[:, 0] > 0).astype(np.int64)
    columns = tf.contrib.learn.infer_real_valued_columns_from_input(x)
    model = tf.contrib.learn.SKCompat(tf.contrib.learn.LinearClassifier(columns))
    steps = pipeline.Pipeline([("scale", StandardScaler()), ("learn", model)])
    steps.fit(x, y, learn__steps=40)
    assert np.mean(steps.predict(x)["classes"] == y) > 0.9


def test_predictions_are_an_array_where_one_is_wanted():
    """0.11 gave arrays, 1.x gives them one by one: scikit-learn's measures and subscripts take both."""
    from sklearn.metrics import accuracy_score

    from thalweg._src.contrib.learn.canned import Predictions

    def rows():
        return Predictions(iter([1, 0, 1, 1]))

    assert accuracy_score([1, 0, 1, 0], rows()) == 0.75
    assert list(rows()) == [1, 0, 1, 1]
    assert next(rows()) == 1
    found = rows()
    assert found[:2].tolist() == [1, 0]
    assert list(found) == [1, 0, 1, 1]
    np.testing.assert_array_equal(np.asarray(found, np.float32), [1, 0, 1, 1])


class Rows:
    """As a data set of h5py: rows by ascending numbers only."""

    def __init__(self, array):
        self.array, self.shape, self.ndim, self.dtype = array, array.shape, array.ndim, array.dtype

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        assert isinstance(rows, slice) or np.all(np.diff(rows) > 0)
        return self.array[rows]


class Parts:
    """As a table of dask: its rows are computed when they are asked for."""

    def __init__(self, array):
        self.array = array

    def map_partitions(self, f):
        return f(self.array)

    def compute(self):
        return self.array


@pytest.mark.parametrize("kind", [Rows, Parts])
def test_rows_out_of_files_and_tables_in_parts(kind):
    x = np.arange(24, dtype=np.float32).reshape(12, 2)
    feeder = DataFeeder(kind(x), np.arange(12), n_classes=None, batch_size=5)
    made, _ = feeder.input_builder()
    feed = feeder.get_feed_dict_fn()()
    np.testing.assert_array_equal(feed[made.name][:, 0], 2 * feed["output:0"])


def test_tables_as_arrays():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1, 2], "b": [True, False]})
    np.testing.assert_array_equal(learn.extract_pandas_data(table), [[1.0, 1.0], [2.0, 0.0]])
    np.testing.assert_array_equal(learn.extract_pandas_labels(table[["a"]]), [[1], [2]])
    np.testing.assert_array_equal(learn.extract_pandas_matrix(table[["b"]]), [[True], [False]])
    with pytest.raises(ValueError, match="must be int, float, or bool. Found: 'a' type='"):
        learn.io.extract_pandas_data(pandas.DataFrame({"a": ["x"]}))
    with pytest.raises(ValueError, match="Only one column"):
        learn.extract_pandas_labels(table)
    for extract in (learn.extract_pandas_data, learn.extract_pandas_labels, learn.extract_dask_data):
        assert extract([1]) == [1]
