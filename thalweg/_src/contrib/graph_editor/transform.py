"""Copies of a part of a graph, into the same or another graph, changed on the way."""

from __future__ import annotations

import copy as copying
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.graph_editor import reroute, select
from thalweg._src.contrib.graph_editor.lists import ControlOutputs, get_unique_graph
from thalweg._src.contrib.graph_editor.placeholders import make_placeholder_from_tensor, scope_finalize
from thalweg._src.contrib.graph_editor.subgraph import SubGraphView, make_view
from thalweg._src.core import raw_operations
from thalweg._src.core.funcgraph import FuncGraph
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.keys import GraphKeys


class _Work:
    """What handlers know while a Transformer copies: `graph` and `scope` of the source, `graph_` and `scope_` of the copy."""

    def __init__(self, transformer: Transformer, sgv: SubGraphView, dst_graph: Graph, dst_scope: str, src_scope: str):
        self.transformer, self.sgv, self.graph, self.graph_ = transformer, sgv, sgv.graph, dst_graph
        self.scope, self.scope_ = src_scope, dst_scope
        self.ops, self.sgv_inputs_set = frozenset(sgv.ops), frozenset(sgv.inputs)
        self.transformed_ops: dict[Operation, Operation] = {}
        self.transformed_ts: dict[Tensor, Tensor] = {}
        assert self.graph is not None
        self.collections = {name: self.graph.get_collection(name) for name in self.graph.collections}

    def new_name(self, name: str) -> str:
        """The name in the copy. Raises ValueError for one that is not below the scope of the source."""
        if not name.startswith(self.scope):
            raise ValueError(f"{name} does not belong to source scope: {self.scope}.")
        return self.scope_ + name[len(self.scope) :]


# -- handlers


def replace_t_with_placeholder_handler(info: Any, t: Tensor) -> Tensor:
    """A placeholder for `t` in the copy."""
    with info.graph_.as_default():
        return make_placeholder_from_tensor(t, scope=info.scope_)


def keep_t_if_possible_handler(info: Any, t: Tensor) -> Tensor:
    """`t` itself within one graph, a placeholder otherwise."""
    return t if info.graph is info.graph_ else replace_t_with_placeholder_handler(info, t)


def transform_op_if_inside_handler(info: Any, op: Operation, keep_if_possible: bool = True) -> Operation | None:
    """The copy of `op` where it was copied; else, within one graph and if asked, `op`; else None."""
    if op in info.ops:
        return info.transformed_ops[op]
    return op if keep_if_possible and info.graph is info.graph_ else None


def assign_renamed_collections_handler(info: Any, elem: Any, elem_: Any) -> None:
    """The copy goes into the collections of the original: GraphKeys by their names, others by their new ones."""
    known = {value for key, value in vars(GraphKeys).items() if not key.startswith("_")}
    for name, members in info.collections.items():
        if any(elem is member for member in members):
            info.graph_.add_to_collection(name if name in known else info.new_name(name), elem_)


def copy_op_handler(
    info: Any, op: Operation, new_inputs: Any, copy_shape: bool = False, nodedef_fn: Callable | None = None
) -> tuple[Operation, list[Tensor]]:
    """A copy of `op` with other inputs, and its outputs. `nodedef_fn` may change its NodeDef."""
    node_def = copying.deepcopy(op.node_def)
    node_def.name = info.graph_.unique_name(info.new_name(op.name))
    if nodedef_fn is not None:
        node_def = nodedef_fn(node_def)
    made = Operation(node_def, info.graph_, [])
    for name, value in op._attrs.items():  # bodies of loops and branches are shared
        if isinstance(value, FuncGraph) or (isinstance(value, list) and value and isinstance(value[0], FuncGraph)):
            made._attrs[name] = value
    for t in new_inputs:
        raw_operations.add_input(made, t)
    raw_operations.infer_shapes(made)
    if copy_shape:
        for t, t_ in zip(op.outputs, made.outputs, strict=True):
            t_.set_shape(t.get_shape())
    return made, made.outputs


