"""The graph of a branch, a loop body or a function. Tensors of the graphs around become its inputs when it uses them."""

import contextlib
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from thalweg._src.core.build import add_node
from thalweg._src.core.eager import EagerGraph
from thalweg._src.core.graph import Graph, Operation, Tensor, get_default_graph
from thalweg._src.core.opdef import OPS, op, type_attr

T = type_attr("T")
_MAX_COPIED = 128  # elements of an eager tensor that becomes a constant inside


class FuncGraph(Graph):
    """A graph inside another one: `inputs` (arguments first, then what it captured), `outputs`, and their counterparts outside."""

    def __init__(self, name: str, outer: Graph | None = None, *, exact: bool = False):
        super().__init__()
        outer = get_default_graph() if outer is None else outer
        self.name = name if exact else _function_name(outer, name)
        self.outer = outer
        self.arguments: list[Tensor] = []
        self.captures: dict[Tensor, Tensor] = {}
        self.begins: dict[Tensor, Tensor] = {}  # what loop variables begin with, and their arguments
        self.is_loop = False
        self.capture_name: str | None = None  # as TensorFlow names what brings a value in: Enter, Switch
        self.constants: dict[Tensor, Tensor] = {}
        self.outputs: list[Tensor] = []
        self._found_outside: list[Operation] = []
        # What operations here wait for outside: (those, the operations made in the block that said so; None for the whole graph).
        self.outer_waits: list[tuple[list[Operation], set[Operation] | None]] = []
        # Names are unique through all the graphs of a program; collections and what libraries keep are shared.
        self._names_in_use = outer._names_in_use
        self._collections = outer._collections
        self._functions = outer._functions
        self._seed = outer._seed
        here, there = self._stacks, outer._stacks
        here.name, here.devices, here.gradients = there.name, list(there.devices), dict(there.gradients)
        here.attrs = {k: v for k, v in there.attrs.items() if k != "_class"}

    @property
    def building_function(self) -> bool:
        return True

    @property
    def outermost(self) -> Graph:
        return self.outer.outermost

    @property
    def around_loops(self) -> Graph:
        found: Graph = self
        graph: Graph = self
        while isinstance(graph, FuncGraph) and graph.capture_name is not None:
            found, graph = graph.outer if graph.is_loop else found, graph.outer
        return found

    @property
    def inputs(self) -> list[Tensor]:
        return [*self.arguments, *self.captures.values()]

    def op_seed(self) -> int:
        """The seed of a random op that was given none. A branch's or a loop's graph is part of the one around it in
        TensorFlow: there the ops before it count too, so that no two draw the same numbers; here its name, which no other has.
        """
        return self.version if self.capture_name is None else zlib.crc32(self.name.encode()) + self.version

    def argument(self, dtype: Any, dims: Any, name: str) -> Tensor:
        """A new argument."""
        t = self._parameter(dtype, dims, name, len(self.arguments))
        self.arguments.append(t)
        return t

    def _parameter(self, dtype: Any, dims: Any, name: str, index: int) -> Tensor:
        with self.as_default(), self.control_dependencies(None):
            node = add_node(
                self, OPS["_Arg"], (), {"T": dtype.base_dtype, "index": index}, self._op_name(name), control_inputs=[]
            )
        t = node.outputs[0]
        t.dtype, t._dims = dtype, dims
        return t

    def _admit(self, tensor: Tensor) -> Tensor:
        if tensor.op.graph is self:
            return tensor
        found = self.captures.get(tensor)
        if found is None:
            found = self.constants.get(tensor)
        if found is not None:
            return found
        if type(tensor) is not Tensor:
            return self._admit_eager(tensor)
        if not self._is_around(tensor.op.graph):
            if getattr(tensor.op.graph, "is_loop", False):
                return super()._admit(tensor)
            raise ValueError(f"{tensor} must be from the same graph as {self.name!r}, or from one around it.")
        if tensor.op.graph is not self.outer:
            self.outer._admit(tensor)
        floats = tensor.dtype.is_floating or tensor.dtype.is_complex
        if tensor.op.opdef.constant and not floats and tensor.op._attrs["value"].size <= 1024:
            # Shapes, axes and the like are copied: inside, their values are known. What may be differentiated is captured.
            with self.as_default(), self.control_dependencies(None):
                source = tensor.op
                node = add_node(
                    self,
                    source.opdef,
                    (),
                    dict(source._attrs),
                    self._op_name(self.capture_name or source.name.split("/")[-1]),
                    control_inputs=[],
                )
            self.constants[tensor] = node.outputs[0]
            return node.outputs[0]
        name = self.capture_name or tensor.op.name.split("/")[-1]
        inner = self._parameter(tensor.dtype, tensor._dims, name, len(self.captures))
        self.captures[tensor] = inner
        return inner

    def outside(self, tensor: Tensor) -> Tensor | None:
        """The tensor that the argument `tensor` stands for, if it was captured."""
        return next((t for t, inner in self.captures.items() if inner is tensor), None)

    def _admit_eager(self, tensor: Any) -> Tensor:
        """A tensor of eager execution: small ones that no gradient flows to become constants, a variable stays the same variable."""
        if type(self.outer) is not EagerGraph:
            return self._admit(self.outer._admit(tensor))
        dtype = tensor.dtype
        copied: Any = None
        if tensor.op.opdef.source:
            copied = tensor.op.opdef, dict(tensor.op._attrs)
        elif not (dtype.is_floating or dtype.is_complex) and dtype._name not in ("resource", "variant"):
            value = tensor._numpy()
            if value.size <= _MAX_COPIED:
                copied = OPS["Const"], {"value": value, "dtype": dtype}
        if copied is None:
            inner = self._parameter(dtype, tensor._dims, "captured", len(self.captures))
            self.captures[tensor] = inner
            return inner
        with self.as_default(), self.control_dependencies(None):
            node = add_node(self, copied[0], (), copied[1], self._op_name("captured"), control_inputs=[])
        node.eager = tensor  # type: ignore[attr-defined]  # a variable lives as long as somebody holds its handle
        self.constants[tensor] = node.outputs[0]
        return node.outputs[0]

    def _is_around(self, graph: Graph) -> bool:
        outer: Any = self.outer
        while outer is not None:
            if outer is graph:
                return True
            outer = getattr(outer, "outer", None)
        return False

    def outer_values(self) -> list[Tensor]:
        """The captured tensors as the graph around knows them."""
        outer = self.outer
        return [t if t.op.graph is outer else outer._admit(t) for t in self.captures]

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        if not isinstance(obj, Tensor | Operation | str):
            convert = getattr(obj, "_as_graph_element", None)
            obj = convert() if callable(convert) else obj
        if isinstance(obj, Tensor | Operation) and obj.graph is not self and self._is_around(obj.graph):
            return obj
        return super().as_graph_element(obj, allow_tensor, allow_operation)

    @contextlib.contextmanager
    def _controlled(self, control_inputs: Any) -> Iterator[None]:
        with super()._controlled(control_inputs):
            if self._found_outside:
                self.outer_waits.append((self._found_outside, self._stacks.controls[-1].seen))
                self._found_outside = []
            yield

    @property
    def outer_controls(self) -> list[Operation]:
        """What must have run outside before the outputs can be computed."""
        if not self.outer_waits:
            return []
        needed: set[Operation] = set()
        stack = [t.op for t in self.outputs if t.op.graph is self]
        while stack:
            op = stack.pop()
            if op not in needed:
                needed.add(op)
                stack += [t.op for t in op._inputs]
                stack += op._control_inputs
        found = [o for ops, made in self.outer_waits if made is None or not needed.isdisjoint(made) for o in ops]
        return list(dict.fromkeys(found))

    def _control_ops(self, control_inputs: Any) -> list[Operation]:
        """What is inside is waited for inside; what is outside, the graph waits for."""
        inside = []
        self._found_outside = []
        for o in super()._control_ops(control_inputs):
            if o.graph is self:
                inside.append(o)
            else:
                self._found_outside.append(o)
        return inside

    def __repr__(self) -> str:
        return f"<FuncGraph {self.name}>"


