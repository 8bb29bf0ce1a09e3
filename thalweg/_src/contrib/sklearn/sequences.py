"""Recurrent networks on rows that are sequences."""

from __future__ import annotations

from collections.abc import Hashable
from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

from thalweg._src.contrib.sklearn.classification import Classification
from thalweg._src.contrib.sklearn.perceptron import dense
from thalweg._src.contrib.sklearn.training import Trained
from thalweg._src.lib.rnn.basic import BasicRNNCell, GRUCell, LSTMCell
from thalweg._src.lib.rnn.dynamic import dynamic_rnn
from thalweg._src.ops.arrays.shaping import reshape

CELLS = {"rnn": BasicRNNCell, "gru": GRUCell, "lstm": LSTMCell}


class SequenceClassifier(Classification):
    """A recurrent cell over the steps of each row; its last state is classified.

    `step_size`: how many features in a row make one step; it divides their number, else ValueError.

    >>> from thalweg.sklearn import SequenceClassifier
    >>> SequenceClassifier("lstm", step_size=8).cell
    'lstm'
    """

    _parameter_constraints = Trained._parameter_constraints | {
        "cell": [StrOptions(set(CELLS))],
        "n_units": [Interval(Integral, 1, None, closed="left")],
        "step_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, cell="gru", n_units=32, step_size=1, *,
                 alpha=0.0001, batch_size="auto", learning_rate_init=0.01, max_iter=200,
                 shuffle=True, random_state=None, tol=1e-4, verbose=False, warm_start=False, early_stopping=False,
                 validation_fraction=0.1, n_iter_no_change=10):  # fmt: skip
        super().__init__(alpha=alpha, batch_size=batch_size, learning_rate_init=learning_rate_init, max_iter=max_iter,
                         shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
                         early_stopping=early_stopping, validation_fraction=validation_fraction,
                         n_iter_no_change=n_iter_no_change)  # fmt: skip
        self.cell = cell
        self.n_units = n_units
        self.step_size = step_size

    def _structure(self) -> Hashable:
        return self.cell, self.n_units, self.step_size

    def _model(self, x: Any, n_outputs: int, training: Any) -> dict[str, Any]:
        n = x.shape.as_list()[1]
        if n % self.step_size:
            raise ValueError(f"X has {n} features, which are no whole number of steps of step_size={self.step_size}.")
        steps = reshape(x, [-1, n // self.step_size, self.step_size])
        last = dynamic_rnn(CELLS[self.cell](self.n_units, dtype=x.dtype), steps, dtype=x.dtype)[1]
        return {"out": dense(last.h if self.cell == "lstm" else last, n_outputs, 0)}
