"""What every bijector has: a function, its inverse, and the logarithms of their Jacobians' determinants.

An event is what a bijector maps as one: a number, a vector, a matrix. `forward_min_event_ndims` is the least number of axes that an
event has; over more axes a bijector works on each part by itself, and the log-determinants of the parts add up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes, infer, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.shapes import as_shape
from thalweg._src.ops.late import array, math


class Bijector:
    """An invertible, differentiable function.

    Subclasses say `_forward`, `_inverse` and one of `_forward_log_det_jacobian` and `_inverse_log_det_jacobian`, which give one number
    for each event of the least number of axes. Where shapes change, they say `_forward_event_shape` and its like too. What was
    computed by `forward` is what `inverse` of the result gives back, without another computation.

    `event_ndims` is TensorFlow's argument before 1.6, for both least numbers of axes. ValueError when neither is given.
    """

    def __init__(
        self,
        graph_parents: Any = None,
        is_constant_jacobian: bool = False,
        validate_args: bool = False,
        dtype: Any = None,
        forward_min_event_ndims: int | None = None,
        inverse_min_event_ndims: int | None = None,
        name: str | None = None,
        event_ndims: int | None = None,
    ):
        least = [n for n in (forward_min_event_ndims, inverse_min_event_ndims, event_ndims) if n is not None]
        if not least:
            raise ValueError("Must specify at least one of `forward_min_event_ndims` and `inverse_min_event_ndims`.")
        for n in least:
            if n != int(n) or n < 0:
                raise ValueError(f"the least number of axes of an event is to be a non-negative integer, not {n}")
        self._forward_least = least[0] if forward_min_event_ndims is None else forward_min_event_ndims
        self._inverse_least = self._forward_least if inverse_min_event_ndims is None else inverse_min_event_ndims
        self._graph_parents = list(graph_parents or [])
        self._is_constant_jacobian, self._validate_args = is_constant_jacobian, validate_args
        self._dtype = None if dtype is None else dtypes.as_dtype(dtype)
        own = type(self).__name__.lstrip("_")
        self._name = name or re.sub("([a-z0-9])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", own)).lower()
        self._from_x: dict[Any, Any] = {}
        self._from_y: dict[Any, Any] = {}

    # -- facts

    @property
    def name(self) -> str:
        return self._name

    @property
    def dtype(self) -> Any:
        return self._dtype

    @property
    def graph_parents(self) -> list[Any]:
        return self._graph_parents

    @property
    def validate_args(self) -> bool:
        return self._validate_args

    @property
    def is_constant_jacobian(self) -> bool:
        """Whether the determinant is the same everywhere."""
        return self._is_constant_jacobian

    @property
    def forward_min_event_ndims(self) -> int:
        return self._forward_least

    @property
    def inverse_min_event_ndims(self) -> int:
        return self._inverse_least

    @property
    def _is_injective(self) -> bool:
        """False where `_inverse` gives a tuple: all that is mapped to y."""
        return True

    def _event_dims_tensor(self, sample: Any) -> Any:
        """The last axes, those of an event: what subclasses of TensorFlow before 1.6 sum over."""
        return array.constant(list(range(-self._forward_least, 0)), dtypes.int32)

    # -- what subclasses say

    def _forward(self, x: Any) -> Any:
        raise NotImplementedError("forward not implemented.")

    def _inverse(self, y: Any) -> Any:
        raise NotImplementedError("inverse not implemented.")

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        raise NotImplementedError("forward_log_det_jacobian not implemented.")

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        raise NotImplementedError("inverse_log_det_jacobian not implemented.")

    def _forward_event_shape(self, input_shape: Any) -> Any:
        return input_shape

    def _forward_event_shape_tensor(self, input_shape: Any) -> Any:
        return input_shape

    def _inverse_event_shape(self, output_shape: Any) -> Any:
        return output_shape

    def _inverse_event_shape_tensor(self, output_shape: Any) -> Any:
        return output_shape

    # -- shapes

    def forward_event_shape(self, input_shape: Any) -> Any:
        """The shape of an event behind the function, as far as it is known."""
        return as_shape(self._forward_event_shape(as_shape(input_shape)))

    def inverse_event_shape(self, output_shape: Any) -> Any:
        """The shape of an event before the function, as far as it is known."""
        return as_shape(self._inverse_event_shape(as_shape(output_shape)))

    def forward_event_shape_tensor(self, input_shape: Any, name: str = "forward_event_shape_tensor") -> Any:
        """The shape of an event behind the function."""
        with scopes.name_scope(f"{self._name}/{name}", values=[input_shape]):
            return self._forward_event_shape_tensor(to_tensor(input_shape, dtypes.int32, "input_shape"))

    def inverse_event_shape_tensor(self, output_shape: Any, name: str = "inverse_event_shape_tensor") -> Any:
        """The shape of an event before the function."""
        with scopes.name_scope(f"{self._name}/{name}", values=[output_shape]):
            return self._inverse_event_shape_tensor(to_tensor(output_shape, dtypes.int32, "output_shape"))

    # -- values

    def forward(self, x: Any, name: str = "forward", **condition_kwargs: Any) -> Any:
        """y = g(x). What a function of conditions takes besides goes along."""
        return self._mapped(x, name, "x", self._forward, self._from_x, self._from_y, condition_kwargs)

    def inverse(self, y: Any, name: str = "inverse", **condition_kwargs: Any) -> Any:
        """x = g^-1(y); a tuple of all such x where there are several."""
        return self._mapped(y, name, "y", self._inverse, self._from_y, self._from_x, condition_kwargs)

    def _mapped(
        self,
        value: Any,
        name: str,
        kind: str,
        function: Callable[..., Any],
        known: dict[Any, Any],
        back: dict[Any, Any],
        conditions: dict[str, Any],
    ) -> Any:
        """`function(value)`, or what is known from before. A value of another graph, the body of a loop, does not count."""
        with scopes.name_scope(f"{self._name}/{name}", values=[value]):
            value = to_tensor(value, None, kind)
            if conditions or not self._is_injective or not isinstance(value, Tensor):
                return function(value, **conditions)
            found = known.get(value)
            if found is None or found.graph is not get_default_graph():
                found = known[value] = function(value)
                back[found] = value
            return found

    def forward_log_det_jacobian(
        self, x: Any, event_ndims: Any = None, name: str = "forward_log_det_jacobian", **condition_kwargs: Any
    ) -> Any:
        """log |det dy/dx| of events of `event_ndims` axes, by default the least number. ValueError for less than that."""
        least = self._forward_least
        count = _axes(event_ndims, least)
        with scopes.name_scope(f"{self._name}/{name}", values=[x]):
            x = to_tensor(x, None, "x")
            try:
                found = self._forward_log_det_jacobian(x, **condition_kwargs)
            except NotImplementedError:
                if not self._is_injective:
                    raise
                y = self.forward(x, **condition_kwargs)
                found = -self._inverse_log_det_jacobian(y, **condition_kwargs)
            return _summed(found, x, count, least)

    def inverse_log_det_jacobian(
        self, y: Any, event_ndims: Any = None, name: str = "inverse_log_det_jacobian", **condition_kwargs: Any
    ) -> Any:
        """log |det dx/dy| of events of `event_ndims` axes, by default the least number; a tuple where there are several x."""
        least = self._inverse_least
        count = _axes(event_ndims, least)
        with scopes.name_scope(f"{self._name}/{name}", values=[y]):
            y = to_tensor(y, None, "y")
            try:
                found = self._inverse_log_det_jacobian(y, **condition_kwargs)
            except NotImplementedError:
                x = self.inverse(y, **condition_kwargs)
                found = -self._forward_log_det_jacobian(x, **condition_kwargs)
            if not self._is_injective:
                return tuple(_summed(part, y, count, least) for part in found)
            return _summed(found, y, count, least)


class ConditionalBijector(Bijector):
    """A bijector whose functions take further arguments: `forward(x, **conditions)` hands them to `_forward`."""


def _axes(event_ndims: Any, least: int) -> int:
    """`event_ndims` as a number. Raises ValueError where it is not known while building, or less than `least`."""
    if event_ndims is None:
        return least
    known = event_ndims if isinstance(event_ndims, int) else infer.constant_value(to_tensor(event_ndims))
    if known is None:
        raise ValueError("event_ndims must be known while the graph is built")
    if int(known) != known or known < least:
        raise ValueError(f"event_ndims ({known}) must be an integer and at least the least number of axes ({least})")
    return int(known)


def _summed(found: Any, value: Any, count: int, least: int) -> Any:
    """The sum of log-determinants over the axes of an event that are more than the least ones."""
    more = count - least
    if not more:
        return found
    rank = value.get_shape().ndims
    if rank is None:
        raise ValueError("the rank of what a bijector maps must be known")
    parts = array.shape(value)[rank - count : rank - least]
    return math.reduce_sum(found * array.ones(parts, found.dtype), axis=list(range(-more, 0)))
