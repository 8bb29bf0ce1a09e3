"""tf.contrib.estimator.replicate_model_fn: a tower of the model on each device, on a part of the batch, with the same variables."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.device_setter import STANDARD_PS_OPS
from thalweg._src.lib.estimators.export_outputs import ClassificationOutput, PredictOutput, RegressionOutput
from thalweg._src.lib.estimators.modes import ModeKeys, fn_args
from thalweg._src.lib.estimators.spec import EstimatorSpec
from thalweg._src.lib.losses import Reduction
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices, concat_slices
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_split
from thalweg._src.ops.stateful.variable_scope import variable_scope
from thalweg._src.runtime.placing import of_kind

_STATES = "replicate_model_fn_graph_states"


class _Towers:
    """Which tower of a graph is being built, and the gradients of those before."""

    def __init__(self) -> None:
        self.count, self.index, self.reduction = 1, 0, None
        self.used, self.first_scopes = False, ("", "")
        self.gradients: dict[int, list[Any]] = {}

    def gather(self, pairs: Any) -> None:
        self.gradients.setdefault(self.index, []).append(pairs)

    def latest(self) -> list[Any]:
        """The pairs of all towers that go with those of the last one."""
        at = len(self.gradients[self.index]) - 1
        return [pair for i in range(self.count) for pair in self.gradients[i][at]]

    @contextlib.contextmanager
    def tower(self, index: int) -> Iterator[None]:
        """A tower: its names below `tower_<i>`, its variables those of the first."""
        with (
            variable_scope("", reuse=index > 0) as variables,
            scopes.name_scope(f"tower_{index}" if index else "") as names,
        ):
            if index == 0:
                self.first_scopes = variables, names
            self.index = index
            yield


def _towers() -> _Towers:
    found = get_default_graph().get_collection_ref(_STATES)
    if not found:
        found.append(_Towers())
    return found[-1]


class TowerOptimizer(Optimizer):
    """An optimizer, or a function that makes one, that adds the gradients of all towers and applies them in the last one."""

    def __init__(self, optimizer_or_optimizer_fn: Any):
        self._given = optimizer_or_optimizer_fn

    @staticmethod
    def has_been_used() -> bool:
        """Whether a tower of this graph has used one."""
        return _towers().used

    def _optimizer(self) -> Optimizer:
        if callable(self._given):
            self._given = self._given()
        _towers().used = True
        return self._given

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        return self._optimizer().get_slot(*args, **kwargs)

    def get_slot_names(self, *args: Any, **kwargs: Any) -> Any:
        return self._optimizer().get_slot_names(*args, **kwargs)

    def get_name(self) -> Any:
        return self._optimizer().get_name()

    def variables(self) -> Any:
        return self._optimizer().variables()

    def compute_gradients(self, loss: Any, *args: Any, **kwargs: Any) -> Any:
        """Those of the part of the loss that is this tower's."""
        towers = _towers()
        return self._optimizer().compute_gradients(_scaled(loss, towers.reduction, towers.count), *args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """Apply the sums over the towers, in the last one; before that, only keep them."""
        towers, pairs = _towers(), list(grads_and_vars)
        if towers.count == 1:
            return self._optimizer().apply_gradients(pairs, global_step, name)
        towers.gather(pairs)
        if towers.index < towers.count - 1:
            with get_default_graph().control_dependencies([g for g, _ in pairs if g is not None]):
                return basic.no_op(name="train_op_placeholder")
        variables, names = towers.first_scopes
        with variable_scope(variables), scopes.name_scope(names):
            gathered: dict[Any, list[Any]] = {}
            for gradient, variable in towers.latest():
                if gradient is not None:
                    gathered.setdefault(variable, []).append(gradient)
            with scopes.name_scope("gradient_aggregating"):
                summed = [(_sum(values, variable.device), variable) for variable, values in gathered.items()]
            return self._optimizer().apply_gradients(summed, global_step, name)


def replicate_model_fn(
    model_fn: Any, loss_reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS, devices: Any = None
) -> Callable[..., EstimatorSpec]:
    """A model function that splits batches between towers, one on each device (all GPUs, or the CPU).

    Losses and gradients are added, divided by the number of towers unless `loss_reduction` is SUM; metrics are those of all
    towers; predictions are put together. Several towers need their optimizers in TowerOptimizers. Raises ValueError for losses
    that are not reduced, batches that can't be divided evenly, and towers with other optimizer calls.
    """
    if loss_reduction == Reduction.NONE:
        raise ValueError(f"Tower losses need to be reduced in some way, yet {loss_reduction} reduction is specified.")
    devices = list(devices or _local("gpu") or _local("cpu"))
    together = devices[0] if len(devices) == 1 and "GPU" in devices[0].upper() else "/CPU:0"
    log.info("Replicating the `model_fn` across %s.  Variables are going to be placed on %s.", devices, together)

    def replicated(features: Any, labels: Any, mode: str, params: Any = None, config: Any = None) -> EstimatorSpec:
        offered = {"params": params, "config": config}
        given = {k: copy.deepcopy(v) for k, v in offered.items() if k in fn_args(model_fn)}
        count = len(devices)
        parts = [(features, labels)] if count == 1 else _split(features, labels, count, together)
        specs = _built(model_fn, mode, parts, given, devices, together, loss_reduction)
        return specs[0] if count == 1 else _MERGED[mode](specs, together)

    return replicated


def _local(kind: str) -> list[str]:
    return [f"/device:{kind.upper()}:{i}" for i in range(len(of_kind(kind)))]


def _built(
    model_fn: Any, mode: str, parts: Any, given: Any, devices: list[str], variables_on: str, reduction: str
) -> list[EstimatorSpec]:
    """The specs of all towers, their losses scaled."""
    towers, specs = _towers(), []
    towers.count, towers.reduction = len(devices), reduction
    for i, (device, (features, labels)) in enumerate(zip(devices, parts, strict=True)):
        with towers.tower(i), scopes.device(_places(device, variables_on)):
            spec = model_fn(mode=mode, features=features, labels=labels, **given)
            if spec.train_op is not None and len(devices) > 1 and not towers.used:
                raise ValueError(
                    "Please wrap optimizers with TowerOptimizer in order to use replicate_model_fn with multiple `devices`."
                )
            specs.append(spec._replace(loss=_scaled(spec.loss, reduction, len(devices))))
    if sum(len(pairs) for pairs in towers.gradients.values()) % len(devices):
        raise ValueError("Each invocation of model_fn was supposed to make the same optimizer calls.")
    get_default_graph().clear_collection(_STATES)
    return specs


def _places(device: str, variables_on: str) -> Callable[[Any], str]:
    return lambda op: op.device or (variables_on if op.type in STANDARD_PS_OPS else device)


def _split(features: Any, labels: Any, count: int, device: str) -> list[tuple[Any, Any]]:
    """Features and labels for each tower."""

    def pieces(value: Any) -> list[Any]:
        if value is None:
            return [None] * count
        if isinstance(value, dict):
            each = {key: pieces(v) for key, v in value.items()}
            return [{key: found[i] for key, found in each.items()} for i in range(count)]
        if isinstance(value, SparseTensor):
            return sparse_split(sp_input=value, num_split=count, axis=0)
        size = to_tensor(value).shape[0]
        if size % count != 0:
            raise ValueError(f"Batch size {size} needs to be divisible by the number of GPUs, which is {count}.")
        return array.split(value, count)

    with scopes.name_scope("split_inputs"), scopes.device(device):
        return list(zip(pieces(features), pieces(labels), strict=True))


def _scaled(loss: Any, reduction: str | None, count: int) -> Any:
    if loss is None or count == 1 or reduction == Reduction.SUM:
        return loss
    return math.div(loss, 1.0 * count, name="averaged_loss")


def _sum(values: list[Any], device: Any, name: str | None = None) -> Any:
    with scopes.device(device):
        return concat_slices(values) if isinstance(values[0], IndexedSlices) else math.add_n(values, name=name)


# -- the specs of all towers as one


def _trained(specs: list[EstimatorSpec], device: str) -> EstimatorSpec:
    return specs[-1]._replace(loss=_sum([s.loss for s in specs], device, "loss"))


def _evaluated(specs: list[EstimatorSpec], device: str) -> EstimatorSpec:
    loss = _sum([s.loss for s in specs], device, "loss")
    updates = [update for s in specs for _, update in s.eval_metric_ops.values()]
    with get_default_graph().control_dependencies(updates):
        gathered = _gather_metrics(len(specs))
    metrics = {name: (value, gathered) for name, (value, _) in specs[0].eval_metric_ops.items()}
    return specs[0]._replace(loss=loss, eval_metric_ops=metrics)


def _gather_metrics(count: int) -> Any:
    """Move what the variables of the metrics of other towers hold to those of the first."""
    variables = scopes.get_collection(GraphKeys.METRIC_VARIABLES)
    own, left = divmod(len(variables), count)
    if left:
        raise ValueError(
            f"Different `EstimatorSpec.eval_metric_ops` across `model_fn()` calls. Expected {own * count} local variables, "
            f"but got {len(variables)} instead."
        )
    cleared = []
    for i in range(own):
        others = variables[i + own :: own]
        with get_default_graph().control_dependencies([variables[i].assign_add(math.add_n(others))]):
            cleared += [v.assign(array.zeros_like(v)) for v in others]
    return basic.group(*cleared)


def _predicted(specs: list[EstimatorSpec], device: str) -> EstimatorSpec:
    with scopes.device(device):
        predictions = _joined([s.predictions for s in specs])
        exports = {}
        for name, first in specs[0].export_outputs.items():
            every = [s.export_outputs[name] for s in specs]
            if isinstance(first, PredictOutput):
                exports[name] = PredictOutput(_joined([e.outputs for e in every]))
            elif isinstance(first, RegressionOutput):
                exports[name] = RegressionOutput(array.concat([e.value for e in every], 0))
            elif isinstance(first, ClassificationOutput):
                scores, classes = (_joined([getattr(e, k) for e in every]) for k in ("scores", "classes"))
                exports[name] = ClassificationOutput(scores, classes)
    return specs[0]._replace(predictions=predictions, export_outputs=exports)


def _joined(values: list[Any]) -> Any:
    if values[0] is None:
        return None
    if isinstance(values[0], dict):
        return {key: array.concat([v[key] for v in values], 0, name=key) for key in values[0]}
    return array.concat(values, 0)


_MERGED = {ModeKeys.TRAIN: _trained, ModeKeys.EVAL: _evaluated, ModeKeys.PREDICT: _predicted}
