"""Bijectors made of others, or of functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.contrib.bijectors.base import Bijector
from thalweg._src.ops.late import array


class Invert(Bijector):
    """The inverse of another one."""

    def __init__(self, bijector: Bijector, validate_args: bool = False, name: str | None = None):
        if not bijector._is_injective:
            raise NotImplementedError("Invert is not implemented for non-injective bijectors.")
        super().__init__(
            bijector.graph_parents,
            bijector.is_constant_jacobian,
            validate_args,
            bijector.dtype,
            bijector.inverse_min_event_ndims,
            bijector.forward_min_event_ndims,
            name or f"invert_{bijector.name}",
        )
        self._bijector = bijector

    @property
    def bijector(self) -> Bijector:
        return self._bijector

    def _forward(self, x: Any, **conditions: Any) -> Any:
        return self.bijector._inverse(x, **conditions)

    def _inverse(self, y: Any, **conditions: Any) -> Any:
        return self.bijector._forward(y, **conditions)

    def _forward_log_det_jacobian(self, x: Any, **conditions: Any) -> Any:
        return self.bijector._inverse_log_det_jacobian(x, **conditions)

    def _inverse_log_det_jacobian(self, y: Any, **conditions: Any) -> Any:
        return self.bijector._forward_log_det_jacobian(y, **conditions)

    def _forward_event_shape(self, input_shape: Any) -> Any:
        return self.bijector._inverse_event_shape(input_shape)

    def _inverse_event_shape(self, output_shape: Any) -> Any:
        return self.bijector._forward_event_shape(output_shape)

    def _forward_event_shape_tensor(self, input_shape: Any) -> Any:
        return self.bijector._inverse_event_shape_tensor(input_shape)

    def _inverse_event_shape_tensor(self, output_shape: Any) -> Any:
        return self.bijector._forward_event_shape_tensor(output_shape)


def _least_axes(steps: Sequence[tuple[int, int]]) -> int:
    """The least number of axes of an event that goes through steps (least before, least behind), each of which may add some."""
    least = room = 0
    for before, behind in steps:
        least += max(before - room, 0)
        room = max(before, room) + behind - before
    return least


class Chain(Bijector):
    """Several, one after the other: the last of `bijectors` comes first, as in f(g(x)).

    Arguments for conditions are told by the name of the bijector: `forward(x, name_of_one={"argument": value})`.
    """

    def __init__(
        self, bijectors: Sequence[Bijector] | None = None, validate_args: bool = False, name: str | None = None
    ):
        bijectors = list(bijectors or ())
        if not all(b._is_injective for b in bijectors):
            raise NotImplementedError("Invert is not implemented for non-injective bijectors.")
        kinds = {b.dtype for b in bijectors if b.dtype is not None}
        if len(kinds) > 1:
            raise ValueError(f"incompatible dtypes: {sorted(k.name for k in kinds)}")
        forth = [(b.forward_min_event_ndims, b.inverse_min_event_ndims) for b in reversed(bijectors)]
        back = [(b.inverse_min_event_ndims, b.forward_min_event_ndims) for b in bijectors]
        super().__init__(
            [p for b in bijectors for p in b.graph_parents],
            all(b.is_constant_jacobian for b in bijectors),
            validate_args,
            kinds.pop() if kinds else None,
            _least_axes(forth),
            _least_axes(back),
            name or ("identity" if not bijectors else "_of_".join(["chain", *(b.name for b in bijectors)])),
        )
        self._bijectors = bijectors

    @property
    def bijectors(self) -> list[Bijector]:
        return self._bijectors

    def _forward(self, x: Any, **conditions: Any) -> Any:
        for b in reversed(self.bijectors):
            x = b.forward(x, **conditions.get(b.name, {}))
        return x

    def _inverse(self, y: Any, **conditions: Any) -> Any:
        for b in self.bijectors:
            y = b.inverse(y, **conditions.get(b.name, {}))
        return y

    def _forward_log_det_jacobian(self, x: Any, **conditions: Any) -> Any:
        total, axes = array.constant(0.0, x.dtype), self.forward_min_event_ndims
        for b in reversed(self.bijectors):
            given = conditions.get(b.name, {})
            total = total + b.forward_log_det_jacobian(x, axes, **given)
            axes += b.inverse_min_event_ndims - b.forward_min_event_ndims
            x = b.forward(x, **given)
        return total

    def _inverse_log_det_jacobian(self, y: Any, **conditions: Any) -> Any:
        total, axes = array.constant(0.0, y.dtype), self.inverse_min_event_ndims
        for b in self.bijectors:
            given = conditions.get(b.name, {})
            total = total + b.inverse_log_det_jacobian(y, axes, **given)
            axes += b.forward_min_event_ndims - b.inverse_min_event_ndims
            y = b.inverse(y, **given)
        return total

    def _forward_event_shape(self, input_shape: Any) -> Any:
        for b in reversed(self.bijectors):
            input_shape = b.forward_event_shape(input_shape)
        return input_shape

    def _inverse_event_shape(self, output_shape: Any) -> Any:
        for b in self.bijectors:
            output_shape = b.inverse_event_shape(output_shape)
        return output_shape

    def _forward_event_shape_tensor(self, input_shape: Any) -> Any:
        for b in reversed(self.bijectors):
            input_shape = b.forward_event_shape_tensor(input_shape)
        return input_shape

    def _inverse_event_shape_tensor(self, output_shape: Any) -> Any:
        for b in self.bijectors:
            output_shape = b.inverse_event_shape_tensor(output_shape)
        return output_shape


class Inline(Bijector):
    """One made of functions; what is not given is not known."""

    def __init__(
        self,
        forward_fn: Callable | None = None,
        inverse_fn: Callable | None = None,
        inverse_log_det_jacobian_fn: Callable | None = None,
        forward_log_det_jacobian_fn: Callable | None = None,
        forward_event_shape_fn: Callable | None = None,
        forward_event_shape_tensor_fn: Callable | None = None,
        inverse_event_shape_fn: Callable | None = None,
        inverse_event_shape_tensor_fn: Callable | None = None,
        is_constant_jacobian: bool = False,
        validate_args: bool = False,
        forward_min_event_ndims: int | None = None,
        inverse_min_event_ndims: int | None = None,
        name: str = "inline",
    ):
        super().__init__(
            (), is_constant_jacobian, validate_args, None, forward_min_event_ndims, inverse_min_event_ndims, name
        )
        given = {
            "_forward": forward_fn,
            "_inverse": inverse_fn,
            "_inverse_log_det_jacobian": inverse_log_det_jacobian_fn,
            "_forward_log_det_jacobian": forward_log_det_jacobian_fn,
            "_forward_event_shape": forward_event_shape_fn,
            "_forward_event_shape_tensor": forward_event_shape_tensor_fn,
            "_inverse_event_shape": inverse_event_shape_fn,
            "_inverse_event_shape_tensor": inverse_event_shape_tensor_fn,
        }
        for attribute, function in given.items():
            if function is not None:
                setattr(self, attribute, function)
