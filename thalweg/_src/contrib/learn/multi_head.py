"""Heads of heads: several on one model, and one of a loss alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.learn.modes import MetricKey, ModeKeys, ModelFnOps
from thalweg._src.contrib.learn.single_head import Head, check_mode, no_op_train_fn
from thalweg._src.core import scopes
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful.variable_scope import variable_scope


class LossOnlyHead(Head):
    """A loss that needs no logits."""

    def __init__(self, loss_fn: Callable[[], Any], head_name: str | None = None):
        self._loss_fn, self.head_name = loss_fn, head_name or "loss_only_head"

    @property
    def logits_dimension(self) -> int:
        return 0

    def create_model_fn_ops(
        self,
        features: Any,
        mode: str,
        labels: Any = None,
        train_op_fn: Any = None,
        logits: Any = None,
        logits_input: Any = None,
        scope: Any = None,
    ) -> ModelFnOps:
        check_mode(mode)
        loss = train_op = None
        if mode != ModeKeys.INFER:
            with variable_scope(scope, default_name=self.head_name):
                loss = self._loss_fn()
                if isinstance(loss, list):
                    loss = math.add_n(loss)
                with scopes.name_scope(""):
                    summary.scalar(f"{MetricKey.LOSS}/{self.head_name}", basic.identity(loss))
                if mode == ModeKeys.TRAIN:
                    if train_op_fn is None:
                        raise ValueError("train_op_fn can not be None in TRAIN mode")
                    with scopes.name_scope(None, "train_op", (loss,)):
                        train_op = train_op_fn(loss)
        return ModelFnOps(mode=mode, loss=loss, train_op=train_op, predictions={}, eval_metric_ops={})


class MultiHead(Head):
    """Several heads with names; the logits of all stand side by side, or in a dict by name. Raises ValueError without names."""

    def __init__(self, heads: Any, loss_merger: Callable[[Any], Any]):
        for head in heads:
            if not head.head_name:
                raise ValueError("Members of MultiHead must have names.")
        self._heads, self._merged = heads, loss_merger

    @property
    def logits_dimension(self) -> int:
        return sum(head.logits_dimension for head in self._heads)

    def create_model_fn_ops(
        self,
        features: Any,
        mode: str,
        labels: Any = None,
        train_op_fn: Any = None,
        logits: Any = None,
        logits_input: Any = None,
        scope: Any = None,
    ) -> ModelFnOps:
        check_mode(mode)
        made = []
        for head, own in zip(self._heads, self._split(logits), strict=True):
            how = {"logits_input": logits_input} if logits is None else {"logits": own}
            made.append(
                head.create_model_fn_ops(features, mode, labels=labels, train_op_fn=no_op_train_fn, scope=scope, **how)
            )
        if mode == ModeKeys.INFER:
            return self._infer(made)
        loss = self._merged([ops.loss for ops in made])
        metrics = {key: pair for ops in made for key, pair in ops.eval_metric_ops.items()}
        if mode == ModeKeys.EVAL:
            return ModelFnOps(mode, predictions=self._predictions(made), loss=loss, eval_metric_ops=metrics)
        if train_op_fn is None:
            raise ValueError("train_op_fn can not be None in TRAIN mode.")
        train_op = basic.group(train_op_fn(loss), *(ops.train_op for ops in made))
        return ModelFnOps(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)

    def _split(self, logits: Any) -> list[Any]:
        if logits is None:
            return [None] * len(self._heads)
        if isinstance(logits, dict):
            return [None if isinstance(h, LossOnlyHead) else logits[h.head_name] for h in self._heads]
        parts, begin = [], 0
        for head in self._heads:
            parts.append(array.slice(logits, [0, begin], [-1, head.logits_dimension]))
            begin += head.logits_dimension
        return parts

    def _predictions(self, made: list[Any]) -> dict[Any, Any]:
        pairs = zip(self._heads, made, strict=True)
        return {(head.head_name, key): value for head, ops in pairs for key, value in ops.predictions.items()}

    def _infer(self, made: list[Any]) -> ModelFnOps:
        alternatives = {
            head.head_name: ops.output_alternatives[head.head_name]
            for head, ops in zip(self._heads, made, strict=True)
            if not isinstance(head, LossOnlyHead)
        }
        return ModelFnOps(ModeKeys.INFER, predictions=self._predictions(made), output_alternatives=alternatives)
