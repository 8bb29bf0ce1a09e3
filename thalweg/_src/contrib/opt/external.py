"""Optimizers outside of the graph: the variables as one vector, minimised by SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.default_sessions import default_sessions
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops import array
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.derivatives.gradients import gradients
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices
from thalweg._src.ops.stateful.resource_variables import ResourceVariable
from thalweg._src.ops.stateful.variable_lists import trainable_variables


class ExternalOptimizerInterface:
    """Minimises a loss over variables with an optimizer that sees one vector. Subclasses say `_minimize`.

    `equalities` are to be 0 and `inequalities` at least 0; `var_to_bounds` goes from variables to (low, high).
    """

    def __init__(
        self,
        loss: Any,
        var_list: Any = None,
        equalities: Any = None,
        inequalities: Any = None,
        var_to_bounds: Any = None,
        **optimizer_kwargs: Any,
    ):
        self._loss, self.optimizer_kwargs = loss, optimizer_kwargs
        self._equalities, self._inequalities = equalities or [], inequalities or []
        self._vars = trainable_variables() if var_list is None else list(var_list)
        self._packed_bounds = self._bounds(var_to_bounds)
        self._placeholders = [constants.placeholder(v.dtype.base_dtype) for v in self._vars]
        self._assigns = [
            v.assign(array.reshape(p, v.get_shape())) for v, p in zip(self._vars, self._placeholders, strict=True)
        ]
        self._loss_grads = self._gradients(loss)
        self._equality_grads = [self._gradients(e) for e in self._equalities]
        self._inequality_grads = [self._gradients(e) for e in self._inequalities]
        sizes = [int(np.prod(v.get_shape().as_list())) for v in self._vars]
        ends = np.cumsum([0, *sizes])
        self._slices = [slice(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        self._packed = self._pack(self._vars)
        self._packed_loss_grad = self._pack(self._loss_grads)
        self._packed_equality_grads = [self._pack(g) for g in self._equality_grads]
        self._packed_inequality_grads = [self._pack(g) for g in self._inequality_grads]

    def _bounds(self, given: Any) -> Any:
        if not given:
            return None
        packed: list[Any] = []
        for v in self._vars:
            shape = v.get_shape().as_list()
            low, high = given.get(v, (-np.inf, np.inf))
            lows, highs = np.broadcast_to(low, shape).flat, np.broadcast_to(high, shape).flat
            packed += list(zip(lows, highs, strict=True))
        return packed

    def _gradients(self, value: Any) -> list[Any]:
        """Dense gradients; zeros for a variable that `value` does not depend on."""
        found = gradients(value, self._vars)
        return [array.zeros_like(v) if g is None else _dense(g) for g, v in zip(found, self._vars, strict=True)]

    def _pack(self, tensors: Any) -> Any:
        if not tensors:
            return None
        if len(tensors) == 1:
            return array.reshape(tensors[0], [-1])
        return array.concat([array.reshape(t, [-1]) for t in tensors], 0)

    def minimize(
        self,
        session: Any = None,
        feed_dict: Any = None,
        fetches: Any = None,
        step_callback: Any = None,
        loss_callback: Any = None,
        **run_kwargs: Any,
    ) -> None:
        """Set the variables to a minimum. `step_callback(vector)` is called after each step, `loss_callback(*fetches)` at
        each evaluation of the loss.
        """
        session = session or default_sessions.stack[-1]
        feed_dict, fetches = feed_dict or {}, list(fetches or [])
        loss_callback = loss_callback or (lambda *_: None)
        step_callback = step_callback or (lambda _: None)

        def evaluator(tensors: list[Any], grads: list[Any]) -> Any:
            def evaluate(x: np.ndarray) -> tuple[Any, Any]:
                feeds = feed_dict | self._feeds(session, x)
                found = session.run([*tensors, *grads, *fetches], feed_dict=feeds)
                values, slopes = found[: len(tensors)], found[len(tensors) : len(tensors) + len(grads)]
                if tensors and tensors[0] is self._loss:
                    loss_callback(*found[len(tensors) + len(grads) :])
                return values[0], np.asarray(slopes[0], np.float64)

            return evaluate

        initial = np.asarray(session.run(self._packed), np.float64)
        loss_grad = evaluator([self._loss], [self._packed_loss_grad])
        equal = [self._function(session, feed_dict, e) for e in self._equalities]
        equal_grads = [self._function(session, feed_dict, g) for g in self._packed_equality_grads]
        unequal = [self._function(session, feed_dict, e) for e in self._inequalities]
        unequal_grads = [self._function(session, feed_dict, g) for g in self._packed_inequality_grads]
        found = self._minimize(
            initial_val=initial,
            loss_grad_func=loss_grad,
            equality_funcs=equal,
            equality_grad_funcs=equal_grads,
            inequality_funcs=unequal,
            inequality_grad_funcs=unequal_grads,
            packed_bounds=self._packed_bounds,
            step_callback=step_callback,
            optimizer_kwargs=self.optimizer_kwargs,
        )
        feeds = dict(zip(self._placeholders, self._values(found), strict=True))
        session.run(self._assigns, feed_dict=feeds, **run_kwargs)

    def _values(self, x: np.ndarray) -> list[np.ndarray]:
        return [x[s].reshape(v.get_shape().as_list()) for s, v in zip(self._slices, self._vars, strict=True)]

    def _feeds(self, session: Any, x: np.ndarray) -> dict[Any, np.ndarray]:
        """What a run is fed to see the vector `x`. A resource variable is read in many places: those are set to their values."""
        values = self._values(x)
        held = [i for i, v in enumerate(self._vars) if isinstance(v, ResourceVariable)]
        if held:
            session.run([self._assigns[i] for i in held], {self._placeholders[i]: values[i] for i in held})
        return {v: values[i] for i, v in enumerate(self._vars) if i not in held}

    def _function(self, session: Any, feed_dict: Any, tensor: Any) -> Any:
        def evaluate(x: np.ndarray) -> Any:
            feeds = feed_dict | self._feeds(session, x)
            return np.asarray(session.run(tensor, feed_dict=feeds), np.float64)

        return evaluate

    def _minimize(self, *args: Any, **kwargs: Any) -> Any:
        """The vector at a minimum, from the functions and the first vector."""
        raise NotImplementedError(
            "To use ExternalOptimizerInterface, subclass from it and implement the _minimize() method."
        )


def _dense(g: Any) -> Any:
    return to_tensor(g) if isinstance(g, IndexedSlices) else g


class ScipyOptimizerInterface(ExternalOptimizerInterface):
    """Minimises with scipy.optimize.minimize: L-BFGS-B, SLSQP with constraints, or the `method` given."""

    _DEFAULT_METHOD = "L-BFGS-B"

    def _minimize(
        self,
        initial_val: Any,
        loss_grad_func: Any,
        equality_funcs: Any,
        equality_grad_funcs: Any,
        inequality_funcs: Any,
        inequality_grad_funcs: Any,
        packed_bounds: Any,
        step_callback: Any,
        optimizer_kwargs: Any,
    ) -> Any:
        import scipy.optimize

        def as_floats(x: np.ndarray) -> tuple[float, np.ndarray]:
            loss, slope = loss_grad_func(x)
            return float(loss), slope.astype("float64")

        options = dict(optimizer_kwargs.items())
        method = options.pop("method", self._DEFAULT_METHOD)
        constraints = [
            {"type": kind, "fun": f, "jac": g}
            for kind, fs, gs in (
                ("eq", equality_funcs, equality_grad_funcs),
                ("ineq", inequality_funcs, inequality_grad_funcs),
            )
            for f, g in zip(fs, gs, strict=True)
        ]
        arguments: dict[str, Any] = {"jac": True, "callback": step_callback, "method": method, "bounds": packed_bounds}
        if constraints:
            arguments["constraints"] = constraints
        for name in options:
            if name in arguments:
                known = {
                    "jac": "Optimizer keyword arg 'jac' is set automatically and cannot be injected manually",
                    "bounds": "Bounds must be set using the var_to_bounds argument",
                    "callback": "Callback functions must be set with the step_callback argument",
                }
                raise ValueError(known.get(name, f"Optimizer keyword arg {name!r} is set automatically"))
        arguments.update(options)
        result = scipy.optimize.minimize(as_floats, initial_val, **arguments)
        log.info(
            "Optimization terminated with:\n  Message: %s\n  Objective function value: %f\n"
            "  Number of iterations: %s\n  Number of functions evaluations: %d",
            result.message,
            result.fun,
            getattr(result, "nit", "?"),
            result.nfev,
        )
        return result["x"]
