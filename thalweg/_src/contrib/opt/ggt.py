"""GGT: adaptive regularization with a full matrix, of the last gradients' products (Agarwal et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import array, math
from thalweg._src.ops.linear import linalg
from thalweg._src.ops.stateful.assigning import assign, assign_add, assign_sub
from thalweg._src.ops.updates import updating


class GGTOptimizer(Optimizer):
    """Moves all variables as one vector, divided by the root of G G^T, where G holds the last `window` averaged gradients."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        use_locking: bool = False,
        name: str = "GGT",
        window: int = 10,
        eps: float = 1e-4,
        svd_eps: float = 1e-6,
        sigma_eps: float = 1e-2,
    ):
        super().__init__(use_locking, name)
        self._lr, self._beta1, self._window = learning_rate, beta1, window
        self._eps, self._svd_eps, self._sigma_eps = eps, svd_eps, sigma_eps
        self._places: dict[str, tuple[int, int]] = {}
        self._variables: list[Any] = []
        self._scalars_t: list[Any] = []

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        by_name = sorted(var_list, key=lambda v: v.name)
        self._places, end = {}, 0
        for v in by_name:
            size = v.get_shape().num_elements()
            self._places[v.name] = (end, end + size)
            end += size
        dtype, first = by_name[0].dtype.base_dtype, by_name[0]
        self._create_non_slot_variable(constants.zeros([], dtype), "global_step", first)
        self._create_non_slot_variable(constants.zeros([self._window, end], dtype), "grad_buffer", first)
        self._create_non_slot_variable(constants.zeros([end], dtype), "moment1", first)
        self._create_non_slot_variable(constants.zeros([end], dtype), "flat_grad", first)

    def _own(self, name: str) -> Any:
        return self._get_non_slot_variable(name, get_default_graph().outermost)

    def _get_moment1(self) -> Any:
        return self._own("moment1")

    def _get_grad_buffer(self) -> Any:
        return self._own("grad_buffer")

    def _get_flat_grad(self) -> Any:
        return self._own("flat_grad")

    def _prepare(self) -> None:
        self._variables = []
        parameters = {
            "lr": self._lr,
            "beta1": self._beta1,
            "eps": self._eps,
            "svd_eps": self._svd_eps,
            "sigma_eps": self._sigma_eps,
        }
        self._scalars_t = [self._number(value, name) for name, value in parameters.items()]

    def _dense(self, grad: Tensor, var: Any) -> Any:
        self._variables.append(var)
        start, end = self._places[var.name]
        return updating.scatter_update(self._get_flat_grad(), math.range(start, end), array.reshape(grad, [-1]))

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        raise NotImplementedError("Sparse gradient updates are not supported.")

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        graph = get_default_graph()
        lr, beta1, eps, svd_eps, sigma_eps = self._scalars(self._variables[0], *self._scalars_t)
        dtype = self._variables[0].dtype.base_dtype
        with graph.control_dependencies(update_ops):
            moment, buffer, count = self._get_moment1(), self._get_grad_buffer(), self._own("global_step")
            step = assign_add(count, constants.ones([], dtype))
            mean = assign(moment, beta1 * moment + (1.0 - beta1) * self._get_flat_grad().read_value())
            row = math.floormod(math.cast(step - 1.0, dtypes.int32), self._window)
            rows = updating.scatter_update(buffer, row, mean)
            with graph.control_dependencies([rows]):
                last = buffer.read_value()
        seen = math.sqrt(math.minimum(math.cast(step, dtype), math.cast(self._window, dtype)))
        direction = array.expand_dims(mean, -1)
        g = array.transpose(math.divide(last, seen))
        damping = linalg.eye(self._window, dtype=dtype) * svd_eps
        sigma, u, _ = linalg.svd(math.matmul(g, g, transpose_a=True) + damping)
        root = math.sqrt(sigma)
        smallest = math.reduce_min(root)
        inner = math.matmul(u, math.matmul(g, direction, transpose_a=True), transpose_a=True)

        def spanned(weights: Any) -> Any:
            return math.matmul(g, math.matmul(u, math.matmul(array.diag(weights), inner)))

        head = spanned(1.0 / math.pow(root + sigma_eps, 3))
        tail = (direction - spanned(1.0 / sigma)) / smallest
        vector = cond(smallest > eps, lambda: head + tail, lambda: basic.identity(head))
        writes = []
        for var in self._variables:
            start, end = self._places[var.name]
            writes.append(assign_sub(var, lr * array.reshape(vector[start:end], var.get_shape())))
        return basic.group(*writes, name=name_scope)
