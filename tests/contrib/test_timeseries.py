"""tf.contrib.timeseries: readers, windows, estimators; that values are TensorFlow's was seen on its checkpoints."""

import numpy as np
import pytest

import thalweg as tf

ts = tf.contrib.timeseries
TIMES = np.arange(120)
WAVES = np.stack([np.sin(2 * np.pi * TIMES / 10), np.cos(2 * np.pi * TIMES / 10)], 1).astype("float32")


def test_readers_agree(tmp_path):
    path = tmp_path / "series.csv"
    path.write_text("time,a,b\n" + "".join(f"{t},{a},{b}\n" for t, (a, b) in zip(TIMES, WAVES, strict=True)))
    records = tmp_path / "series.tfrecord"
    with tf.python_io.TFRecordWriter(str(records)) as writer:
        for t, row in zip(TIMES, WAVES, strict=True):
            feature = {
                "times": tf.train.Feature(int64_list=tf.train.Int64List(value=[t])),
                "values": tf.train.Feature(float_list=tf.train.FloatList(value=row)),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    spec = {"times": tf.FixedLenFeature([], tf.int64), "values": tf.FixedLenFeature([2], tf.float32)}
    readers = [
        ts.NumpyReader({"times": TIMES, "values": WAVES}),
        ts.CSVReader(str(path), ("times", "values", "values"), skip_header_lines=1),
        ts.TFExampleReader([str(records)], spec),
    ]
    whole = [ts.WholeDatasetInputFn(reader)()[0] for reader in readers]
    parts = [reader.read() for reader in readers]
    with tf.Session() as session:
        for features in session.run(whole):
            assert features["times"].shape == (1, 120)
            np.testing.assert_allclose(features["values"][0], WAVES, atol=1e-6)
        for features in session.run(parts):
            assert features["times"][118:122].tolist() == [118, 119, 0, 1]


def test_readers_refuse():
    with pytest.raises(ValueError, match="required"):
        ts.NumpyReader({"times": TIMES})
    with pytest.raises(ValueError, match="prefixed"):
        ts.NumpyReader({"times": TIMES, "values": WAVES[:5]})
    with pytest.raises(ValueError, match="required column"):
        ts.CSVReader("x", ("values",))
    with pytest.raises(ValueError, match="column_dtypes"):
        ts.CSVReader("x", column_dtypes=(tf.int64,))
    with pytest.raises(ValueError, match="only 120 records"):
        ts.RandomWindowInputFn(ts.NumpyReader({"times": TIMES, "values": WAVES}), window_size=121, batch_size=1)


def test_windows_are_stretches_of_the_series():
    reader = ts.NumpyReader({"times": TIMES, "values": WAVES}, read_num_records_hint=50)
    features, _ = ts.RandomWindowInputFn(reader, window_size=8, batch_size=5, queue_capacity_multiplier=10)()
    assert features["values"].shape.as_list() == [5, 8, 2]
    with tf.train.MonitoredSession() as session:
        for _ in range(4):
            found = session.run(features)
            assert (np.diff(found["times"], axis=1) == 1).all()
            np.testing.assert_array_equal(found["values"], WAVES[found["times"]])


def test_times_to_predict():
    evaluation = {"times": TIMES[None], "start_tuple": (np.zeros([1, 2]),)}
    for arguments in ({}, {"steps": 2, "times": [130]}):
        with pytest.raises(ValueError, match="of `steps` and `times`"):
            ts.predict_continuation_input_fn(evaluation, **arguments)
    with pytest.raises(ValueError, match="must be after"):
        ts.predict_continuation_input_fn(evaluation, times=[119])


def test_autoregression_learns_a_wave(tmp_path):
    reader = ts.NumpyReader({"times": TIMES, "values": WAVES})
    estimator = ts.ARRegressor(10, input_window_size=6, output_window_size=4, num_features=2, model_dir=str(tmp_path))
    estimator.train(ts.RandomWindowInputFn(reader, window_size=10, batch_size=16, shuffle_seed=1), steps=80)
    names = estimator.get_variable_names()
    assert "model/flat_prediction_model/predicted_mean/kernel" in names
    assert "input_statistics/overall_feature_mean" in names
    evaluation = estimator.evaluate(ts.WholeDatasetInputFn(reader), steps=1)
    assert evaluation["mean"].shape == evaluation["covariance"].shape == (1, 112, 2)
    assert [part.shape for part in evaluation["start_tuple"]] == [(1, 6), (1, 6, 2), (1, 6, 0)]
    (found,) = estimator.predict(ts.predict_continuation_input_fn(evaluation, steps=7))
    assert found["times"].tolist() == list(range(120, 127))
    assert np.abs(found["mean"] - WAVES[:7]).mean() < 0.25
    folder = estimator.export_saved_model(str(tmp_path / "out"), estimator.build_raw_serving_input_receiver_fn())
    with tf.Graph().as_default(), tf.Session() as session:
        signatures = tf.saved_model.loader.load(session, [tf.saved_model.tag_constants.SERVING], folder)
        series = {"times": TIMES, "values": WAVES}
        state = ts.saved_model_utils.cold_start_filter(signatures, session, series)
        again = ts.saved_model_utils.predict_continuation(state, signatures, session, steps=7)
    np.testing.assert_allclose(again["mean"][0], found["mean"], atol=1e-5)


class Averages(ts.SequentialTimeSeriesModel):
    """Predicts the mean of the last value and its own last prediction."""

    def __init__(self, **options):
        super().__init__(["mean"], ["mean"], num_features=1, **options)

    def initialize_graph(self, input_statistics=None):
        super().initialize_graph(input_statistics)
        self.shift = tf.get_variable("shift", [], initializer=tf.zeros_initializer())

    def get_start_state(self):
        return tf.zeros([1])

    def _prediction_step(self, current_times, state):
        return state, {"mean": state + self.shift}

    def _filtering_step(self, current_times, current_values, state, predictions):
        loss = tf.reduce_mean((predictions["mean"] - current_values) ** 2, axis=-1)
        return (state + current_values) / 2, dict(predictions, loss=loss)

    def _imputation_step(self, current_times, state):
        return state


@pytest.mark.parametrize("unrolled", [None, 10])
def test_sequential_models_go_step_by_step(unrolled):
    model = Averages(static_unrolling_window_size_threshold=unrolled)
    with pytest.raises(ValueError, match="initialize_graph"):
        model.define_loss({}, tf.estimator.ModeKeys.TRAIN)
    model.initialize_graph()
    features = {"times": tf.constant([[0, 1, 2]]), "values": tf.constant([[[4.0], [8.0], [0.0]]])}
    outputs = model.define_loss(features, tf.estimator.ModeKeys.TRAIN)
    later = model.predict({"times": tf.constant([[3, 4]], tf.int64), "start_tuple": outputs.end_state})
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        loss, state, means, predicted = session.run(
            [outputs.loss, outputs.end_state, outputs.predictions["mean"], later]
        )
    assert means[0, :, 0].tolist() == [0.0, 2.0, 5.0]
    assert loss == pytest.approx((16 + 36 + 25) / 3)
    assert state.tolist() == [[2.5]]
    assert predicted["mean"][0, :, 0].tolist() == [2.5, 2.5]


def test_chained_states_go_on_where_earlier_windows_ended():
    model, manager = Averages(), ts.ChainingStateManager(state_saving_interval=2)
    model.initialize_graph()
    manager.initialize_graph(model)
    times, values = tf.placeholder(tf.int64, [1, 2]), tf.placeholder(tf.float32, [1, 2, 1])
    outputs = manager.define_loss(model, {"times": times, "values": values}, tf.estimator.ModeKeys.TRAIN)
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()])
        found = [outputs.predictions["mean"], outputs.loss]
        first, _ = session.run(found, {times: [[0, 1]], values: [[[4.0], [8.0]]]})
        second, _ = session.run(found, {times: [[2, 3]], values: [[[0.0], [0.0]]]})
    assert first[0, :, 0].tolist() == [0.0, 2.0]
    assert second[0, :, 0].tolist() == [5.0, 2.5]
