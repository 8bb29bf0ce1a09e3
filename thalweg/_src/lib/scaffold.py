"""Scaffold: what a monitored session needs of a graph besides the training itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib import resources
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saver import get_saver_or_default
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.late import array
from thalweg._src.ops.stateful import variable_lists

_OPS = ("init_op", "ready_op", "ready_for_local_init_op", "local_init_op", "summary_op", "saver")


class Scaffold:
    """Initializers, readiness checks, summaries and saver. What is not given is taken from its collection, or made when
    the scaffold is finalized. `init_fn(scaffold, session)` runs after `init_op`.
    """

    def __init__(
        self,
        init_op: Any = None,
        init_feed_dict: Any = None,
        init_fn: Callable[[Any, Any], Any] | None = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        local_init_op: Any = None,
        summary_op: Any = None,
        saver: Any = None,
        copy_from_scaffold: Any = None,
    ):
        given = dict(
            zip(_OPS, (init_op, ready_op, ready_for_local_init_op, local_init_op, summary_op, saver), strict=True)
        )
        other = copy_from_scaffold
        if other is not None:
            if not isinstance(other, Scaffold):
                raise TypeError("copy_from_scaffold is not a Scaffold instance.")
            given = {name: getattr(other, name) if op is None else op for name, op in given.items()}
            init_feed_dict = other.init_feed_dict if init_feed_dict is None else init_feed_dict
            init_fn = other._user_init_fn if init_fn is None else init_fn
        self._given = given
        self._init_feed_dict, self._user_init_fn = init_feed_dict, init_fn
        self._init_fn = (lambda session: init_fn(self, session)) if init_fn else None

    def finalize(self) -> Scaffold:
        """Make what is missing, then make the graph read-only. Raises RuntimeError where a collection holds several."""
        for name, key, make in (
            ("init_op", GraphKeys.INIT_OP, _default_init_op),
            ("ready_op", GraphKeys.READY_OP, _default_ready_op),
            ("ready_for_local_init_op", GraphKeys.READY_FOR_LOCAL_INIT_OP, _default_ready_for_local_init_op),
            ("local_init_op", GraphKeys.LOCAL_INIT_OP, Scaffold.default_local_init_op),
            ("summary_op", GraphKeys.SUMMARY_OP, summary.merge_all),
        ):
            if self._given[name] is None:
                self._given[name] = Scaffold.get_or_default(name, key, make)
        if self._given["saver"] is None:
            self._given["saver"] = get_saver_or_default()
        self._given["saver"].build()
        get_default_graph().finalize()
        log.info("Graph was finalized.")
        return self

    @property
    def init_fn(self) -> Callable[[Any], Any] | None:
        return self._init_fn

    @property
    def init_op(self) -> Any:
        return self._given["init_op"]

    @property
    def ready_op(self) -> Any:
        return self._given["ready_op"]

    @property
    def ready_for_local_init_op(self) -> Any:
        return self._given["ready_for_local_init_op"]

    @property
    def local_init_op(self) -> Any:
        return self._given["local_init_op"]

    @property
    def summary_op(self) -> Any:
        return self._given["summary_op"]

    @property
    def saver(self) -> Any:
        return self._given["saver"]

    @property
    def init_feed_dict(self) -> Any:
        return self._init_feed_dict

    @staticmethod
    def get_or_default(arg_name: str, collection_key: str, default_constructor: Callable[[], Any]) -> Any:
        """The one item of a collection, made and added if there is none. Raises RuntimeError for several."""
        items = scopes.get_collection(collection_key)
        if len(items) > 1:
            raise RuntimeError(
                f'More than one item in the collection "{collection_key}". Please indicate which one to use by passing it '
                f"to the tf.Scaffold constructor as:  tf.Scaffold({arg_name}=item to use)"
            )
        if items:
            return items[0]
        op = default_constructor()
        if op is not None:
            scopes.add_to_collection(collection_key, op)
        return op

    @staticmethod
    def default_local_init_op() -> Operation:
        """Initializes local variables, tables and local resources."""
        return basic.group(
            variable_lists.local_variables_initializer(),
            tables_initializer(),
            resources.initialize_resources(resources.local_resources()),
        )


def tables_initializer() -> Operation:
    """An operation that fills all tables of the default graph."""
    return basic.group(*scopes.get_collection(GraphKeys.TABLE_INITIALIZERS), name="init_all_tables")


def _default_init_op() -> Operation:
    return basic.group(
        variable_lists.global_variables_initializer(), resources.initialize_resources(resources.shared_resources())
    )


def _default_ready_op() -> Tensor:
    missing = resources.report_uninitialized_resources()
    return array.concat([variable_lists.report_uninitialized_variables(), missing], 0)


def _default_ready_for_local_init_op() -> Tensor:
    names = variable_lists.report_uninitialized_variables(variable_lists.global_variables())
    return array.concat([names, resources.report_uninitialized_resources(resources.shared_resources())], 0)
