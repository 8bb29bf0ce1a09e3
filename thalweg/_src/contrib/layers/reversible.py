"""Blocks of reversible layers (Gomez et al. 2017): what goes in is computed back from what comes out, and need not be kept."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.framework.arg_scope import arg_scope, current_arg_scope
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.lib.layers.base import Layer
from thalweg._src.ops import basic
from thalweg._src.ops.basic import tuple_ as together
from thalweg._src.ops.derivatives import custom_gradient
from thalweg._src.ops.derivatives.gradients import gradients
from thalweg._src.ops.numeric.arithmetic import add_n
from thalweg._src.ops.stateful.variable_scope import get_variable_scope, variable_scope
from thalweg._src.ops.stateful.variables import Variable


def _scoped(f: Callable[..., Any], scope: str) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        with variable_scope(scope, use_resource=True):
            return f(*args)

    return run


def _summed(parts: list[list[Any]]) -> list[Any]:
    """Sums of lists of gradients, place by place; None where all are."""
    found = [[g for g in grads if g is not None] for grads in zip(*parts, strict=True)]
    return [add_n(grads) if grads else None for grads in found]


class RevBlock(Layer):
    """A series of layers y1 = x1 + f(x2), y2 = x2 + g(y1); see `rev_block`."""

    def __init__(
        self,
        f: Any,
        g: Any,
        num_layers: int = 1,
        f_side_input: Any = None,
        g_side_input: Any = None,
        use_efficient_backprop: bool = True,
        name: str = "revblock",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.f, self.g = (
            [_scoped(h, f"revlayer_{i}/{side}") for i, h in enumerate(self._listed(given, num_layers))]
            for side, given in (("f", f), ("g", g))
        )
        self.num_layers = num_layers
        self.f_side_input, self.g_side_input = list(f_side_input or []), list(g_side_input or [])
        self._efficient = use_efficient_backprop

    @staticmethod
    def _listed(given: Any, n: int) -> list[Any]:
        functions = list(given) if isinstance(given, list | tuple) else [given] * n
        if len(functions) != n:
            raise ValueError(f"{len(functions)} functions for {n} layers")
        return functions

    def build(self, input_shape: Any) -> None:
        self.built = True  # f and g make their variables when they are called

    def call(self, inputs: Any, forward: bool = True) -> Any:
        scope = get_variable_scope()
        before = len(scope.global_variables())
        out = self._forward(*inputs) if forward else self._backward(*inputs)
        trained = scope.trainable_variables()
        for v in scope.global_variables()[before:]:
            (self._trainable_weights if v in trained else self._non_trainable_weights).append(v)
        return out

    def forward(self, x1: Any, x2: Any) -> Any:
        """(y1, y2)."""
        return self.apply([x1, x2])

    def backward(self, y1: Any, y2: Any) -> Any:
        """(x1, x2) from what they gave."""
        return self.apply([y1, y2], forward=False)

    def _forward(self, x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
        if not self._efficient:
            return self._run(x1, x2, self.f_side_input, self.g_side_input)
        split = len(self.f_side_input)

        @custom_gradient.custom_gradient
        def block(x1: Tensor, x2: Tensor, *sides: Tensor) -> Any:
            out = self._run(x1, x2, list(sides[:split]), list(sides[split:]), gate=True)
            return out, functools.partial(
                self._gradient, get_variable_scope(), out, list(sides[:split]), list(sides[split:])
            )

        return block(x1, x2, *self.f_side_input, *self.g_side_input)

    def _run(self, x1: Any, x2: Any, f_side: list[Any], g_side: list[Any], gate: bool = False) -> tuple[Tensor, Tensor]:
        for f, g in zip(self.f, self.g, strict=True):
            x1 = x1 + _with(f, x2, f_side)
            x2 = x2 + _with(g, x1, g_side)
            if gate:  # nothing of the next layer runs before this one is over, so that its inputs can go
                x1, x2 = together([x1, x2])
        return x1, x2

    def _gradient(self, scope: Any, ys: Any, f_side: Any, g_side: Any, *grad_ys: Any, variables: Any = None) -> Any:
        """Gradients of the inputs, the side inputs and the variables, each layer's inputs being computed from its outputs."""
        variables = list(variables or [])
        f_parts, g_parts, of_variables = [], [], []
        (y1, y2), (dy1, dy2) = ys, grad_ys
        with variable_scope(scope, reuse=True):
            for f, g in zip(reversed(self.f), reversed(self.g), strict=True):
                y1, g_inputs = basic.stop_gradient(y1), [basic.stop_gradient(t) for t in g_side]
                out = _with(g, y1, g_inputs)
                x2, f_inputs = basic.stop_gradient(y2 - out), [basic.stop_gradient(t) for t in f_side]
                dy, *of_g = gradients(out, [y1, *g_inputs, *variables], dy2)
                dx1 = dy1 if dy is None else dy1 + dy
                out = _with(f, x2, f_inputs)
                x1 = y1 - out
                dx, *of_f = gradients(out, [x2, *f_inputs, *variables], dx1)
                dx2 = dy2 if dx is None else dy2 + dx
                made = [x1, x2, dx1, dx2, *of_f, *of_g]
                made = [to_tensor(t) if t is not None else None for t in made]
                x1, x2, dx1, dx2, *rest = together(made)
                of_f, of_g = rest[: len(of_f)], rest[len(of_f) :]
                f_parts.append(of_f[: len(f_side)])
                g_parts.append(of_g[: len(g_side)])
                of_variables += [of_f[len(f_side) :], of_g[len(g_side) :]]
                (y1, y2), (dy1, dy2) = (x1, x2), (dx1, dx2)
        inputs = [dy1, dy2, *_summed(f_parts), *_summed(g_parts)]
        return (inputs, _summed(of_variables)) if variables else inputs

    def _backward(self, y1: Any, y2: Any) -> tuple[Tensor, Tensor]:
        for f, g in zip(reversed(self.f), reversed(self.g), strict=True):
            y2 = y2 - _with(g, y1, self.g_side_input)
            y1 = y1 - _with(f, y2, self.f_side_input)
        return y1, y2


