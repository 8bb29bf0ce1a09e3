"""`optimize_loss`: a training op with all that belongs to it; clipping by an adaptive norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib import global_step as steps
from thalweg._src.lib.moving_averages import assign_moving_average
from thalweg._src.lib.optimizers import adagrad, adam, ftrl, gradient_descent, momentum, rmsprop
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants, selecting
from thalweg._src.ops.chance import random
from thalweg._src.ops.numeric import arithmetic, casting, clip, elementwise
from thalweg._src.ops.reports import checks
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices, scaled
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.initializers import constant_initializer, zeros_initializer

OPTIMIZER_CLS_NAMES: dict[str, Any] = {
    "Adagrad": adagrad.AdagradOptimizer,
    "Adam": adam.AdamOptimizer,
    "Ftrl": ftrl.FtrlOptimizer,
    "Momentum": lambda learning_rate: momentum.MomentumOptimizer(learning_rate, momentum=0.9),
    "RMSProp": rmsprop.RMSPropOptimizer,
    "SGD": gradient_descent.GradientDescentOptimizer,
}

OPTIMIZER_SUMMARIES = ["learning_rate", "loss", "gradients", "gradient_norm", "global_gradient_norm"]


def optimize_loss(
    loss: Any,
    global_step: Any,
    learning_rate: Any,
    optimizer: Any,
    gradient_noise_scale: Any = None,
    gradient_multipliers: Any = None,
    clip_gradients: Any = None,
    learning_rate_decay_fn: Any = None,
    update_ops: Any = None,
    variables: Any = None,
    name: str | None = None,
    summaries: Any = None,
    colocate_gradients_with_ops: bool = False,
    increment_global_step: bool = True,
) -> Any:
    """The loss, once the variables have moved: one run of it is a step of training.

    `optimizer` is a name, a class, an Optimizer, or a function of the learning rate. `clip_gradients` is a norm or a function
    of (gradient, variable) pairs. Update ops (of UPDATE_OPS by default) run before the loss. Raises ValueError for what is
    none of these.
    """
    loss = to_tensor(loss)
    checks.assert_scalar(loss)
    if global_step is None:
        global_step = steps.get_global_step()
    else:
        steps.assert_global_step(global_step)
    with vs.variable_scope(name, "OptimizeLoss", [loss, global_step]):
        if update_ops is None:
            update_ops = list(dict.fromkeys(scopes.get_collection(GraphKeys.UPDATE_OPS)))
        if update_ops:
            loss = basic.with_dependencies(list(update_ops), loss)
        rate = _rate_variable(learning_rate)
        wanted = _summaries(summaries)
        if learning_rate is not None and learning_rate_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for learning_rate_decay_fn.")
            rate = learning_rate_decay_fn(rate, global_step)
            if "learning_rate" in wanted:
                summary.scalar("learning_rate", rate)
        opt = _optimizer(optimizer, learning_rate, rate)
        if variables is None:
            variables = scopes.get_collection(GraphKeys.TRAINABLE_VARIABLES)
        pairs = opt.compute_gradients(loss, variables, colocate_gradients_with_ops=colocate_gradients_with_ops)
        if gradient_noise_scale is not None:
            pairs = _with_noise(pairs, gradient_noise_scale)
        if gradient_multipliers is not None:
            pairs = _multiplied(pairs, gradient_multipliers)
            if not pairs:
                raise ValueError(
                    "Empty list of (gradient, var) pairs encountered. This is most likely to be caused by an improper "
                    "value of gradient_multipliers."
                )
        of_norms = "global_gradient_norm" in wanted or "gradient_norm" in wanted
        if of_norms:
            summary.scalar("global_norm/gradient_norm", clip.global_norm([g for g, _ in pairs]))
        pairs = _clipped(pairs, clip_gradients)
        if "loss" in wanted:
            summary.scalar("loss", loss)
        _summarize_each(pairs, wanted)
        if clip_gradients is not None and of_norms:
            summary.scalar("global_norm/clipped_gradient_norm", clip.global_norm([g for g, _ in pairs]))
        moved = opt.apply_gradients(pairs, global_step=global_step if increment_global_step else None, name="train")
        return basic.with_dependencies([moved], loss)


def _rate_variable(learning_rate: Any) -> Any:
    if learning_rate is None or (isinstance(learning_rate, Tensor) and learning_rate.get_shape().ndims == 0):
        return learning_rate
    if not isinstance(learning_rate, float):
        raise ValueError(
            f"Learning rate should be 0d Tensor or float. Got {learning_rate} of type {type(learning_rate)}"
        )
    if learning_rate < 0.0:
        raise ValueError(f"Invalid learning_rate {learning_rate}.")
    return vs.get_variable("learning_rate", [], trainable=False, initializer=constant_initializer(learning_rate))


def _summaries(given: Any) -> Any:
    if given is None:
        return ["loss", "learning_rate", "global_gradient_norm"]
    for name in given:
        if name not in OPTIMIZER_SUMMARIES:
            raise ValueError(f"Summaries should be one of [{', '.join(OPTIMIZER_SUMMARIES)}], you provided {name}.")
    return given


def _optimizer(given: Any, learning_rate: Any, rate: Any) -> Optimizer:
    if isinstance(given, Optimizer):
        return given
    of_class = isinstance(given, type) and issubclass(given, Optimizer)
    if isinstance(given, str) or of_class:
        kind = "class" if of_class else "string"
        if rate is None:
            raise ValueError(f"Learning rate is None, but should be specified if optimizer is {kind} ({given}).")
        if not of_class and given not in OPTIMIZER_CLS_NAMES:
            raise ValueError(
                f"Optimizer name should be one of [{', '.join(OPTIMIZER_CLS_NAMES)}], you provided {given}."
            )
        make = given if of_class else OPTIMIZER_CLS_NAMES[given]
        return make(learning_rate=rate)
    if callable(given):
        made = given(rate) if learning_rate is not None else given()
        if not isinstance(made, Optimizer):
            raise ValueError(f"Unrecognized optimizer: function should return subclass of Optimizer. Got {made}.")
        return made
    raise ValueError(
        "Unrecognized optimizer: should be string, subclass of Optimizer, instance of subclass of Optimizer or function "
        f"with one argument. Got {given}."
    )


def _with_noise(pairs: Any, scale: Any) -> list[Any]:
    noisy = []
    for g, v in pairs:
        if g is not None:
            shape = g.dense_shape if isinstance(g, IndexedSlices) else g.get_shape()
            g = g + random.truncated_normal(shape) * scale
        noisy.append((g, v))
    return noisy


def _multiplied(pairs: Any, multipliers: Any) -> list[Any]:
    out = []
    for g, v in pairs:
        key = v if v in multipliers else v.name
        if g is not None and key in multipliers:
            by = multipliers[key]
            g = scaled(g, by if isinstance(g, IndexedSlices) else casting.cast(by, g.dtype))
        out.append((g, v))
    return out


def _clipped(pairs: Any, how: Any) -> Any:
    if how is None:
        return pairs
    if isinstance(how, float):
        clipped, _ = clip.clip_by_global_norm([g for g, _ in pairs], how)
        return list(zip(clipped, [v for _, v in pairs], strict=True))
    if callable(how):
        return how(pairs)
    raise ValueError(f"Unknown type {type(how)} for clip_gradients")


def _summarize_each(pairs: Any, wanted: Any) -> None:
    for g, v in pairs:
        values = g.values if isinstance(g, IndexedSlices) else g
        if values is None:
            continue
        name = v.name.replace(":", "_")
        if "gradients" in wanted:
            summary.histogram(f"gradients/{name}", values)
        if "gradient_norm" in wanted:
            summary.scalar(f"gradient_norm/{name}", clip.global_norm([values]))


def adaptive_clipping_fn(
    std_factor: float = 2.0,
    decay: Any = 0.95,
    static_max_norm: Any = None,
    global_step: Any = None,
    report_summary: bool = False,
    epsilon: float = 1e-8,
    name: str | None = None,
) -> Callable[[Any], list[Any]]:
    """A function for `clip_gradients`: clips where the norm is `std_factor` deviations (of its log) above its average."""

    def clipped(pairs: Any) -> list[Any]:
        grads = [g for g, _ in pairs]
        norm = clip.global_norm(grads)
        largest, log_mean = _adaptive_norm(norm, std_factor, decay, global_step, epsilon, name)
        if report_summary:
            summary.scalar("global_norm/adaptive_max_gradient_norm", largest)
        down = elementwise.exp(log_mean) / norm
        factor = selecting.where(norm < largest, constants.ones_like(norm), down)
        if static_max_norm is not None:
            factor = arithmetic.minimum(static_max_norm / norm, factor)
        return [(scaled(g, factor), v) for g, v in pairs]

    return clipped


def _adaptive_norm(norm: Any, std_factor: float, decay: Any, global_step: Any, epsilon: float, name: Any) -> Any:
    """(the largest norm that is let through, the average of the logarithm)."""
    with vs.variable_scope(name, "AdaptiveMaxNorm", [norm]):
        log_norm = elementwise.log(norm + epsilon)

        def average(name: str, value: Any, decay: Any) -> Any:
            kept = vs.get_variable(
                name, shape=value.get_shape(), dtype=value.dtype, initializer=zeros_initializer(), trainable=False
            )
            return assign_moving_average(kept, value, decay, zero_debias=False)

        if global_step is not None:  # adapt faster at the beginning
            n = casting.cast(global_step, dtypes.float32)
            decay = arithmetic.minimum(decay, n / (n + 1.0))
        mean = average("mean", log_norm, decay)
        mean_square = average("sq_mean", elementwise.square(log_norm), decay)
        variance = mean_square - elementwise.square(mean)
        deviation = elementwise.sqrt(arithmetic.maximum(epsilon, variance))
        return elementwise.exp(mean + std_factor * deviation), mean
