"""Values that are several arrays under one tensor: what a TensorArray holds, and other lists that a program carries about.

A tensor of type float32 (the *flow* of a TensorArray) or variant stands for them in the graph. While a program runs they are
JAX pytrees, so that executables, branches and loops take them as they take arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core.lazy import jax


class Structured:
    """A value of several arrays. `_split` gives its arrays and the rest, which is static; `_join` makes one of both."""

    _known_to_jax: set[type] = set()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls not in Structured._known_to_jax:
            jax.tree_util.register_pytree_node(cls, lambda v: v._split(), cls._join)
            Structured._known_to_jax.add(cls)
        return object.__new__(cls)

    def _split(self) -> tuple[tuple[Any, ...], Any]:
        raise NotImplementedError

    @classmethod
    def _join(cls, static: Any, arrays: Any) -> Any:
        raise NotImplementedError

    @property
    def shape(self) -> Any:
        """What an executable is compiled for: the static part, and the shapes of the arrays."""
        arrays, static = self._split()
        return (type(self).__name__, static, tuple(np.shape(a) for a in jax.tree.leaves(arrays)))

    def on_host(self) -> Any:
        """The same, of NumPy arrays."""
        return jax.tree.map(np.asarray, self)

    def for_user(self) -> Any:
        """What a fetch gives."""
        return np.float32(0)

    def in_loop(self) -> Any:
        """The form in which a loop can carry this: arrays whose shapes stay as they are."""
        return self

    def like(self, other: Any) -> Any:
        """This value in the form of `other`, which stands at the same place after a turn or in the other branch."""
        return self

    def outline(self, other: Any) -> Any:
        """A form for both this and `other`, which are shapes only."""
        return self

    def blank(self) -> Any:
        """Zeros in the form of this."""
        return jax.tree.map(lambda v: np.zeros(v.shape, v.dtype), self)

    def as_gradient(self, arrays: list[Any]) -> Any:
        """The gradient of this value: `arrays` in the place of its own."""
        raise NotImplementedError

    def seed(self, gradient: Any) -> list[Any]:
        """The incoming gradient of each of its arrays; None where there is none."""
        raise NotImplementedError


class Nothing(Structured):
    """What a branch gives in the place of a value that only the other branch has."""

    def _split(self) -> tuple[tuple[Any, ...], Any]:
        return (), None

    @classmethod
    def _join(cls, static: Any, arrays: Any) -> Any:
        return cls()

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(object)

    def for_user(self) -> Any:
        from thalweg._src.core import errors

        raise errors.InvalidArgumentError(None, None, "Retval[0] does not have value")

    def seed(self, gradient: Any) -> list[Any]:
        return []


class Notes(Structured):
    """Known values, one for each turn of a loop that was made; in a loop that is compiled, one for all turns."""

    def __init__(self, values: tuple[Any, ...] = (), for_all: Any = None):
        self.values, self.for_all = values, for_all

    def _split(self) -> tuple[tuple[Any, ...], Any]:
        v = self.for_all
        same = None if v is None else (v.tobytes(), v.shape, str(v.dtype))
        return (), (same, tuple((x.tobytes(), x.shape, str(x.dtype)) for x in self.values))

    @classmethod
    def _join(cls, static: Any, arrays: Any) -> Any:
        def restored(s: Any) -> Any:
            return None if s is None else np.frombuffer(s[0], s[2]).reshape(s[1])

        return cls(tuple(map(restored, static[1])), restored(static[0]))

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float32)

    def on_host(self) -> Any:
        return self

    def like(self, other: Any) -> Any:
        return other if isinstance(other, Notes) else self

    def outline(self, other: Any) -> Any:
        return self if self.for_all is not None or self.values else other

    def seed(self, gradient: Any) -> list[Any]:
        return []


class Last(Structured):
    """A structured value that was put on a stack. Flows say only that an array is ready, so the last one serves for all."""

    def __init__(self, value: Any):
        self.value = value

    def _split(self) -> tuple[tuple[Any, ...], Any]:
        return (self.value,), None

    @classmethod
    def _join(cls, static: Any, arrays: Any) -> Any:
        return cls(arrays[0])

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float32)

    def like(self, other: Any) -> Any:
        return Last(self.value.like(other.value)) if isinstance(other, Last) else self

    def outline(self, other: Any) -> Any:
        return Last(self.value.outline(other.value)) if isinstance(other, Last) else self

    def blank(self) -> Any:
        return Last(self.value.blank())

    def seed(self, gradient: Any) -> list[Any]:
        return [None] * len(jax.tree.leaves(self))


def plain(value: Any) -> Any:
    """`value` for an op that knows nothing of structured ones: TensorFlow's flows are zeros."""
    return np.float32(0) if isinstance(value, Structured) else value