# -- the transformer


class TransformerInfo:
    """What became what."""

    def __init__(self, info: Any):
        self._graph, self._graph_ = info.graph, info.graph_
        self._there: dict[Any, Any] = {**info.transformed_ops, **info.transformed_ts}
        self._back = {copy: original for original, copy in self._there.items()}

    def transformed(self, original: Any, missing_fn: Callable | None = None) -> Any:
        """The copy of an operation or tensor, or of each in a structure; what `missing_fn` says, or None, where there is none."""
        return transform_tree(original, lambda x: _looked_up(self._there, x, missing_fn))

    def original(self, transformed: Any, missing_fn: Callable | None = None) -> Any:
        """What `transformed` is a copy of."""
        return transform_tree(transformed, lambda x: _looked_up(self._back, x, missing_fn))

    def __str__(self) -> str:
        lines = [f"{original.name} -> {copy.name}" for original, copy in self._there.items()]
        return "\n".join(["Transformer result info:", *lines])


def _looked_up(known: dict[Any, Any], elem: Any, missing_fn: Callable | None) -> Any:
    if not isinstance(elem, Tensor | Operation):
        raise TypeError(f"Expected a tf.Tensor or tf.Operation, got a {type(elem)}")
    if elem in known:
        return known[elem]
    return None if missing_fn is None else missing_fn(elem)


