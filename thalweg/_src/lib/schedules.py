"""Learning rates that change with the global step. Each function gives a tensor; the rate at one step follows from
it.
"""

from __future__ import annotations

import functools
import math as numbers
import threading
from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import convert_n_to_tensor, to_tensor
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.late import math


class _Depth(threading.local):
    inside = False


_depth = _Depth()


def _follows_step(f: Callable[..., Tensor]) -> Callable[..., Any]:
    """In eager execution, a schedule gives a function without arguments, which optimizers call at each step for the rate."""

    @functools.wraps(f)
    def schedule(*args: Any, **kwargs: Any) -> Any:
        if not executing_eagerly() or _depth.inside:
            return f(*args, **kwargs)

        def rate() -> Tensor:
            _depth.inside = True
            try:
                return f(*args, **kwargs)
            finally:
                _depth.inside = False

        return rate

    return schedule


def _in_one_type(learning_rate: Any, *others: Any) -> list[Any]:
    """The learning rate as a tensor, and the other numbers in its type."""
    rate = to_tensor(learning_rate, None, "initial_learning_rate")
    return [rate, *[math.cast(x, rate.dtype) for x in others]]


def _check_step(global_step: Any, name: str) -> None:
    if global_step is None:
        raise ValueError(f"global_step is required for {name}.")


@_follows_step
def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate decay_rate^(global_step / decay_steps); with `staircase`, the quotient is rounded down.

    >>> run(tf.train.exponential_decay(0.1, 20, decay_steps=10, decay_rate=0.5))
    0.025
    """
    _check_step(global_step, "exponential_decay")
    with name_scope(name or "ExponentialDecay") as scope:
        rate, steps, factor, step = _in_one_type(learning_rate, decay_steps, decay_rate, global_step)
        p = step / steps
        if staircase:
            p = math.floor(p)
        return math.multiply(rate, math.pow(factor, p), name=scope)


@_follows_step
def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate exp(-decay_rate global_step / decay_steps)."""
    _check_step(global_step, "natural_exp_decay")
    factor = math.exp(math.negative(decay_rate))
    return exponential_decay(learning_rate, global_step, decay_steps, factor, staircase, name)


