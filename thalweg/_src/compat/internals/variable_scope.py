"""tensorflow.python.ops.variable_scope: names that libraries take from it and that are public nowhere, or elsewhere."""

import contextlib
from typing import Any

from thalweg._src.ops.stateful.variable_scope import VariableScope, entered, scope_store
from thalweg._src.ops.stateful.variables import variable_creator_scope

variable_creator_scope_v1 = variable_creator_scope


class _CurrentScope(list[VariableScope]):
    """A list of one: the variable scope that is open. Until 1.7 libraries opened one by writing it here."""

    def __getitem__(self, index: Any) -> Any:
        return [scope_store().current][index]

    def __setitem__(self, index: Any, scope: Any) -> None:
        scope_store().current = scope


class _ScopeKey(tuple[str]):
    kind = _CurrentScope


_VARSCOPE_KEY = _ScopeKey(("__varscope",))


def _pure_variable_scope(
    name_or_scope: str | VariableScope,
    reuse: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    old_name_scope: str | None = None,
    dtype: Any = None,
    use_resource: bool | None = None,
    constraint: Any = None,
) -> contextlib.AbstractContextManager[VariableScope]:
    """A variable scope that opens no name scope."""
    given = {
        "initializer": initializer,
        "regularizer": regularizer,
        "caching_device": caching_device,
        "partitioner": partitioner,
        "custom_getter": custom_getter,
        "dtype": dtype,
        "use_resource": use_resource,
        "constraint": constraint,
    }
    name = name_or_scope if isinstance(name_or_scope, str) else name_or_scope.name
    return entered(name_or_scope, reuse or None, old_name_scope or name, given)
