"""`tf.custom_gradient`: a function that brings its own gradient."""

import functools
import inspect
import itertools
from collections.abc import Sequence
from typing import Any

from thalweg._src.core import nest, recording
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.opdef import GRADIENTS
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.derivatives.eager_tape import VariableWatcher, record_function
from thalweg._src.ops.derivatives.gradients import gradients
from thalweg._src.ops.stateful.resource_variables import ResourceVariable
from thalweg._src.ops.stateful.variable_scope import get_variable_scope, variable_scope

_numbers = itertools.count()


def custom_gradient(f: Any) -> Any:
    """Decorator: `f(*args)` returns (result, grad_fn), and `grad_fn(*result gradients)` gives the gradients of the args.

    Where `f` uses variables, `grad_fn` takes `variables=` too and returns (gradients of args, gradients of variables). Raises TypeError
    where it uses variables and does not, ValueError where it returns another number of gradients.
    """

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        return _with_gradient(f, args, kwargs)

    return decorated


def _with_gradient(f: Any, args: Any, kwargs: Any) -> Any:
    if executing_eagerly():
        return _with_eager_gradient(f, args, kwargs)
    if kwargs:
        raise ValueError(
            "The custom_gradient decorator currently supports keyword arguments only when eager execution is enabled."
        )
    graph = get_default_graph()
    name = f"CustomGradient-{next(_numbers)}"
    inputs = [to_tensor(a) for a in args]
    start = len(graph._ops)
    scope = get_variable_scope()
    before = _variables_of(scope)
    result, grad_fn = f(*inputs)
    if not all(isinstance(v, ResourceVariable) for v in _variables_of(scope) - before):
        raise TypeError(
            "All variables made by a function under @custom_gradient must be `ResourceVariable`s: make them in a variable scope "
            "with use_resource=True."
        )
    variables = _used_variables(graph, start, inputs)
    flat = [to_tensor(r) for r in nest.flatten(result)]
    for r in flat:  # TensorFlow looks for variables behind copies of the results, and names count those
        basic.identity(r)
    handles = [v._as_graph_element() if not hasattr(v, "handle") else v.handle for v in variables]
    count = len(flat)

    def gradient(op: Any, *grads: Any) -> list[Any]:
        given = list(grads[:count])
        if variables:
            try:
                found, for_variables = grad_fn(*given, variables=variables)
            except TypeError as error:
                raise TypeError(
                    "If using @custom_gradient with a function that uses variables, then grad_fn must accept a 'variables' keyword "
                    f"argument. ({error})"
                ) from None
            if len(for_variables) != len(variables):
                raise ValueError("Must return gradient for each variable from @custom_gradient grad_fn.")
        else:
            found, for_variables = grad_fn(*given), []
        found = nest.flatten(found) if isinstance(found, list | tuple) else [found]
        if len(found) != len(inputs):
            raise ValueError(
                f"custom_gradient function expected to return {len(inputs)} gradients, but returned {len(found)} instead."
            )
        return [None] * count + found + list(for_variables)

    GRADIENTS[name] = gradient
    with graph.gradient_override_map({"IdentityN": name}):
        out = basic.identity_n([*flat, *inputs, *handles])
    return nest.pack(result, out[:count])


def _with_eager_gradient(f: Any, args: Any, kwargs: Any) -> Any:
    watcher = VariableWatcher()
    inputs = [a if isinstance(a, Tensor) or hasattr(a, "handle") else to_tensor(a) for a in args]
    tensors = [to_tensor(x) for x in inputs]
    with recording.silence():
        recording.start(watcher)
        result, grad_fn = f(*inputs, **kwargs)
    given = {id(x) for x in inputs}
    variables = [v for v in watcher.variables.values() if id(v) not in given]
    if variables and "variables" not in inspect.signature(grad_fn).parameters:
        if not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(grad_fn).parameters.values()):
            raise TypeError(
                "If using @custom_gradient with a function that uses variables, then grad_fn must accept a 'variables' keyword argument."
            )
    with recording.silence():
        flat = [basic.identity(to_tensor(r)) for r in nest.flatten(result)]

    def gradient(*grads: Any) -> list[Any]:
        weights = [constants.zeros_like(r) if g is None else g for g, r in zip(grads, flat, strict=True)]
        for_variables: Any = []
        if variables:
            found, for_variables = grad_fn(*weights, variables=variables)
            if len(for_variables) != len(variables):
                raise ValueError("Must return gradient for each variable from @custom_gradient grad_fn.")
        else:
            found = grad_fn(*weights)
        found = nest.flatten(found) if isinstance(found, list | tuple) else [found]
        if len(found) != len(inputs):
            raise ValueError(
                f"custom_gradient function expected to return {len(inputs)} gradients, but returned {len(found)} instead."
            )
        return found + list(for_variables)

    record_function([*tensors, *[v.handle for v in variables]], flat, gradient)
    return nest.pack(result, flat) if nest.is_nested(result) else flat[0]


def _variables_of(scope: Any) -> set[Any]:
    return {*scope.global_variables(), *scope.local_variables()}


def _used_variables(graph: Any, start: int, given: Sequence[Tensor] = ()) -> list[Any]:
    """The variables that the ops added since `start` read, but for those that were `given` as arguments."""
    by_tensor = {}
    for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES):
        by_tensor[v._as_graph_element()] = v
        by_tensor[v.value() if hasattr(v, "_snapshot") else v.handle] = v
    used: dict[Any, None] = {}
    for op in graph._ops[start:]:
        for t in op.inputs:
            if t in by_tensor and t not in given:
                used[by_tensor[t]] = None
    return list(used)


def grad_pass_through(f: Any) -> Any:
    """A function as `f` whose gradient is that of the identity."""

    @custom_gradient
    def passing(*args: Any) -> Any:
        def gradient(*grads: Any, variables: Any = None) -> Any:
            found = grads[0] if len(grads) == 1 else grads
            return (found, [None] * len(variables)) if variables is not None else found

        return f(*args), gradient

    return passing


def recompute_grad(f: Any, *, tupleize_grads: bool = False) -> Any:
    """A function as `f` that is computed again for its gradient, rather than kept: less memory, more time.

    With `tupleize_grads` none of its gradients is used before all are there.
    """

    @custom_gradient
    def recomputed(*args: Any) -> Any:
        scope = get_variable_scope()
        result = f(*args)

        def gradient(*grads: Any, variables: Any = None) -> Any:
            # What is computed again waits for the gradient, so that nothing of the first time need be kept.
            with get_default_graph().control_dependencies([g for g in grads if g is not None]):
                inputs = [basic.identity(to_tensor(a)) for a in args]
                start = len(get_default_graph()._ops)
                with variable_scope(scope, reuse=True):
                    again = f(*inputs)
            if set(_used_variables(get_default_graph(), start)) != set(variables or []):
                raise ValueError(
                    "The variables used on recompute were different than the variables originally used: the function was probably "
                    "called twice in the same enclosing scope. Each call needs a variable scope of its own."
                )
            found = gradients(nest.flatten(again), [*inputs, *(variables or [])], list(grads))
            found = basic.tuple_(found) if tupleize_grads else found
            own, rest = found[: len(inputs)], found[len(inputs) :]
            return (own, rest) if variables is not None else own

        return result, gradient

    return recomputed
