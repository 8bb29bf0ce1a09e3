"""Ordinary differential equations, by Runge and Kutta's methods: with steps of their own size, or on a fixed grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.basic import control_dependencies
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports.checks import Assert

Derivative = Callable[[Any, Any], Any]

# Dormand and Prince, 1980: times of the stages, their weights, the solution's (those of the last stage), the middle's, the error's.
_TIMES = (1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
_STAGES: tuple[tuple[float, ...], ...] = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_MIDDLE = (
    *(6025192743 / 30085553152 / 2, 0, 51252292925 / 65400821598 / 2, -2691868925 / 45128329728 / 2),
    *(187940372067 / 1594534317056 / 2, -1776094331 / 19743644256 / 2, 11237099 / 235043384 / 2),
)
_ERROR = (
    *(1951 / 21600 - 35 / 384, 0, 22642 / 50085 - 500 / 1113, 451 / 720 - 125 / 192),
    *(-12231 / 42400 + 2187 / 6784, 649 / 6300 - 11 / 84, 1 / 60),
)


class State(NamedTuple):
    """The last step: value and derivative at its end `t1`, its start `t0`, the next size, the polynomial between."""

    y1: Any
    f1: Any
    t0: Any
    t1: Any
    dt: Any
    between: Any


class History(NamedTuple):
    """Where steps ended, and how large their errors were beside what is allowed."""

    integrate_points: Any
    error_ratio: Any


def _weighed(dt: Any, weights: Sequence[float], slopes: Sequence[Any]) -> Any:
    return math.add_n([(dt * w) * k for w, k in zip(weights, slopes, strict=False) if w])


def _step(func: Derivative, y0: Any, f0: Any, t0: Any, dt: Any) -> tuple[Any, Any, Any, list[Any]]:
    """(value, derivative, error) at t0 + dt, and the derivatives of all stages."""
    size = math.cast(dt, y0.dtype)
    slopes = [f0]
    y1 = y0
    for time, weights in zip(_TIMES, _STAGES, strict=True):
        y1 = y0 + _weighed(size, weights, slopes)
        slopes.append(func(y1, t0 + time * dt))
    return y1, slopes[-1], _weighed(size, _ERROR, slopes), slopes


def _fit(y0: Any, y1: Any, slopes: list[Any], dt: Any) -> list[Any]:
    """The polynomial of degree 4 through start, middle and end, with the derivatives of both ends."""
    dt = math.cast(dt, y0.dtype)
    middle = y0 + _weighed(dt, _MIDDLE, slopes)
    f0, f1 = slopes[0], slopes[-1]
    return [
        2 * dt * (f1 - f0) - 8 * (y1 + y0) + 16 * middle,
        dt * (5 * f0 - 3 * f1) + 18 * y0 + 14 * y1 - 32 * middle,
        dt * (f1 - 4 * f0) - 11 * y0 - 5 * y1 + 16 * middle,
        dt * f0,
        y0,
    ]


def _checked_types(y0: Any, t: Any, dt: Any = None) -> None:
    if not (y0.dtype.is_floating or y0.dtype.is_complex):
        raise TypeError("`y0` must have a floating point or complex floating point dtype")
    for name, value in (("t", t), ("dt", dt)):
        if value is not None and not value.dtype.is_floating:
            raise TypeError(f"`{name}` must have a floating point dtype")


def _size_of(t: Any) -> Any:
    with control_dependencies([Assert(math.reduce_all(t[1:] > t[:-1]), ["`t` must be monotonic increasing"])]):
        return array.size(t)


def odeint(
    func: Derivative,
    y0: Any,
    t: Any,
    rtol: float = 1e-6,
    atol: float = 1e-12,
    method: str | None = None,
    options: dict[str, Any] | None = None,
    full_output: bool = False,
    name: str | None = None,
) -> Any:
    """The solution of dy/dt = `func`(y, t) from `y0` at t[0], at the times `t`: [times, *y].

    Steps are as large as errors below `atol` + `rtol` |y| allow (`method` "dopri5", whose `options` are first_step, safety, ifactor,
    dfactor and max_num_steps). With `full_output`, (solution, what steps were made). ValueError for another method,
    InvalidArgumentError in a run whose steps become too many or too small.
    """
    if method not in (None, "dopri5"):
        raise ValueError(f"invalid method: {method!r}")
    if options is not None and method is None:
        raise ValueError("cannot supply `options` without specifying `method`")
    with name_scope(name, "odeint", [y0, t, rtol, atol]):
        y0, t = to_tensor(y0, name="y0"), to_tensor(t, preferred=dtypes.float64, name="t")
        _checked_types(y0, t)
        kind = y0.dtype.real_dtype
        given = {"rtol": to_tensor(rtol, kind), "atol": to_tensor(atol, kind)}
        y, history = _adaptive(func, y0, t, **given, **(options or {}))
        y.set_shape(t.get_shape().concatenate(y0.get_shape()))
        if not full_output:
            return y
        points = history.integrate_points.stack()
        return y, {
            "num_func_evals": 6 * array.size(points) + 1,
            "integrate_points": points,
            "error_ratio": history.error_ratio.stack(),
        }


def _adaptive(
    func: Derivative,
    y0: Any,
    t: Any,
    rtol: Any,
    atol: Any,
    first_step: float | None = None,
    safety: float = 0.9,
    ifactor: float = 10.0,
    dfactor: float = 0.2,
    max_num_steps: int = 1000,
) -> tuple[Any, History]:
    def advance(state: State, history: History, count: Any, begun: Any) -> tuple[State, History, Any]:
        y0, f0, _, t0, dt, between = state
        checks = [
            Assert(t0 + dt > t0, ["underflow in dt", dt]),
            Assert(count - begun < max_num_steps, ["max_num_steps exceeded"]),
            Assert(math.reduce_all(math.is_finite(math.abs(y0))), ["non-finite values in state `y`", y0]),
        ]
        with control_dependencies(checks):
            y1, f1, error, slopes = _step(func, y0, f0, t0, dt)
        allowed = atol + rtol * math.maximum(math.abs(y0), math.abs(y1))
        ratio = math.sqrt(math.reduce_mean(math.square(math.abs(error) / allowed)))

        def accepted() -> Any:
            return (y1, f1, t0 + dt, *_fit(y0, y1, slopes, dt))

        y, f, end, *between = cond(ratio <= 1, accepted, lambda: (y0, f0, t0, *between))
        scale = math.pow(math.cast(ratio, t.dtype), 1 / 5) / safety
        next_dt = dt / math.maximum(math.minimum(scale, 1 / dfactor), 1 / ifactor)
        points, ratios = (a.write(count, v) for a, v in zip(history, (t0 + dt, ratio), strict=True))
        return State(y, f, t0, end, next_dt, between), History(points, ratios), count + 1

    def interpolate(solution: Any, state: State, history: History, i: Any, steps: Any) -> tuple[Any, ...]:
        # Every time point has `max_num_steps` steps of its own; the history counts on.
        begun = steps

        def goes_on(state: State, *_: Any) -> Any:
            return t[i] > state.t1

        def once(state: State, history: History, count: Any) -> tuple[State, History, Any]:
            return advance(state, history, count, begun)

        state, history, steps = while_loop(goes_on, once, (state, history, begun))
        x = math.cast((t[i] - state.t0) / (state.t1 - state.t0), y0.dtype)
        y: Any = state.between[0]
        for coefficient in state.between[1:]:
            y = y * x + coefficient
        return solution.write(i, y), state, history, i + 1, steps

    times = _size_of(t)
    solution = TensorArray(y0.dtype.base_dtype, size=times).write(0, y0)
    history = History(
        TensorArray(t.dtype.base_dtype, size=0, dynamic_size=True),
        TensorArray(y0.dtype.real_dtype, size=0, dynamic_size=True),
    )
    dt = to_tensor(1.0 if first_step is None else first_step, t.dtype, name="first_step")
    state = State(y0, func(y0, t[0]), t[0], t[0], dt, [y0] * 5)
    zero = array.constant(0, dtype=dtypes.int32)
    solution, _, history, _, _ = while_loop(
        lambda _, __, ___, i, *rest: i < times, interpolate, (solution, state, history, zero + 1, zero)
    )
    return solution.stack(), history


def _midpoint(func: Derivative, t: Any, dt: Any, y: Any) -> Any:
    size = math.cast(dt, y.dtype)
    return size * func(y + func(y, t) * size / 2, t + dt / 2)


def _rk4(func: Derivative, t: Any, dt: Any, y: Any) -> Any:
    size, half = math.cast(dt, y.dtype), t + dt / 2
    k1 = func(y, t)
    k2 = func(y + size * k1 / 2, half)
    k3 = func(y + size * k2 / 2, half)
    k4 = func(y + size * k3, t + dt)
    return math.add_n([k1, 2 * k2, 2 * k3, k4]) * (size / 6)


def odeint_fixed(
    func: Derivative, y0: Any, t: Any, dt: Any = None, method: str = "rk4", name: str | None = None
) -> Any:
    """The same by steps of at most `dt` (a number, or one for each interval; as long as the interval where it is None).

    `method` is "rk4" or "midpoint"; ValueError for another.
    """
    methods = {"midpoint": _midpoint, "rk4": _rk4}
    with name_scope(name, "odeint_fixed", [y0, t, dt]):
        t, y0 = to_tensor(t, preferred=dtypes.float64, name="t"), to_tensor(y0, name="y0")
        intervals = t[1:] - t[:-1]
        given = intervals if dt is None else to_tensor(dt, preferred=dtypes.float64, name="dt")
        _checked_types(y0, t, given)
        if (t.get_shape().ndims or 1) > 1 or (given.get_shape().ndims or 1) > 1:
            raise ValueError("t must be a 1D tensor")
        counts = math.ceil(intervals / given)
        if not counts.get_shape().is_compatible_with(intervals.get_shape()):
            raise ValueError("t and dt have incompatible lengths, must be N and N-1")
        if method not in methods:
            raise ValueError(f"method not supported: {method!s}")
        sizes, counts = intervals / counts, math.cast(counts, dtypes.int32)
        times = _size_of(t)

        def across(solution: Any, y: Any, now: Any, i: Any) -> tuple[Any, ...]:
            def once(y: Any, now: Any, j: Any) -> tuple[Any, Any, Any]:
                change = methods[method](func, now, sizes[i - 1], y)
                return y + math.cast(change, y.dtype), now + sizes[i - 1], j + 1

            y, now, _ = while_loop(lambda y, now, j: j < counts[i - 1], once, (y, now, 0))
            return solution.write(i, y), y, now, i + 1

        solution = TensorArray(y0.dtype.base_dtype, size=times).write(0, y0)
        solution, _, _, _ = while_loop(lambda _, __, ___, i: i < times, across, (solution, y0, t[0], 1))
        found = solution.stack()
        found.set_shape(t.get_shape().concatenate(y0.get_shape()))
        return found
