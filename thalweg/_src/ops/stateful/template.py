"""`tf.make_template`: a function whose calls share their variables."""

import functools
import logging
from collections.abc import Callable
from typing import Any

from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import get_default_graph
from thalweg._src.ops.stateful import variable_scope, variable_store


def make_template(
    name_: str,
    func_: Callable[..., Any],
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Any = None,
    **kwargs: Any,
) -> "Template":
    """`func_` as a function that makes its variables (by `tf.get_variable`) in its first call and uses them in all later ones.

    They stand in a scope called `name_`, or `unique_name_`, entered at the first call, or at once with `create_scope_now_`.
    Raises ValueError where `name_` is None.
    """
    if kwargs:
        func_ = functools.partial(func_, **kwargs)
    return Template(name_, func_, create_scope_now_, unique_name_, custom_getter_)


class Template:
    """A function whose calls share their variables; see `tf.make_template`."""

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        create_scope_now: bool = False,
        unique_name: str | None = None,
        custom_getter: Any = None,
    ):
        if name is None:
            raise ValueError("name cannot be None.")
        self._name, self._func = name, func
        self._unique_name, self._custom_getter = unique_name, custom_getter
        self._scope: Any = None
        self._is_first, self._variables_created = True, False
        self._store = variable_store.EagerVariableStore() if executing_eagerly() else None
        if create_scope_now:
            self._scope = variable_scope.new_scope(unique_name, name, custom_getter)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._store is None:
            return self._in_scope(args, kwargs)
        with self._store.as_default():
            return self._in_scope(args, kwargs)

    def _in_scope(self, args: Any, kwargs: Any) -> Any:
        if self._scope is not None:
            with variable_scope.variable_scope(self._scope, reuse=not self._is_first):
                return self._call(args, kwargs)
        with variable_scope.variable_scope(self._unique_name, self._name, custom_getter=self._custom_getter) as scope:
            self._scope = scope
            return self._call(args, kwargs)

    def _call(self, args: Any, kwargs: Any) -> Any:
        if self._is_first:
            self._is_first = False
            try:
                result = self._func(*args, **kwargs)
            except BaseException:
                self._is_first = True
                raise
            self._variables_created = True
            return result
        trainable, every = _count("trainable_variables"), _count("variables")
        result = self._func(*args, **kwargs)
        if _count("trainable_variables") != trainable:
            raise ValueError(
                "Trainable variable created when calling a template after the first time, perhaps you used tf.Variable when "
                f"you meant tf.get_variable: {get_default_graph().get_collection_ref('trainable_variables')[trainable:]}"
            )
        if _count("variables") != every:
            logging.getLogger("thalweg").info("The template %s made new variables when it was called again", self._name)
        return result

    @property
    def name(self) -> str:
        """The name that the template was given."""
        return self._name

    @property
    def func(self) -> Callable[..., Any]:
        """The function."""
        return self._func

    @property
    def variable_scope(self) -> Any:
        """The scope of the variables; None before the first call."""
        return self._scope

    @property
    def variable_scope_name(self) -> str | None:
        """The name of the scope, with a slash at its end."""
        if self._scope is None:
            return None
        name = self._scope.name
        return name if not name or name[-1] == "/" else name + "/"

    var_scope = variable_scope

    @property
    def variables(self) -> list[Any]:
        """All variables that the template made, local ones last."""
        return self.global_variables + self.local_variables

    weights = variables

    @property
    def trainable_variables(self) -> list[Any]:
        """Its variables that are trained."""
        return self._collection("trainable_variables")

    trainable_weights = trainable_variables

    @property
    def global_variables(self) -> list[Any]:
        """Its variables that are no local ones."""
        return self._collection("variables")

    @property
    def local_variables(self) -> list[Any]:
        """Its local variables."""
        return self._collection("local_variables")

    @property
    def non_trainable_variables(self) -> list[Any]:
        """Its global variables that are not trained."""
        trained = {id(v) for v in self.trainable_variables}
        return [v for v in self.global_variables if id(v) not in trained]

    non_trainable_weights = non_trainable_variables

    def _collection(self, key: str) -> list[Any]:
        if self._store is not None:
            held = self._store._store._vars.values()
            return [v for v in held if key == "variables" or (key == "trainable_variables" and v.trainable)]
        return get_default_graph().get_collection(key, self.variable_scope_name) if self._variables_created else []


def _count(key: str) -> int:
    return len(get_default_graph().get_collection_ref(key))
