"""`K.function`: a part of the graph as a function of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.compat.keras_backend import sessions
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.lib import nesting
from thalweg._src.ops import basic
from thalweg._src.ops.stateful import assigning
from thalweg._src.ops.stateful.variables import Variable


class GraphExecutionFunction:
    """Called with values for `inputs`, gives those of `outputs`, and runs `updates` after the first of them.

    `fetches` are run too, and go to the `fetch_callbacks`; `feed_dict` may be changed between calls; `options` and
    `run_metadata` are those of a session. TypeError where `updates` is no list, ValueError for any other keyword.
    """

    def __init__(self, inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **session_kwargs: Any):
        if not isinstance(updates or [], list | tuple):
            raise TypeError("`updates` in a Keras backend function should be a list or tuple.")
        self.name = name
        self.feed_dict: dict[Any, Any] | None = session_kwargs.pop("feed_dict", None)
        fetches = session_kwargs.pop("fetches", [])
        self.run_options = session_kwargs.pop("options", None)
        self.run_metadata = session_kwargs.pop("run_metadata", None)
        if session_kwargs:
            raise ValueError(f"Some keys in session_kwargs are not supported at this time: {session_kwargs.keys()}")
        self.fetch_callbacks: dict[Any, Callable[[Any], None]] = {}
        self.inputs = nesting.flatten(inputs, expand_composites=True)
        self._structure = outputs
        self.outputs = [_as_tensor(x) for x in nesting.flatten(outputs, expand_composites=True)]
        with basic.control_dependencies(self.outputs[:1]):
            self.updates_op = basic.group(*[assigning.assign(*u) if isinstance(u, tuple) else u for u in updates or []])
        self.fetches = [basic.identity(x) for x in (fetches if isinstance(fetches, list) else [fetches])]

    def __call__(self, inputs: Any) -> Any:
        values = nesting.flatten(inputs, expand_composites=True)
        session = sessions.get_session(values)
        given = {t: v for t, v in zip(self.inputs, values, strict=False) if v is not None}
        tensors = [v for v in given.values() if isinstance(v, Tensor | Variable)]
        computed = dict(zip(map(id, tensors), session.run(tensors) if tensors else (), strict=True))
        feeds = {t: _array(computed.get(id(v), v), t) for t, v in given.items()}
        for tensor, value in (self.feed_dict or {}).items():
            feeds[tensor] = _array(value, tensor)
        outputs, fetched, _ = session.run(
            [self.outputs, self.fetches, self.updates_op],
            feed_dict=feeds,
            options=self.run_options,
            run_metadata=self.run_metadata,
        )
        for fetch, value in zip(self.fetches, fetched, strict=False):
            if fetch in self.fetch_callbacks:
                self.fetch_callbacks[fetch](value)
        return nesting.pack_sequence_as(self._structure, outputs, expand_composites=True)


def _as_tensor(x: Any) -> Any:
    return basic.identity(x) if isinstance(x, Variable) else x


def _array(value: Any, tensor: Any) -> np.ndarray:
    return np.asarray(value, dtype=dtypes.as_dtype(tensor.dtype).base_dtype.as_numpy_dtype)


def function(inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **kwargs: Any) -> Any:
    """A function of lists of arrays. ValueError for a keyword that no run of a session has."""
    for key in kwargs:
        if key not in ("fetches", "feed_dict", "options", "run_metadata"):
            raise ValueError(f"Invalid argument '{key}' passed to K.function with TensorFlow backend")
    return GraphExecutionFunction(inputs, outputs, updates=updates, name=name, **kwargs)