def _function_name(outer: Graph, name: str) -> str:
    """A name for the library of a GraphDef, in which all functions of a program stand: 'cond_true_0'."""
    taken = outer.outermost._scratch.setdefault("function names", set())
    scope = outer.get_name_scope()
    base = re.sub(r"\W", "_", f"{scope}_{name}" if scope else name)
    n = 0
    while f"{base}_{n}" in taken or f"{base}_{n}" in outer._functions:
        n += 1
    taken.add(f"{base}_{n}")
    return f"{base}_{n}"


@op("_Arg", foldable=False, stateful=True)
def _arg(*, T: T, index: int) -> T:
    """An argument of a function graph."""
    raise AssertionError("arguments are given")


_arg.shape_rule(lambda node: [None])
_arg.not_differentiable()


@contextlib.contextmanager
def building(graph: FuncGraph) -> Iterator[FuncGraph]:
    """Make `graph` the default one, with no control dependencies of the graphs around."""
    with graph.as_default():
        yield graph


def order_captures(graphs: Sequence[FuncGraph]) -> list[Tensor]:
    """Give all `graphs` the same captures in the same order; returns the captured tensors, as the graph around knows them."""
    union: dict[Tensor, None] = {}
    for g in graphs:
        union.update(dict.fromkeys(g.captures))
    for g in graphs:
        for t in union:
            if t not in g.captures:
                g.captures[t] = g._parameter(
                    t.dtype, t._dims, g.capture_name or t.op.name.split("/")[-1], len(g.captures)
                )
        g.captures = {t: g.captures[t] for t in union}
    return graphs[0].outer_values() if graphs else []
