"""Estimators that keep scikit-learn's rules and train graphs: clone them, pickle them, search their parameters."""

from thalweg._src.contrib.sklearn.perceptron import MLPClassifier as MLPClassifier
from thalweg._src.contrib.sklearn.perceptron import MLPRegressor as MLPRegressor
