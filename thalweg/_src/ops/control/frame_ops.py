"""The ops of TensorFlow's control-flow frames: branches as Switch and Merge, loops as Enter, Merge, Switch, NextIteration and Exit.

`tf.cond` and `tf.while_loop` make If and While here; these come with graphs that TensorFlow wrote. Before a graph runs, the
compiler turns them into If and While (compiler/functionalize.py), so none of them has a lowering of its own.
"""

from typing import NoReturn

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.apply import Replan, check
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import float32, int32, resource, string
from thalweg._src.core.infer import same_shape
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.opdef import Known, Many, Outputs, Ref, op, type_attr
from thalweg._src.core.structured import Notes, Nothing

T = type_attr("T")


def _never() -> NoReturn:
    raise errors.UnimplementedError(None, None, "An op of a control-flow frame stands outside of any")


def _twice(node):
    return [node.inputs[0].dims] * 2


def _merged(node):
    """The shape of what comes out of a Merge. Of a loop it is not known: what comes round may have another one."""
    first = node.inputs[0].dims
    if any(t.op.opdef.back_edge or t.op.opdef.frame == "enter" for t in node.inputs):
        return [None, ()]
    for t in node.inputs[1:]:
        if first is None or t.dims is None or len(first) != len(t.dims):
            return [None, ()]
        first = tuple(a if a == b else None for a, b in zip(first, t.dims, strict=True))
    return [first, ()]


@op("Switch", frame="switch", foldable=False, takes_none=True)
def switch(data: T, pred: bool_) -> Outputs(output_false=T, output_true=T):
    """`data` at the output that `pred` says; what hangs on the other output does not run."""
    _never()


@op("RefSwitch", frame="switch", foldable=False, takes_none=True)
def ref_switch(data: Ref(T, init=False), pred: bool_) -> Outputs(output_false=Ref(T), output_true=Ref(T)):
    """The reference `data` at the output that `pred` says."""
    _never()


@op("Merge", frame="merge", foldable=False)
def merge(inputs: Many(T, "N", 1)) -> Outputs(output=T, value_index=int32):
    """That of the inputs which there is, and its place among them."""
    _never()


@op("RefMerge", frame="merge", foldable=False)
def ref_merge(inputs: Many(Ref(T), "N", 1)) -> Outputs(output=Ref(T), value_index=int32):
    """That of the inputs which there is, and its place among them."""
    _never()


@op("Enter", frame="enter", foldable=False)
def enter(data: T, *, frame_name: str, is_constant: bool = False, parallel_iterations: int = 10) -> T:
    """`data` in the frame `frame_name`: in every turn with `is_constant`, else in the first."""
    _never()


@op("RefEnter", frame="enter", foldable=False)
def ref_enter(data: Ref(T), *, frame_name: str, is_constant: bool = False, parallel_iterations: int = 10) -> Outputs(
    output=Ref(T)
):
    """The reference `data` in the frame `frame_name`."""
    _never()


@op("Exit", frame="exit", foldable=False)
def exit_op(data: T) -> T:
    """`data` in the frame around."""
    _never()


@op("RefExit", frame="exit", foldable=False)
def ref_exit(data: Ref(T)) -> Outputs(output=Ref(T)):
    """The reference `data` in the frame around."""
    _never()


@op("NextIteration", frame="next", back_edge=True, foldable=False)
def next_iteration(data: T) -> T:
    """`data` in the next turn."""
    _never()


@op("RefNextIteration", frame="next", back_edge=True, foldable=False)
def ref_next_iteration(data: Ref(T)) -> Outputs(output=Ref(T)):
    """The reference `data` in the next turn."""
    _never()


@op("LoopCond", frame="cond", foldable=False)
def loop_cond(input: bool_) -> bool_:
    """Whether the loop goes on."""
    _never()


@op("_Nothing", foldable=False, structured=True, takes_nothing=True)
def nothing(*, T: T) -> T:
    """What a branch gives in the place of a value that only the other one has."""
    return Nothing()


nothing.shape_rule(lambda node: [None])


@op("_Either", foldable=False, structured=True, takes_nothing=True)
def either(condition: bool_, t: T, e: T) -> T:
    """`t` if the condition holds, else `e`: one of both may be nothing, where its branch did not run."""
    if not isinstance(condition, jax.core.Tracer):
        return t if condition else e
    return e if isinstance(t, Nothing) else t if isinstance(e, Nothing) else jnp.where(condition, t, e)


either.shape_rule(lambda node: [None])


@op("_Alive", foldable=False, structured=True, takes_nothing=True)
def alive(value: T, pred: bool_, *, side: bool) -> T:
    """A value that is fetched from a branch. Raises InvalidArgumentError where the other branch ran."""
    check(pred == side, "Retval[0] does not have value")
    return value


