"""thalweg.sklearn keeps scikit-learn's rules, and trains what scikit-learn trains."""

import copy
import inspect
import os
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from thalweg import sklearn as estimators

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:600] / 16, y[:600]


def test_the_same_network_as_scikit_learn(digits):
    X, y = digits
    ours = estimators.MLPClassifier((16,), max_iter=5, random_state=3).fit(X, y)
    theirs = neural_network.MLPClassifier((16,), max_iter=5, random_state=3).fit(X, y)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-4)
    for a, b in zip([*ours.coefs_, *ours.intercepts_], [*theirs.coefs_, *theirs.intercepts_], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)


def test_the_same_regression_as_scikit_learn():
    X, y = load_diabetes(return_X_y=True)
    y = np.stack([y / 100, -y / 50], 1)
    weighted = "sample_weight" in inspect.signature(neural_network.MLPRegressor.fit).parameters  # since 1.7
    weights = [np.linspace(0.1, 2, len(X))] if weighted else []
    ours = estimators.MLPRegressor((16,), max_iter=5, random_state=3).fit(X, y, *weights)
    theirs = neural_network.MLPRegressor(hidden_layer_sizes=(16,), max_iter=5, random_state=3).fit(X, y, *weights)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-4)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-4)


def test_weights_travel(digits):
    X, y = digits
    model = estimators.MLPClassifier((8,), max_iter=3, random_state=0).fit(X, y)
    expected = model.predict_proba(X)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert twin.session_ is not model.session_
        np.testing.assert_array_equal(twin.predict_proba(X), expected)
        twin.partial_fit(X, y)  # moves the twin alone, by the optimizer's state that came with it
        np.testing.assert_array_equal(model.predict_proba(X), expected)
    np.testing.assert_array_equal(copy.deepcopy(model).partial_fit(X, y).coefs_[0], twin.coefs_[0])
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


def test_networks_are_handed_on_but_not_shared(digits):
    X, y = digits
    first = estimators.MLPClassifier((8,), max_iter=2, random_state=0).fit(X, y)
    graph, expected = first.graph_, first.predict_proba(X)
    second = estimators.MLPClassifier((8,), max_iter=2, random_state=1).fit(X, y)
    assert second.graph_ is not graph
    del first
    third = estimators.MLPClassifier((8,), max_iter=2, random_state=0).fit(X, y)
    assert third.graph_ is graph
    np.testing.assert_array_equal(third.predict_proba(X), expected)


def test_partial_fit_with_words(digits):
    X, y = digits
    names = np.array([f"digit {i}" for i in range(10)])
    model = estimators.MLPClassifier((16,), random_state=0, learning_rate_init=0.03)
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        model.partial_fit(X, names[y])
    for _ in range(10):
        for part in (slice(0, 300), slice(300, 600)):
            model.partial_fit(X[part], names[y[part]], classes=names)
    assert model.score(X, names[y]) > 0.9
    assert len(model.loss_curve_) == 20
    with pytest.raises(ValueError, match="`y` has classes not in `self.classes_`"):
        model.partial_fit(X[:3], ["digit 1", "digit 2", "letter"])


def test_early_stopping_keeps_the_best(digits):
    X, y = digits
    model = estimators.MLPClassifier(
        (16,), early_stopping=True, n_iter_no_change=3, learning_rate_init=0.02, random_state=0
    )
    model.fit(X, y)
    assert model.n_iter_ < model.max_iter
    assert model.best_validation_score_ == max(model.validation_scores_)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        model.partial_fit(X, y)


def test_what_is_refused(digits):
    from scipy.sparse import csr_matrix

    X, y = digits
    with pytest.raises(TypeError, match="Sparse data was passed for X, but dense data is required"):
        estimators.MLPClassifier().fit(csr_matrix(X), y)
    with pytest.raises(ValueError, match="The 'max_iter' parameter of MLPClassifier must be"):
        estimators.MLPClassifier(max_iter=0).fit(X, y)
    with pytest.raises(ValueError, match="Unknown label type"):
        estimators.MLPClassifier().fit(X, y + 0.5)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        model = estimators.MLPClassifier((4,), max_iter=1).fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 64 features"):
        model.predict(X[:, :3])