@_follows_step
def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate / (1 + decay_rate global_step / decay_steps)."""
    _check_step(global_step, "inverse_time_decay")
    with name_scope(name or "InverseTimeDecay") as scope:
        rate, steps, factor, step = _in_one_type(learning_rate, decay_steps, decay_rate, global_step)
        p = step / steps
        if staircase:
            p = math.floor(p)
        one = math.cast(constant(1), rate.dtype)
        return math.divide(rate, math.add(one, math.multiply(factor, p)), name=scope)


@_follows_step
def piecewise_constant(x: Any, boundaries: Any, values: Any, name: str | None = None) -> Tensor:
    """values[0] up to boundaries[0], values[1] after that up to boundaries[1], and so on.

    Raises ValueError unless there is one value more than boundaries, of one type, and boundaries are of the type of
    `x`.
    """
    boundaries, values = convert_n_to_tensor(boundaries), convert_n_to_tensor(values)
    at = to_tensor(x)
    kind = at.dtype.base_dtype
    for i, b in enumerate(boundaries):
        own = b.dtype.base_dtype
        if own == kind:
            continue
        if own != dtypes.int32 or kind != dtypes.int64:
            raise ValueError(f"Boundaries ({own}) must have the same dtype as x ({kind}).")
        boundaries[i] = math.cast(b, kind)
    first = values[0].dtype.base_dtype
    for v in values[1:]:
        if v.dtype.base_dtype != first:
            raise ValueError(f"Values must have elements all with the same dtype ({first} vs {v.dtype.base_dtype}).")
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with name_scope(name or "PiecewiseConstant"):
        at = to_tensor(x)
        cases = [
            (math.less_equal(at, boundaries[0]), lambda: values[0]),
            (math.greater(at, boundaries[-1]), lambda: values[-1]),
        ]
        for low, high, v in zip(boundaries[:-1], boundaries[1:], values[1:-1], strict=True):
            inside = math.logical_and(math.greater(at, low), math.less_equal(at, high))
            cases.append((inside, lambda v=v: v))  # type: ignore[misc]
        return control_flow.case(cases, lambda: values[0], exclusive=True)


@_follows_step
def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Tensor:
    """From `learning_rate` to `end_learning_rate` in `decay_steps`, along (1 - step / decay_steps)^power.

    With `cycle`, `decay_steps` is multiplied until it is beyond the step, so that the rate starts anew.
    """
    _check_step(global_step, "polynomial_decay")
    with name_scope(name or "PolynomialDecay") as scope:
        rate, end, exponent, step, steps = _in_one_type(
            learning_rate, end_learning_rate, power, global_step, decay_steps
        )
        if cycle:
            times = control_flow.cond(math.equal(step, 0), lambda: 1.0, lambda: math.ceil(step / decay_steps))
            steps = math.multiply(steps, times)
        else:
            step = math.minimum(step, decay_steps)
        p = math.divide(step, steps)
        return math.add(math.multiply(rate - end, math.pow(1 - p, exponent)), end, name=scope)


@_follows_step
def cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, alpha: float = 0.0, name: str | None = None
) -> Tensor:
    """Half a cosine from `learning_rate` to `alpha` times it (Loshchilov and Hutter 2016)."""
    _check_step(global_step, "cosine decay")
    with name_scope(name or "CosineDecay"):
        rate, steps, step = _in_one_type(learning_rate, decay_steps, global_step)
        done = math.minimum(step, steps) / steps
        wave = 0.5 * (1.0 + math.cos(constant(numbers.pi) * done))
        return math.multiply(rate, (1 - alpha) * wave + alpha)


@_follows_step
def cosine_decay_restarts(
    learning_rate: Any,
    global_step: Any,
    first_decay_steps: Any,
    t_mul: Any = 2.0,
    m_mul: Any = 1.0,
    alpha: Any = 0.0,
    name: str | None = None,
) -> Tensor:
    """`cosine_decay` again and again: each period is `t_mul` times as long as the last, and starts `m_mul` times as
    high.
    """
    _check_step(global_step, "cosine decay restarts")
    with name_scope(name or "SGDRDecay") as scope:
        rate, first, low, longer, lower, step = _in_one_type(
            learning_rate, first_decay_steps, alpha, t_mul, m_mul, global_step
        )
        done = step / first

        def even() -> tuple[Any, Any]:
            restarts = math.floor(done)
            return restarts, done - restarts

        def growing() -> tuple[Any, Any]:
            restarts = math.floor(math.log(1.0 - done * (1.0 - longer)) / math.log(longer))
            before = (1.0 - longer**restarts) / (1.0 - longer)
            return restarts, (done - before) / longer**restarts

        restarts, done_of_this = control_flow.cond(math.equal(longer, 1.0), even, growing)
        height = lower**restarts
        wave = 0.5 * height * (1.0 + math.cos(constant(numbers.pi) * done_of_this))
        return math.multiply(rate, (1 - low) * wave + low, name=scope)


@_follows_step
def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Tensor:
    """A falling line times a cosine (Bello et al. 2017): ((alpha + linear) cosine + beta) learning_rate."""
    _check_step(global_step, "linear cosine decay")
    with name_scope(name or "LinearCosineDecay") as scope:
        rate, steps, periods, a, b, step = _in_one_type(
            learning_rate, decay_steps, num_periods, alpha, beta, global_step
        )
        step = math.minimum(step, steps)
        line = (steps - step) / steps
        waves = _waves(step / steps, periods)
        return math.multiply(rate, (a + line) * waves + b, name=scope)


@_follows_step
def noisy_linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    initial_variance: Any = 1.0,
    variance_decay: Any = 0.55,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Tensor:
    """`linear_cosine_decay` with normal noise on the line, of variance initial_variance / (1 + step)^variance_decay."""
    from thalweg._src.ops.chance.random import random_normal

    _check_step(global_step, "noisy linear cosine decay")
    with name_scope(name or "NoisyLinearCosineDecay") as scope:
        rate, steps, variance, fade, periods, a, b, step = _in_one_type(
            learning_rate, decay_steps, initial_variance, variance_decay, num_periods, alpha, beta, global_step
        )
        step = math.minimum(step, steps)
        line = (steps - step) / steps
        variance = variance / math.pow(1.0 + step, fade)
        noisy = line + random_normal(line.shape, stddev=math.sqrt(variance))
        waves = _waves(step / steps, periods)
        return math.multiply(rate, (a + noisy) * waves + b, name=scope)


def _waves(done: Any, periods: Any) -> Any:
    fraction = 2.0 * periods * done
    return 0.5 * (1.0 + math.cos(constant(numbers.pi) * fraction))