alive.shape_rule(same_shape)


@op("_Note", foldable=False, structured=True)
def note(flow: float32, value: Known(T), *, run) -> Outputs(flow_out=float32):
    """Keeps a value that is known while tracing: a shape that the gradient of a loop will need."""
    before = flow if isinstance(flow, Notes) else Notes()
    if isinstance(value, jax.core.Tracer):
        raise Replan(None, "a shape that changes from turn to turn")
    value = np.asarray(value)
    return Notes(for_all=value) if run.traced else Notes((*before.values, value))


@op("_Noted", foldable=False, structured=True, shape_only=True)
def noted(flow: float32, height: int32, *, T: T) -> T:
    """A value that was kept."""
    if not isinstance(flow, Notes):
        return np.zeros((), T.numpy_dtype)  # of a loop that made no turn
    if flow.for_all is not None:
        return flow.for_all
    return flow.values[int(height)]


note.shape_rule(lambda node: [()])
noted.shape_rule(lambda node: [None])


@op("ControlTrigger", frame="trigger")
def control_trigger():
    """Nothing; what waits for it runs whether or not its inputs did."""


for _passing in (enter, ref_enter, exit_op, ref_exit, next_iteration, ref_next_iteration):
    _passing.shape_rule(same_shape)
switch.shape_rule(_twice)
ref_switch.shape_rule(_twice)
merge.shape_rule(_merged)
ref_merge.shape_rule(_merged)
loop_cond.shape_rule(lambda node: [()])


@switch.grad
@ref_switch.grad
def _switched(op, *grads):
    """The gradient of the output that there was."""
    from thalweg._src.ops.late import array

    data, pred = op.inputs
    sides = [array.zeros_like(data) if g is None else to_tensor(g) for g in grads]
    return merge([switch(g, pred)[i] for i, g in enumerate(sides)])[0], None


@merge.grad
@ref_merge.grad
def _chosen(op, g, _):
    """The gradient for the input that there was, zeros for the others."""
    from thalweg._src.ops.late import array, math

    if any(t.op.opdef.back_edge or t.op.opdef.frame == "enter" for t in op.inputs):
        raise errors.UnimplementedError(None, op, "There is no gradient of a loop that is made of frames")
    nothing = array.zeros_like(g)
    return [
        array.where(array.fill(array.shape(g), math.equal(op.outputs[1], i)), g, nothing) for i in range(len(op.inputs))
    ]


# -- the stacks on which TensorFlow's loops keep what their gradients need


@op("StackV2", frame="stack", stateful=True, foldable=False)
def stack_resource(max_size: int32, *, elem_type: type_attr("elem_type"), stack_name: str = "") -> Outputs(
    handle=resource
):
    """A stack of tensors."""
    _never()


@op("Stack", frame="stack", stateful=True, foldable=False, device_strings=True)
def stack_reference(*, elem_type: type_attr("elem_type"), stack_name: str = "") -> Outputs(handle=Ref(string)):
    """A stack of tensors."""
    _never()


@op("StackPushV2", frame="push", stateful=True, foldable=False)
def push_resource(handle: resource, elem: T, *, swap_memory: bool = False) -> T:
    """Puts `elem` on the stack, and gives it."""
    _never()


@op("StackPush", frame="push", foldable=False, device_strings=True)
def push_reference(handle: Ref(string), elem: T, *, swap_memory: bool = False) -> T:
    """Puts `elem` on the stack, and gives it."""
    _never()


@op("StackPopV2", frame="pop", stateful=True, foldable=False)
def pop_resource(handle: resource, *, elem_type: type_attr("elem_type")) -> Outputs(elem=type_attr("elem_type")):
    """What was put on the stack last."""
    _never()


@op("StackPop", frame="pop", foldable=False, device_strings=True)
def pop_reference(handle: Ref(string), *, elem_type: type_attr("elem_type")) -> Outputs(elem=type_attr("elem_type")):
    """What was put on the stack last."""
    _never()


@op("StackCloseV2", frame="close", stateful=True, foldable=False)
def close_resource(handle: resource):
    """Gives up the stack; here it ends by itself when nothing needs it."""


@op("StackClose", frame="close", foldable=False, device_strings=True)
def close_reference(handle: Ref(string)):
    """Gives up the stack; here it ends by itself when nothing needs it."""


stack_resource.shape_rule(lambda node: [()])
stack_reference.shape_rule(lambda node: [(2,)])
for _push in (push_resource, push_reference):
    _push.shape_rule(lambda node: [node.inputs[1].dims])
for _pop in (pop_resource, pop_reference):
    _pop.shape_rule(lambda node: [None])
