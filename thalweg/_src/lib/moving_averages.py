"""Moving averages of variables and tensors: what a model's weights were, on the whole, lately."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.optimizers import slot_creator
from thalweg._src.ops import basic
from thalweg._src.ops.late import math
from thalweg._src.ops.stateful import variable_lists, variable_scope
from thalweg._src.ops.stateful.assigning import assign, assign_sub
from thalweg._src.ops.stateful.variables import Variable

_FLOATS = (dtypes.bfloat16, dtypes.float16, dtypes.float32, dtypes.float64)


class ExponentialMovingAverage:
    """Averages that fade: average = decay average + (1 - decay) variable, once for each run of what `apply` gives.

    With `num_updates` (the global step, say), decay = min(decay, (1 + num_updates) / (10 + num_updates)), so that the
    averages move faster at the start. `zero_debias` corrects averages of tensors for having started at zero.

    >>> w = tf.Variable(1.0, name="w")
    >>> ema = tf.train.ExponentialMovingAverage(decay=0.9)
    >>> update = ema.apply([w])
    >>> ema.average_name(w)
    'w/ExponentialMovingAverage'
    """

    def __init__(
        self, decay: Any, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage"
    ):
        self._decay, self._num_updates, self._zero_debias, self._name = decay, num_updates, zero_debias, name
        self._averages: dict[Any, Variable] = {}

    @property
    def name(self) -> str:
        """The name that the averages add to that of their variable."""
        return self._name

    def apply(self, var_list: Any = None) -> Operation:
        """An operation that updates the averages of `var_list` (all trainable variables, unless given).

        The average of a variable starts as its initial value, that of a tensor as zero. Raises TypeError for what
        is not of floats.
        """
        if var_list is None:
            var_list = variable_lists.trainable_variables()
        debiased = set()
        for var in var_list:
            if var.dtype.base_dtype not in _FLOATS:
                raise TypeError(f"The variables must be half, float, or double: {var.name}")
            if var in self._averages:
                continue
            with scopes.init_scope():
                self._averages[var] = self._average_of(var)
            if self._zero_debias and not isinstance(var, Variable):
                debiased.add(var)
        with scopes.name_scope(self._name) as scope:
            decay = to_tensor(self._decay, None, "decay")
            if self._num_updates is not None:
                n = math.cast(self._num_updates, dtypes.float32, name="num_updates")
                decay = math.minimum(decay, (1.0 + n) / (10.0 + n))
            updates = [
                assign_moving_average(self._averages[var], var, decay, zero_debias=var in debiased) for var in var_list
            ]
            return basic.group(*updates, name=scope)

    def _average_of(self, var: Any) -> Variable:
        if isinstance(var, Variable):
            average = slot_creator.create_slot(var, var.initialized_value(), self._name)
            get_default_graph().add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, var)
            return average
        return slot_creator.create_zeros_slot(var, self._name, colocate_with_primary=var.op.opdef.source)

    def average(self, var: Any) -> Variable | None:
        """The variable that holds the average of `var`, or None if `apply` has not seen it."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """The name of the average of `var`, whether it is there already or not: what a checkpoint calls it."""
        if var in self._averages:
            return self._averages[var].op.name
        return get_default_graph().unique_name(f"{var.op.name}/{self._name}", mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables: Any = None) -> dict[str, Variable]:
        """{name in the checkpoint: variable}, for a Saver that loads averages into the variables themselves.

        Variables without an average are under their own names.
        """
        if moving_avg_variables is None:
            moving_avg_variables = variable_lists.trainable_variables() + variable_lists.moving_average_variables()
        averaged = list(dict.fromkeys(moving_avg_variables))
        found = {self.average_name(v): v for v in averaged}
        names = {v.name for v in averaged}
        for v in dict.fromkeys(variable_lists.global_variables()):
            if v.name not in names:
                found.setdefault(v.op.name, v)
        return found


def assign_moving_average(
    variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None
) -> Any:
    """variable = decay variable + (1 - decay) value; with `zero_debias`, the average of all values so far is
    corrected for the zero that it started from (Kingma and Ba 2014, section 3).
    """
    with scopes.name_scope(name, "AssignMovingAvg", [variable, value, decay]) as scope:
        rest = to_tensor(1.0 - decay, None, "decay")
        if rest.dtype != variable.dtype.base_dtype:
            rest = math.cast(rest, variable.dtype.base_dtype)
        if zero_debias:
            return _zero_debias(variable, value, rest)
        with get_default_graph().colocate_with(variable.op):
            return assign_sub(variable, (variable - value) * rest, name=scope)


def _zero_debias(unbiased: Any, value: Any, rest: Tensor) -> Any:
    from thalweg._src.ops.stateful.initializers import zeros_initializer

    with variable_scope.variable_scope(unbiased.op.name, values=[unbiased, value, rest]):
        graph = get_default_graph()
        with graph.colocate_with(unbiased.op):
            biased = variable_scope.get_variable(
                _free_name("biased"),
                initializer=zeros_initializer(),
                shape=unbiased.get_shape(),
                dtype=unbiased.dtype.base_dtype,
                trainable=False,
            )
            steps = variable_scope.get_variable(
                _free_name("local_step"),
                shape=[],
                dtype=unbiased.dtype.base_dtype,
                initializer=zeros_initializer(),
                trainable=False,
            )
    with graph.colocate_with(unbiased.op):
        moved = assign_sub(biased, (biased - value) * rest)
        step = steps.assign_add(1)
        factor = 1 - math.pow(1.0 - rest, step)
        return assign(unbiased, moved / factor, name=graph.get_name_scope() + "/")


def _free_name(name: str) -> str:
    """`name`, or name_1, name_2 ..., whichever the variable scope does not have; `name` where the scope shares."""
    scope = variable_scope.get_variable_scope()
    if scope.reuse:
        return name
    taken = {v.op.name for v in scope.global_variables()}
    full, i = f"{scope.name}/{name}", 0
    while (full if i == 0 else f"{full}_{i}") in taken:
        i += 1
    return name if i == 0 else f"{name}_{i}"


def weighted_moving_average(
    value: Any, decay: Any, weight: Any, truediv: bool = True, collections: Any = None, name: str | None = None
) -> Tensor:
    """The moving average of value weight, over that of weight."""
    from thalweg._src.ops.stateful.initializers import zeros_initializer

    if collections is None:
        collections = [GraphKeys.GLOBAL_VARIABLES]
    with variable_scope.variable_scope(name, "WeightedMovingAvg", [value, weight, decay]) as scope:
        sums = [
            variable_scope.get_variable(
                own,
                shape=of.get_shape(),
                dtype=of.dtype,
                initializer=zeros_initializer(),
                trainable=False,
                collections=collections,
            )
            for own, of in (("value_x_weight", value), ("weight", weight))
        ]
        top = assign_moving_average(sums[0], value * weight, decay, zero_debias=False)
        bottom = assign_moving_average(sums[1], weight, decay, zero_debias=False)
        return (math.truediv if truediv else math.div)(top, bottom, name=scope.name)