def _with(f: Any, x: Any, side: list[Any]) -> Any:
    return f(x, side) if side else f(x)


def rev_block(
    x1: Any,
    x2: Any,
    f: Any,
    g: Any,
    num_layers: int = 1,
    f_side_input: Any = None,
    g_side_input: Any = None,
    is_training: bool = True,
) -> Any:
    """(y1, y2) of `num_layers` reversible layers, y1 = x1 + f(x2) and y2 = x2 + g(y1), whose memory does not grow with their number.

    `f` and `g` are functions of a tensor that keep its shape (or lists of them, one for each layer); they may make variables, and take
    their side inputs as a list behind the tensor, since tensors that they close over would get no gradient. With `is_training` the
    inputs of the layers are computed again from their outputs for the gradient.
    """
    block = RevBlock(
        f=f,
        g=g,
        num_layers=num_layers,
        f_side_input=f_side_input,
        g_side_input=g_side_input,
        use_efficient_backprop=is_training,
        _reuse=get_variable_scope().reuse,
    )
    return block.forward(x1, x2)


def recompute_grad(fn: Any = None, use_data_dep: Any = None, tupleize_grads: bool = False) -> Any:
    """A function as `fn` that is computed again for its gradient, rather than kept. Also a decorator with arguments.

    `fn` takes tensors and may make variables, in a scope of its own. Where it has an argument `is_recomputing`, that is True the second
    time. With `tupleize_grads` no gradient is used before all are there. `use_data_dep` changes nothing: the second time waits for the
    gradients anyway. Raises ValueError where `fn` closes over a tensor or a variable, takes what is no tensor, or uses other variables
    the second time.
    """
    if fn is None:
        return functools.partial(recompute_grad, use_data_dep=use_data_dep, tupleize_grads=tupleize_grads)
    for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True):
        if isinstance(cell.cell_contents, Tensor | Variable):
            raise ValueError(
                f"fn decorated with @recompute_grad closes over Tensor {cell.cell_contents.name} (local variable name: {name}). The "
                "decorated fn must not close over Tensors or Variables because gradients will NOT be computed for them through fn. "
                "To ensure correct gradients, make the Tensor an input to fn."
            )
    told = "is_recomputing" in inspect.signature(fn).parameters

    @functools.wraps(fn)
    def wrapped(*args: Any) -> Any:
        if not all(isinstance(a, Tensor) for a in args):
            raise ValueError("All inputs to function must be Tensors")
        arguments, calls = current_arg_scope(), []

        def run(*inputs: Tensor) -> Any:
            with arg_scope(arguments):
                result = fn(*inputs, **({"is_recomputing": bool(calls)} if told else {}))
            calls.append(True)
            return result

        return custom_gradient.recompute_grad(run, tupleize_grads=tupleize_grads)(*args)

    return wrapped
