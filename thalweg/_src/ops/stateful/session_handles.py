"""Handles of tensors that stay where they are between two runs: `tf.get_session_handle`, `get_session_tensor`, `delete_session_tensor`.

The session holds the array, on its device; a `TensorHandle` is its name. What is fetched of a handle holds on to the array: when
the program drops it, the array goes too.
"""

import itertools
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.errors import InvalidArgumentError
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jax
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.core.scopes import colocate_with
from thalweg._src.ops.arrays.constants import placeholder

T = type_attr("T")
_numbers = itertools.count()


class TensorHandle(bytes):
    """The name of an array that a session holds, as bytes; `handle` is it as text. It is fed for the array, or for its name."""

    _held: dict[bytes, Any]
    _owner = True

    def __str__(self) -> str:
        return self.handle

    def __del__(self) -> None:
        if self._owner:
            self._held.pop(bytes(self), None)

    @property
    def handle(self) -> str:
        return self.decode()

    @property
    def array(self) -> Any:
        """The array, where it is. Raises InvalidArgumentError once it is deleted."""
        return _found(self._held, self)

    def eval(self) -> Any:
        """The value, as an array of the caller's own. Raises TypeError once the handle was given away or deleted."""
        self._check()
        return np.array(self.array)[()]

    def delete(self) -> None:
        """Let the session forget the array."""
        self._check()
        self._owner = False
        del self._held[bytes(self)]

    def get_raw_handle(self) -> str:
        """The name. Who asks for it deletes the array: dropping this object no longer does."""
        self._owner = False
        return self.handle

    def _check(self) -> None:
        if not self._owner:
            raise TypeError(f"Persistent tensor {self.handle} may have already been deleted.")


def _found(held: dict[bytes, Any], name: bytes) -> Any:
    if bytes(name) not in held:
        raise InvalidArgumentError(None, None, f"The tensor with handle '{name.decode()}' is not in the session store.")
    return held[bytes(name)]


def _held(ctx: Any) -> dict[bytes, Any]:
    return ctx.resource(("session handles", ctx.session), dict)


@op("GetSessionHandle", host=True, keeps_place=True, stateful=True, effect="host")
def get_session_handle_op(value: T, *, ctx) -> dtypes.string:
    """The name under which the session holds `value` from now on."""
    if not isinstance(value, jax.Array):
        kept, device = np.array(value), "CPU:0"
    else:
        at = next(iter(value.devices()))
        kept, device = value, f"{'CPU' if at.platform == 'cpu' else 'GPU'}:{at.id}"
        if any(value is v for v in ctx.session._store.values.values()):  # a variable's, which the next step overwrites
            kept = value.copy()
    name = f"{ctx.op.name};{next(_numbers)};/job:localhost/replica:0/task:0/device:{device}"
    handle = TensorHandle(name.encode())
    handle._held = _held(ctx)
    handle._held[bytes(handle)] = kept
    out = np.empty((), object)
    out[()] = handle
    return out


@op("GetSessionTensor", host=True, stateful=True, effect="host")
def get_session_tensor_op(handle: dtypes.string, *, dtype: type_attr("dtype"), ctx) -> type_attr("dtype"):
    """What the session holds under `handle`, where it is."""
    value = _found(_held(ctx), handle[()])
    if value.dtype != dtype._as_numpy:
        raise InvalidArgumentError(
            None, None, f"The tensor of handle '{handle[()].decode()}' is {value.dtype}, not {dtype.name}."
        )
    return value


@op("DeleteSessionTensor", host=True, stateful=True, effect="host")
def delete_session_tensor_op(handle: dtypes.string, *, ctx):
    """Let the session forget what it holds under `handle`."""
    held = _held(ctx)
    _found(held, handle[()])
    del held[bytes(handle[()])]


@get_session_handle_op.shape_rule
def _(op):
    return [()]


@get_session_tensor_op.shape_rule
def _(op):
    return [None]


for _opdef in (get_session_handle_op, get_session_tensor_op, delete_session_tensor_op):
    _opdef.not_differentiable()


def get_session_handle(data: Tensor, name: str | None = None) -> Tensor:
    """A tensor that, fetched, is a TensorHandle of `data`: `data` stays where it is, and later runs of the session take it from there.

    Raises TypeError for what is no tensor.

    >>> h = tf.get_session_handle(tf.constant(3.0) * 2.0)
    >>> with tf.Session() as sess:
    ...     kept = sess.run(h)
    ...     holder, x = tf.get_session_tensor(kept.handle, tf.float32)
    ...     print(sess.run(x + 1.0, {holder: kept.handle}))
    7.0
    """
    if not isinstance(data, Tensor):
        raise TypeError("`data` must be of type Tensor.")
    with colocate_with(data):
        return get_session_handle_op(data, name=name)


def get_session_tensor(handle: Any, dtype: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(a placeholder for a handle, the tensor that the session holds under it). `handle` is an example of what is fed."""
    holder = placeholder(dtypes.string)
    return holder, get_session_tensor_op(holder, dtype=dtype, name=name)


def delete_session_tensor(handle: Any, name: str | None = None) -> tuple[Tensor, Any]:
    """(a placeholder for a handle, an operation that lets the session forget what it holds under it)."""
    holder = placeholder(dtypes.string)
    return holder, delete_session_tensor_op(holder, name=name)