def transform_tree(tree: Any, fn: Callable) -> Any:
    """`fn` of each leaf of nested lists, tuples, named tuples and dicts; types stay as they are."""
    if isinstance(tree, dict):
        return type(tree)((k, transform_tree(v, fn)) for k, v in tree.items())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(transform_tree(v, fn) for v in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(transform_tree(v, fn) for v in tree)
    return fn(tree)


class Transformer:
    """Copies a subgraph: `transformer(sgv, dst_graph, dst_scope)`. Its attributes are functions that can be replaced.

    `transform_op_handler(info, op, new_inputs)` gives (operation, outputs); `transform_external_input_handler(info, t)`
    and `transform_external_hidden_input_handler(info, t)` a tensor for an input of the view, and for what is taken from
    outside without being one.
    """

    def __init__(self) -> None:
        self.transform_op_handler: Callable = copy_op_handler
        self.assign_collections_handler: Callable = assign_renamed_collections_handler
        self.transform_external_input_handler: Callable = replace_t_with_placeholder_handler
        self.transform_external_hidden_input_handler: Callable = keep_t_if_possible_handler
        self.transform_control_input_handler: Callable = transform_op_if_inside_handler
        self.transform_original_op_handler: Callable = transform_op_if_inside_handler

    def __call__(
        self, sgv: Any, dst_graph: Graph, dst_scope: str, src_scope: str = "", reuse_dst_scope: bool = False
    ) -> tuple[SubGraphView, TransformerInfo]:
        """The view of the copy, and what became what. Raises TypeError for no graph, ValueError for operations outside `src_scope`."""
        sgv = make_view(sgv)
        if not isinstance(dst_graph, Graph):
            raise TypeError(f"Expected a tf.Graph, got: {type(dst_graph)}")
        src_scope, dst_scope = scope_finalize(src_scope), scope_finalize(dst_scope)
        if dst_scope and not reuse_dst_scope:
            dst_scope = scope_finalize(dst_graph.unique_name(dst_scope[:-1]))
        info = _Work(self, sgv, dst_graph, dst_scope, src_scope)
        self._copy(info)
        self._connect(info)
        return self._view(info), TransformerInfo(info)

    def _copy(self, info: _Work) -> None:
        for op in sorted(info.sgv.ops, key=lambda op: op._id):
            op_, outputs = self.transform_op_handler(info, op, [self._transformed(info, t) for t in op.inputs])
            if op_ is op:
                raise ValueError("In-place transformation not allowed.")
            info.transformed_ops[op] = op_
            self.assign_collections_handler(info, op, op_)
            for t, t_ in zip(op.outputs, outputs, strict=False):
                info.transformed_ts[t] = t_
                self.assign_collections_handler(info, t, t_)

    def _transformed(self, info: _Work, t: Tensor) -> Tensor:
        if t not in info.transformed_ts:
            inside = t in info.sgv_inputs_set
            handler = self.transform_external_input_handler if inside else self.transform_external_hidden_input_handler
            info.transformed_ts[t] = handler(info, t)
        return info.transformed_ts[t]

    def _connect(self, info: _Work) -> None:
        for op in info.sgv.ops:
            op_ = info.transformed_ops[op]
            original = op._original_op
            if original is not None:
                op_.original = self.transform_original_op_handler(info, original)  # type: ignore[attr-defined]
            found = [self.transform_control_input_handler(info, c) for c in op.control_inputs]
            reroute.add_control_inputs(op_, [c for c in found if c is not None])

    def _view(self, info: _Work) -> SubGraphView:
        view = SubGraphView([info.transformed_ops[op] for op in info.sgv.ops])

        def places(originals: list[Tensor], copies: list[Tensor]) -> list[Tensor]:
            made = [info.transformed_ts.get(t) for t in originals]
            return [t for t in made if t is not None and any(t is c for c in copies)]

        inputs = dict.fromkeys(places(info.sgv.inputs, view.inputs))
        return view.remap(list(inputs), places(info.sgv.outputs, view.outputs))


def copy(
    sgv: Any, dst_graph: Graph | None = None, dst_scope: str = "", src_scope: str = "", reuse_dst_scope: bool = False
) -> tuple[SubGraphView, TransformerInfo]:
    """A copy of a view, with placeholders for its inputs."""
    sgv = make_view(sgv)
    return Transformer()(sgv, sgv.graph if dst_graph is None else dst_graph, dst_scope, src_scope, reuse_dst_scope)


def copy_with_input_replacements(
    sgv: Any,
    replacement_ts: dict[Tensor, Tensor],
    dst_graph: Graph | None = None,
    dst_scope: str = "",
    src_scope: str = "",
    reuse_dst_scope: bool = False,
) -> tuple[SubGraphView, TransformerInfo]:
    """A copy of a view that takes `replacement_ts[t]` where the original takes `t`, and other inputs as they are."""
    sgv = make_view(sgv)
    by_id = {id(t): other for t, other in replacement_ts.items()}

    def replaced(info: Any, t: Tensor) -> Tensor:
        return by_id[id(t)] if id(t) in by_id else keep_t_if_possible_handler(info, t)

    copier = Transformer()
    copier.transform_external_input_handler = replaced
    return copier(sgv, sgv.graph if dst_graph is None else dst_graph, dst_scope, src_scope, reuse_dst_scope)


def graph_replace(
    target_ts: Any,
    replacement_ts: dict[Tensor, Tensor],
    dst_scope: str = "",
    src_scope: str = "",
    reuse_dst_scope: bool = False,
) -> Any:
    """The tensors of `target_ts`, a structure, as they would be with `replacement_ts[t]` in the place of `t`.

    Only what is between the two is copied. Raises ValueError where nothing is.
    """
    targets: list[Tensor] = []
    transform_tree(target_ts, targets.append)
    graph = get_unique_graph(targets, check_types=Tensor)
    assert graph is not None
    between = select.get_walks_intersection_ops(list(replacement_ts), targets, control_ios=ControlOutputs(graph))
    if not between:
        raise ValueError("Targets and replacements are not connected!")
    _, info = copy_with_input_replacements(between, replacement_ts, None, dst_scope, src_scope, reuse_dst_scope)
    return info.transformed(target_ts, missing_fn=lambda t: t)
