"""`tf.Module`: a named object that finds the variables and the modules among its attributes."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.lib import nesting
from thalweg._src.lib.tracking.object_graph import AutoTrackable
from thalweg._src.ops.stateful.variables import Variable

_WORD = re.compile(r"(?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z])")


class Parted:
    """An object whose attributes hold variables and other such objects; layers are such, and modules."""

    _TF_MODULE_IGNORED_PROPERTIES = frozenset(
        ("_self_unconditional_checkpoint_dependencies", "_self_unconditional_dependency_names", "_tracked")
    )
    _scope_name: str

    @property
    def name_scope(self) -> Any:
        """The object's name scope, to be entered."""
        return scopes.name_scope(self._scope_name)

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The objects of this kind among the attributes, and theirs."""
        return tuple(self._flatten(predicate=lambda leaf: isinstance(leaf, Parted)))

    def _flatten(
        self,
        recursive: bool = True,
        predicate: Callable[[Any], bool] | None = None,
        attribute_traversal_key: Callable[[str], Any] | None = None,
        with_path: bool = False,
    ) -> Iterator[Any]:
        """The leaves of the attributes for which `predicate` holds, each once, then those of submodules, nearest first.

        `with_path` gives (path, leaf), and a leaf as often as it is found.
        """
        seen = {id(self)}

        def walk(module: Parted, prefix: tuple[Any, ...]) -> Iterator[Any]:
            below = []
            for key in sorted(vars(module), key=attribute_traversal_key):
                if key in module._TF_MODULE_IGNORED_PROPERTIES:
                    continue
                for path, leaf in nesting.flatten_with_tuple_paths(vars(module)[key]):
                    place = (*prefix, key, *path)
                    if not with_path:
                        if id(leaf) in seen:
                            continue
                        seen.add(id(leaf))
                    if predicate is None or predicate(leaf):
                        yield (place, leaf) if with_path else leaf
                    if recursive and isinstance(leaf, Parted):
                        below.append((leaf, place))
            for inner, place in below:
                yield from walk(inner, place)

        return walk(self, ())

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method, in the module's name scope."""

        @functools.wraps(method)
        def scoped(self: Parted, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return scoped


class Module(Parted, AutoTrackable):
    """A container of variables and other modules, with a name scope of its own.

    The name is that of the class in snake case unless one is given; ValueError where that is no identifier.

    >>> class Dense(tf.Module):
    ...     def __init__(self, inputs, outputs, name=None):
    ...         super().__init__(name=name)
    ...         with self.name_scope:
    ...             self.w = tf.Variable(tf.ones([inputs, outputs]), name="w")
    >>> [v.name for v in Dense(2, 3).variables]
    ['dense/w:0']
    """

    def __init__(self, name: str | None = None):
        if name is None:
            name = _WORD.sub(lambda found: "_" + found[0], type(self).__name__).lower()
        elif not (name.isascii() and name.isidentifier()):
            raise ValueError(
                f"{name!r} is not a valid module name. Module names must be valid Python identifiers "
                "(e.g. a valid class name)."
            )
        self._name = name
        with scopes.name_scope(name) as scope:
            self._scope_name = scope

    @property
    def name(self) -> str:
        """The name that was given, without the scopes around it."""
        return self._name

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables of this module, by the names of the attributes, then those of its submodules."""
        return tuple(self._flatten(predicate=lambda leaf: isinstance(leaf, Variable)))

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """Those of `variables` that are trainable."""
        return tuple(self._flatten(predicate=lambda leaf: isinstance(leaf, Variable) and leaf.trainable))
