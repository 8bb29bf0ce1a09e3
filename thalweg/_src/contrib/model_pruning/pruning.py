"""When masks change, and to what: the share of pruned weights follows a polynomial of the global step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from thalweg._src.contrib.model_pruning.masks import get_masks, get_thresholds, get_weights
from thalweg._src.contrib.slim import learning
from thalweg._src.contrib.training.hyperparameters import HParams
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.summary import summary
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.arrays.topk import top_k
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.nets.normalization import zero_fraction
from thalweg._src.ops.nets.spaced import pool
from thalweg._src.ops.stateful.assigning import assign
from thalweg._src.ops.stateful.initializers import zeros_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable, variable_scope
from thalweg._src.ops.stateful.variable_store import AUTO_REUSE


def get_pruning_hparams() -> HParams:
    """The parameters of `Pruning` at their defaults."""
    return HParams(
        name="model_pruning",
        begin_pruning_step=0,
        end_pruning_step=-1,
        weight_sparsity_map=[""],
        block_dims_map=[""],
        threshold_decay=0.0,
        pruning_frequency=10,
        nbins=256,
        block_height=1,
        block_width=1,
        block_pooling_function="AVG",
        initial_sparsity=0.0,
        target_sparsity=0.5,
        sparsity_function_begin_step=0,
        sparsity_function_end_step=100,
        sparsity_function_exponent=3.0,
        use_tpu=False,
    )


def _check(spec: HParams) -> None:
    """ValueError for steps and shares that make no sense."""
    if spec.begin_pruning_step < 0:
        raise ValueError("Illegal value for begin_pruning_step")
    if spec.begin_pruning_step >= spec.end_pruning_step != -1:
        raise ValueError(
            f"Pruning must begin before it can end. begin_step={spec.begin_pruning_step}, end_step={spec.end_pruning_step}."
            "Set end_pruning_step to -1 if pruning is required till trainingstops"
        )
    if spec.sparsity_function_begin_step < 0:
        raise ValueError("Illegal value for sparsity_function_begin_step")
    if spec.sparsity_function_begin_step >= spec.sparsity_function_end_step:
        raise ValueError("Sparsity function requires begin_step < end_step")
    for name in ("threshold_decay", "initial_sparsity", "target_sparsity"):
        if not 0.0 <= getattr(spec, name) < 1.0:
            raise ValueError(f"{name} must be in range [0,1)")


def _by_pattern(entries: Sequence[str]) -> list[tuple[re.Pattern[str], str]]:
    """ "pattern:value" entries as pairs."""
    pairs = [entry.split(":") for entry in entries if entry]
    return [(re.compile(pattern), value) for pattern, value in pairs]


def _matching(table: Sequence[tuple[re.Pattern[str], Any]], name: str, kind: str) -> Any:
    """The value for `name`, None without one. ValueError where there are several."""
    found = [value for pattern, value in table if pattern.search(name)]
    if len(found) > 1:
        raise ValueError(f"Multiple matches in {kind} for weight {name}")
    return found[0] if found else None


class Pruning:
    """Updates the masks of a graph. `spec`: `get_pruning_hparams()`; `sparsity` takes the place of the polynomial.

    Raises ValueError for a spec that makes no sense.
    """

    def __init__(self, spec: HParams | None = None, global_step: Any = None, sparsity: Any = None) -> None:
        self._spec = spec or get_pruning_hparams()
        _check(self._spec)
        self._global_step = math.cast(get_global_step() if global_step is None else global_step, dtypes.int32)
        self._sparsity = self._polynomial() if sparsity is None else sparsity
        self._assign_ops: list[Any] = []
        with variable_scope(self._spec.name, reuse=AUTO_REUSE):
            self._last_update_step = get_variable(
                "last_mask_update_step", [], dtypes.int32, zeros_initializer(), trainable=False
            )
        self._block_sizes = []
        for pattern, value in _by_pattern(self._spec.block_dims_map):
            sizes = [int(size) for size in value.split("x")]
            if len(sizes) != 2:
                raise ValueError(f"Expected 2 values for block dim for {pattern.pattern}, got {value.split('x')}")
            self._block_sizes.append((pattern, sizes))
        self._sparsities = [(pattern, float(value)) for pattern, value in _by_pattern(self._spec.weight_sparsity_map)]
        if any(value >= 1.0 for _, value in self._sparsities):
            raise ValueError("Weight sparsity can not exceed 1.0")

    def _polynomial(self) -> Tensor:
        """From the initial to the target sparsity, between two steps."""
        spec = self._spec
        first, last = spec.sparsity_function_begin_step, spec.sparsity_function_end_step
        with name_scope(spec.name):
            part = math.div(math.cast(self._global_step - first, dtypes.float32), last - first)
            left = math.pow(1 - math.minimum(1.0, math.maximum(0.0, part)), spec.sparsity_function_exponent)
            return math.add(
                (spec.initial_sparsity - spec.target_sparsity) * left, spec.target_sparsity, name="sparsity"
            )

    def _sparsity_of(self, name: str) -> Any:
        target = _matching(self._sparsities, name, "weight_sparsity_map")
        return self._sparsity if target is None else self._sparsity * (target / self._spec.target_sparsity)

    def _update_mask(self, weights: Any, threshold: Any) -> tuple[Tensor, Tensor]:
        """(the new threshold, the new mask): the share that is wanted lies below the threshold.

        Raises ValueError without a sparsity.
        """
        if self._sparsity is None:
            raise ValueError("Sparsity variable undefined")
        sparsity = self._sparsity_of(weights.op.name)
        with name_scope(weights.op.name + "_pruning_ops"):
            sizes = math.abs(weights)
            count = array.size(sizes)
            kept = math.cast(math.round(math.cast(count, dtypes.float32) * (1 - sparsity)), dtypes.int32)
            largest = top_k(array.reshape(sizes, [-1]), k=count)[0]
            now, decay = array.gather(largest, kept - 1), self._spec.threshold_decay
            smooth = math.add_n([now * (1 - decay), threshold * decay])
            return smooth, math.cast(math.greater_equal(sizes, smooth), dtypes.float32)

    def _maybe_update_block_mask(self, weights: Any, threshold: Any) -> tuple[Tensor, Tensor]:
        """As `_update_mask`, of whole blocks where the spec names their size. ValueError for an unknown pooling."""
        own = _matching(self._block_sizes, weights.op.name, "block_dims_map")
        flat = array.squeeze(weights)
        block = list(own or [self._spec.block_height, self._spec.block_width])
        if flat.get_shape().ndims != 2 or block == [1, 1]:
            return self._update_mask(weights, threshold)
        shape = flat.get_shape().as_list()
        block = [whole if size == -1 else size for size, whole in zip(block, shape, strict=True)]
        kind = self._spec.block_pooling_function
        if kind not in ("AVG", "MAX"):
            raise ValueError(f"Unknown pooling function for block sparsity: {kind}")
        with name_scope(weights.op.name + "_pruning_ops"):
            sizes = array.reshape(math.abs(flat), [1, *shape, 1])
            pooled = pool(sizes, block, kind, "SAME", strides=block, name=weights.op.name + "_pooled")
            smooth, mask = self._update_mask(array.squeeze(pooled, axis=[0, 3]), threshold)
            rows, columns = mask.shape.as_list()
            spread = array.tile(array.reshape(mask, [rows, 1, columns, 1]), [1, block[0], 1, block[1]])
            spread = array.reshape(spread, [rows * block[0], columns * block[1]])[: shape[0], : shape[1]]
        return smooth, array.reshape(spread, array.shape(weights))

    def _get_mask_assign_ops(self) -> None:
        if self._assign_ops:
            raise ValueError("Assign op list not empty. _get_mask_assign_ops() called twice?")
        masks, thresholds, weights = get_masks(), get_thresholds(), get_weights()
        if len(masks) != len(thresholds):
            raise ValueError(f"Number of masks {len(masks)} and number of thresholds {len(thresholds)} mismatch")
        for mask, threshold, weight in zip(masks, thresholds, weights, strict=True):
            pairs = zip((threshold, mask), self._maybe_update_block_mask(weight, threshold), strict=True)
            self._assign_ops += [assign(variable, new, name=variable.op.name + "_assign") for variable, new in pairs]

    def mask_update_op(self) -> Operation:
        """An op that brings all masks to the current sparsity."""
        with name_scope(self._spec.name):
            if not self._assign_ops:
                self._get_mask_assign_ops()
            step = assign(self._last_update_step, self._global_step, name="last_mask_update_step_assign")
            with basic.control_dependencies([step, *self._assign_ops]):
                log.info("Updating masks.")
                return basic.no_op("mask_update")

    def conditional_mask_update_op(self) -> Any:
        """`mask_update_op` every `pruning_frequency` steps, between the first and the last step of pruning."""
        spec, step = self._spec, self._global_step
        with name_scope(spec.name):
            begun = math.greater_equal(step, spec.begin_pruning_step)
            not_over = math.logical_or(math.less_equal(step, spec.end_pruning_step), spec.end_pruning_step < 0)
            due = math.less_equal(self._last_update_step + spec.pruning_frequency, step)
            now = math.logical_and(math.logical_and(begun, not_over), due)
        return cond(now, self.mask_update_op, basic.no_op)

    def add_pruning_summaries(self) -> None:
        """Summaries of the sparsity, and of each mask and threshold."""
        with name_scope(self._spec.name + "_summaries"):
            summary.scalar("sparsity", self._sparsity)
            summary.scalar("last_mask_update_step", self._last_update_step)
            for mask, threshold in zip(get_masks(), get_thresholds(), strict=True):
                summary.scalar(mask.op.name + "/sparsity", zero_fraction(mask))
                summary.scalar(threshold.op.name + "/threshold", threshold)

    def print_hparams(self) -> None:
        """Log the spec."""
        log.info(self._spec.to_json())


def train(
    train_op: Any, logdir: Any, mask_update_op: Any, train_step_fn: Any = learning.train_step, **options: Any
) -> Any:
    """`slim.learning.train`, with `mask_update_op` after each step."""

    def step(session: Any, train_op: Any, global_step: Any, train_step_kwargs: dict[str, Any]) -> Any:
        found = train_step_fn(session, train_op, global_step, train_step_kwargs)
        session.run(mask_update_op)
        return found

    return learning.train(train_op, logdir, train_step_fn=step, **options)
