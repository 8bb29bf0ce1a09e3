"""Estimators that keep scikit-learn's rules and train graphs: clone them, pickle them, search their parameters."""

from thalweg._src.contrib.sklearn.autoencoder import Autoencoder as Autoencoder
from thalweg._src.contrib.sklearn.graphs import GraphClassifier as GraphClassifier
from thalweg._src.contrib.sklearn.graphs import GraphRegressor as GraphRegressor
from thalweg._src.contrib.sklearn.perceptron import LinearClassifier as LinearClassifier
from thalweg._src.contrib.sklearn.perceptron import MLPClassifier as MLPClassifier
from thalweg._src.contrib.sklearn.perceptron import MLPRegressor as MLPRegressor
from thalweg._src.contrib.sklearn.pictures import ConvClassifier as ConvClassifier
from thalweg._src.contrib.sklearn.sequences import SequenceClassifier as SequenceClassifier
