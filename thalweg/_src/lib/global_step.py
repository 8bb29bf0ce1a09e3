"""The global step: the variable that counts the steps of training."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Graph, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops.stateful import variable_scope
from thalweg._src.ops.stateful.variable_modes import VariableAggregation
from thalweg._src.ops.stateful.variables import Variable

READ_KEY = "global_step_read_op_cache"


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The value of the global step in `sess`."""
    return int(global_step_tensor) if executing_eagerly() else int(sess.run(global_step_tensor))


def number_of_step(sess: Any, step: Any) -> int:
    """A step that is given as a number or as a tensor."""
    return int(step) if isinstance(step, int | np.integer) else global_step(sess, step)


def get_global_step(graph: Graph | None = None) -> Any:
    """The global step of `graph`: what the collection of that name holds, or the tensor 'global_step:0'; None
    without.
    """
    graph = graph or get_default_graph()
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if len(found) > 1:
        log.error("Multiple tensors in global_step collection.")
        return None
    if found:
        step = found[0]
    else:
        try:
            step = graph.get_tensor_by_name("global_step:0")
        except KeyError:
            return None
    assert_global_step(step)
    return step


def create_global_step(graph: Graph | None = None) -> Variable:
    """A new global step, int64 and zero. Raises ValueError if there is one."""
    from thalweg._src.ops.stateful.initializers import zeros_initializer

    graph = graph or get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    with graph.as_default(), graph.name_scope(None):
        return variable_scope.get_variable(
            GraphKeys.GLOBAL_STEP,
            shape=[],
            dtype=dtypes.int64,
            initializer=zeros_initializer(),
            trainable=False,
            aggregation=VariableAggregation.ONLY_FIRST_REPLICA,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


def get_or_create_global_step(graph: Graph | None = None) -> Any:
    """The global step of `graph`, made if it has none."""
    graph = graph or get_default_graph()
    step = get_global_step(graph)
    return create_global_step(graph) if step is None else step


def assert_global_step(global_step_tensor: Any) -> None:
    """Raise TypeError unless the argument is a variable or tensor, of integers, and a scalar."""
    if not isinstance(global_step_tensor, Variable | Tensor):
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {global_step_tensor}.')
    if not global_step_tensor.dtype.base_dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {global_step_tensor.dtype}')
    shape = global_step_tensor.get_shape()
    if shape.ndims != 0 and shape.is_fully_defined():
        raise TypeError(f'Existing "global_step" is not scalar: {shape}')


def _get_global_step_read(graph: Graph | None = None) -> Any:
    found = (graph or get_default_graph()).get_collection(READ_KEY)
    if len(found) > 1:
        raise RuntimeError(f"There are multiple items in collection {READ_KEY}. There should be only one.")
    return found[0] if found else None


def _get_or_create_global_step_read(graph: Graph | None = None) -> Any:
    """A tensor that reads the global step before anything of the same run can change it; None without a global step."""
    graph = graph or get_default_graph()
    read = _get_global_step_read(graph)
    step = get_global_step(graph)
    if read is not None or step is None:
        return read
    with graph.as_default(), graph.name_scope(None), graph.name_scope(step.op.name + "/"):
        value = step.initialized_value() if isinstance(step, Variable) else step
        read = value + 0
        graph.add_to_collection(READ_KEY, read)
    return read


def _increment_global_step(increment: int, graph: Graph | None = None) -> Any:
    from thalweg._src.ops.stateful.assigning import assign_add

    graph = graph or get_default_graph()
    step = get_global_step(graph)
    if step is None:
        raise ValueError(
            "Global step tensor should be created by tf.train.get_or_create_global_step before calling increment."
        )
    read = _get_or_create_global_step_read(graph)
    with graph.as_default(), graph.name_scope(None), graph.name_scope(step.op.name + "/"):
        with graph.control_dependencies([read]):
            return assign_add(step, increment)