def test_a_search_over_a_pipeline(digits):
    X, y = digits
    pipe = make_pipeline(StandardScaler(), estimators.MLPClassifier((8,), max_iter=10, random_state=0))
    search = GridSearchCV(pipe, {"mlpclassifier__learning_rate_init": [1e-5, 0.02]}, cv=2).fit(X, y)
    assert search.best_params_ == {"mlpclassifier__learning_rate_init": 0.02}
    assert search.score(X, y) > 0.9


def test_parameters_set_after_fitting_wait_for_the_next_fit(digits):
    X, y = digits
    model = estimators.MLPClassifier((8,), max_iter=2, random_state=0).fit(X, y)
    expected = model.predict_proba(X)
    twin = pickle.loads(pickle.dumps(model.set_params(hidden_layer_sizes=(4, 4))))
    np.testing.assert_array_equal(twin.predict_proba(X), expected)
    assert [c.shape for c in twin.fit(X, y).coefs_] == [(64, 4), (4, 4), (4, 10)]


def test_pictures_and_sequences(digits):
    X, y = digits
    brief = {"max_iter": 15, "random_state": 0, "learning_rate_init": 0.02}
    assert estimators.LinearClassifier(**brief).fit(X, y).score(X, y) > 0.9
    assert estimators.ConvClassifier((8, 8), filters=(8,), hidden_layer_sizes=(), **brief).fit(X, y).score(X, y) > 0.9
    assert estimators.SequenceClassifier(step_size=8, n_units=16, **brief).fit(X, y).score(X, y) > 0.8
    with pytest.raises(ValueError, match="X has 64 features, but pictures of image_shape"):
        estimators.ConvClassifier((7, 8)).fit(X, y)
    with pytest.raises(ValueError, match="no whole number of steps"):
        estimators.SequenceClassifier(step_size=5).fit(X, y)


def test_autoencoder_gives_back_what_it_gets(digits):
    X, _ = digits
    model = estimators.Autoencoder(12, max_iter=60, random_state=0).set_output(transform="default")
    codes = model.fit_transform(X)
    assert codes.shape == (600, 12)
    assert model.get_feature_names_out()[0] == "autoencoder0"
    back = model.inverse_transform(codes)
    assert ((back - X) ** 2).mean() < 0.35 * X.var(axis=0).mean()
    assert model.score(X) == pytest.approx(-((back - X) ** 2).mean())


def test_a_graph_of_one_s_own(digits):
    import thalweg as tf

    X, y = digits
    width = 4

    def model(features, n_outputs, training):
        hidden = tf.layers.dense(features, width, tf.nn.relu)
        return tf.layers.dense(tf.layers.dropout(hidden, 0.2, training=training), n_outputs)

    brief = {"max_iter": 3, "random_state": 0, "dtype": "float32"}
    first = estimators.GraphClassifier(model, **brief).fit(X, y)
    again = estimators.GraphClassifier(model, **brief).fit(X, y)
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))  # dropout included
    other = estimators.GraphClassifier(model, **{**brief, "random_state": 1}).fit(X, y)
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))
    width = 6
    assert {v.shape for v in again.fit(X, y).weights_.values()} == {(64, 6), (6,), (6, 10), (10,)}
    with pytest.raises(ValueError, match="The model's output must have the shape"):
        estimators.GraphClassifier(lambda x, n: x).fit(X, y)


BRIEF = {"max_iter": 40, "learning_rate_init": 0.02}  # so few epochs do for the checks, given steps of that size
QUICK = {"MLPClassifier": {"hidden_layer_sizes": (16,)}, "Autoencoder": {}}
SLOW = {  # a minute or two each, most of it compiling: THALWEG_EVERY_CHECK=1 runs them
    "MLPRegressor": {"hidden_layer_sizes": (16,)},
    "LinearClassifier": {"learning_rate_init": 0.05},
    "ConvClassifier": {"filters": (4,), "hidden_layer_sizes": (16,)},
    "SequenceClassifier": {"n_units": 8},
    "GraphClassifier": {"learning_rate_init": 0.05},
    "GraphRegressor": {"learning_rate_init": 0.05},
}


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_scikit_learn_s_own_checks(name):
    if name in SLOW and not os.environ.get("THALWEG_EVERY_CHECK"):
        pytest.skip("takes long: set THALWEG_EVERY_CHECK")
    estimator = getattr(estimators, name)(**(BRIEF | (QUICK | SLOW)[name]))
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    failed = [f"{r['check_name']}: {r['exception']!r}" for r in results if r["status"] not in ("passed", "skipped")]
    assert not failed, "\n".join(failed)


