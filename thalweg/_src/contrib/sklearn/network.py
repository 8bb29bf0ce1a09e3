"""What an estimator trains: a graph with one session, built once for a structure and handed on between estimators.

Compiling takes longer than a small fit, and estimators of equal structure compile the same programs. So a network whose estimator
has died, or has been fitted otherwise, waits here for the next one that asks for its structure. Nobody shares one at the same time.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Graph
from thalweg._src.core.seeds import set_random_seed
from thalweg._src.lib.optimizers.adam import AdamOptimizer
from thalweg._src.ops.arrays.constants import placeholder, placeholder_with_default
from thalweg._src.ops.nets.normalization import l2_loss
from thalweg._src.ops.nets.softmax import (
    sigmoid_cross_entropy_with_logits,
    softmax,
    softmax_cross_entropy_with_logits_v2,
)
from thalweg._src.ops.numeric.elementwise import sigmoid
from thalweg._src.ops.numeric.matmul import matmul
from thalweg._src.ops.numeric.reduce import reduce_sum
from thalweg._src.ops.stateful.variable_lists import global_variables, global_variables_initializer, trainable_variables
from thalweg._src.runtime import direct
from thalweg._src.runtime.session import Session

_MOST_IDLE = 48
_ROWS = 64, 1024  # a prediction runs on so many rows at a time: two shapes to compile

# loss -> (predictions of the last layer, loss of each row)
_LOSSES: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "softmax": (softmax, lambda y, z: softmax_cross_entropy_with_logits_v2(labels=y, logits=z)),
    "sigmoid": (sigmoid, lambda y, z: reduce_sum(sigmoid_cross_entropy_with_logits(labels=y, logits=z), 1)),
    "squared": (lambda z: z, lambda y, z: reduce_sum((y - z) * (y - z), 1) * 0.5),
}


class Network:
    """A graph, its session, and the step that trains it by Adam.

    `model(x, training)` builds the last layer on `x` [rows, features] and returns a dictionary of tensors, "out" among them.
    The loss is the mean over the rows, by their weights, plus alpha / 2 times the squares of the weights (not of biases).
    """

    def __init__(self, model: Callable[[Any, Any], dict[str, Any]], *, n_features: int, n_outputs: int, dtype: Any,
                 loss: str, alpha: float, learning_rate: float, seed: int = 0):  # fmt: skip
        self.graph = Graph()
        predict, error = _LOSSES[loss]
        with self.graph.as_default():
            set_random_seed(seed)
            kind = dtypes.as_dtype(dtype)
            self.x = placeholder(kind, [None, n_features], name="x")
            self.y = placeholder(kind, [None, n_outputs], name="y")
            self.w = placeholder(kind, [None, 1], name="sample_weight")
            self.training = placeholder_with_default(False, [], name="training")
            self.tensors = model(self.x, self.training)
            out = self.tensors["out"]
            shape = out.shape.as_list() if out.shape.ndims is not None else None
            if shape is None or len(shape) != 2 or shape[1] != n_outputs:
                raise ValueError(f"The model's output must have the shape [rows, {n_outputs}], but it has {shape}.")
            total = reduce_sum(self.w)
            data = reduce_sum(matmul(self.w, _column(error(self.y, out)), transpose_a=True)) / total
            squares = [l2_loss(v) for v in trainable_variables() if v.shape.ndims >= 2]
            penalty = sum(squares) * alpha / total if alpha and squares else 0.0
            self.loss = data / (n_outputs if loss == "squared" else 1) + penalty  # scikit-learn's loss_
            self.tensors["predictions"] = predict(out)
            self.step = AdamOptimizer(learning_rate).minimize(data + penalty)
            self.variables = {v.op.name: v.op for v in global_variables()}
            self.trained = [v.op.name for v in trainable_variables()]
            self._initialize = global_variables_initializer()
        self.graph.finalize()
        self.session = Session(graph=self.graph)

    @functools.cached_property
    def fresh(self) -> dict[str, np.ndarray]:
        """The first values of all variables, as the graph initializes them."""
        self.session.run(self._initialize)
        return self.read()

    def read(self) -> dict[str, np.ndarray]:
        """The values of all variables, the optimizer's included, by name."""
        with direct.held(self.session):
            return {name: np.array(direct.value_of(self.session, op)) for name, op in self.variables.items()}

    def load(self, values: dict[str, np.ndarray]) -> None:
        """Begin again, random streams included, with these values. What is not named gets its first value."""
        fresh = self.fresh
        direct.forget(self.session)
        for name, op in self.variables.items():
            direct.put(self.session, op, np.array(values.get(name, fresh[name])))

    def train(self, x: np.ndarray, y: np.ndarray, w: np.ndarray, rows: int) -> float:
        """One step on a batch, filled up to `rows` with rows that weigh nothing; its loss."""
        feeds = {self.x: _filled(x, rows), self.y: _filled(y, rows), self.w: _filled(w, rows), self.training: np.True_}
        return float(self.session.run([self.loss, self.step], feeds)[0])

    def run(self, name: str, x: np.ndarray, source: Any = None) -> np.ndarray:
        """A tensor of the model for all rows of `x`, which is fed to `source`, the features unless told."""
        source, parts = self.x if source is None else self.tensors[source], []
        rows = _ROWS[len(x) > _ROWS[0]]
        for start in range(0, len(x), rows):
            part = x[start : start + rows]
            parts.append(self.session.run(self.tensors[name], {source: _filled(part, rows)})[: len(part)])
        return np.concatenate(parts)


def _column(x: Any) -> Any:
    from thalweg._src.ops.arrays.shaping import reshape

    return reshape(x, [-1, 1])


def _filled(x: np.ndarray, rows: int) -> np.ndarray:
    if len(x) == rows:
        return x
    out = np.zeros((rows, *x.shape[1:]), x.dtype)
    out[: len(x)] = x
    return out


_lock = threading.RLock()
_idle: OrderedDict[Hashable, list[Network]] = OrderedDict()  # the least recently used structure first
_owned: weakref.WeakKeyDictionary[Any, tuple[Hashable, Network, weakref.finalize]] = weakref.WeakKeyDictionary()


def own(owner: Any, key: Hashable, make: Callable[[], Network], state: dict[str, np.ndarray] | None) -> Network:
    """The network of the estimator `owner` for the structure `key`; where it is new to it, `state` is loaded."""
    with _lock:
        held = _owned.get(owner)
        if held is not None and held[0] == key:
            return held[1]
        if held is not None:
            held[2]()
        waiting = _idle.get(key)
        network = waiting.pop() if waiting else None
        if waiting == []:
            del _idle[key]
    network = make() if network is None else network
    if state is not None:
        network.load(state)
    with _lock:
        _owned[owner] = key, network, weakref.finalize(owner, _give_back, key, network)
    return network


def held_by(owner: Any) -> Network | None:
    """The network that the estimator has now, if any."""
    held = _owned.get(owner)
    return None if held is None else held[1]


def _give_back(key: Hashable, network: Network) -> None:
    with _lock:
        _idle.setdefault(key, []).append(network)
        _idle.move_to_end(key)
        while sum(map(len, _idle.values())) > _MOST_IDLE:
            _idle.popitem(last=False)