class Stop:
    """A callback that ends the training after the third epoch, and keeps what it is told."""

    def setup(self, estimator, context):
        self.told = []

    def on_fit_task_begin(self, estimator, context):
        self.told.append((context.task_name, context.task_id, "begins"))

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        score = None if fitted_estimator is None else fitted_estimator.score(X, y)
        self.told.append((context.task_name, context.task_id, score))
        return context.task_name == "epoch" and context.task_id == 2

    def teardown(self, estimator, context):
        self.told.append("over")


def test_callbacks_are_told_and_can_stop(digits):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    X, y = digits
    stop = Stop()
    model = estimators.MLPClassifier((16,), max_iter=10, random_state=0).set_callbacks(stop).fit(X, y)
    assert model.n_iter_ == 3
    assert [t[:2] for t in stop.told[:-1]] == [("fit", 0), *[("epoch", i) for i in (0, 0, 1, 1, 2, 2)], ("fit", 0)]
    assert stop.told[-1] == "over"
    scores = [t[2] for t in stop.told[:-1] if isinstance(t[2], float)]
    assert scores[2] == scores[3] == model.score(X, y)
    plain = estimators.MLPClassifier((16,), max_iter=3, random_state=0).fit(X, y)
    np.testing.assert_array_equal(plain.predict_proba(X), model.predict_proba(X))


def test_progress_bars(digits, capsys):
    callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    pytest.importorskip("rich")
    model = estimators.MLPRegressor((4,), max_iter=2, random_state=0).set_callbacks(callback.ProgressBar())
    model.fit(*digits)
    assert "MLPRegressor - fit" in capsys.readouterr().out


def test_frames_in_and_frames_out(digits):
    pandas = pytest.importorskip("pandas")
    X, _ = digits
    frame = pandas.DataFrame(X, columns=[f"pixel{i}" for i in range(X.shape[1])])
    model = estimators.Autoencoder(3, max_iter=2, random_state=0).set_output(transform="pandas")
    out = model.fit_transform(frame)
    assert list(model.feature_names_in_) == list(frame.columns)
    assert list(out.columns) == ["autoencoder0", "autoencoder1", "autoencoder2"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame[frame.columns[::-1]])


@pytest.mark.parametrize("kind", ["MLPClassifier", "LinearClassifier", "MLPRegressor"])
def test_bad_input_is_refused_in_scikit_learn_s_words(kind, digits):
    X, y = digits
    model = getattr(estimators, kind)(max_iter=1)
    holes = X.copy()
    holes[3, 2] = np.nan
    words = np.array([["a", "b"]] * 4)
    for rows, labels, match in (
        (holes, y, "Input X contains NaN"),
        (np.where(np.isnan(holes), np.inf, holes), y, "Input X contains infinity"),
        (np.zeros((0, 3)), y[:0], "Found array with 0 sample"),
        (np.zeros((4, 0)), y[:4], "0 feature\\(s\\)"),
        (X[0], y[:1], "Expected 2D array, got 1D array instead"),
        (words, y[:4], "could not convert string to float"),
        (X, y[:-1], "inconsistent numbers of samples"),
    ):
        with pytest.raises(ValueError, match=match):
            model.fit(rows, labels)
    with pytest.raises(NotFittedError, match=f"This {kind} instance is not fitted yet"):
        model.predict(X)


def test_labels_that_were_not_announced(digits):
    X, y = digits
    model = estimators.MLPClassifier((4,)).partial_fit(X[y < 5], y[y < 5], classes=range(5))
    with pytest.raises(ValueError, match=r"`y` has classes not in `self.classes_`"):
        model.partial_fit(X, y)
