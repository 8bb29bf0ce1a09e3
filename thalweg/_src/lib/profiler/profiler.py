"""`tf.profiler.profile` and `Profiler`: what the parts of a graph cost."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Graph, get_default_graph
from thalweg._src.lib.profiler import views
from thalweg._src.lib.profiler.counting import costs
from thalweg._src.lib.profiler.options import ProfileOptionBuilder
from thalweg._src.lib.timeline import Timeline

TRAINABLE_VARS_PARAMS_STAT_OPTIONS = ProfileOptionBuilder.trainable_variables_parameter()
FLOAT_OPS_OPTIONS = ProfileOptionBuilder.float_operation()
PRINT_ALL_TIMING_MEMORY = ProfileOptionBuilder.time_and_memory()


def profile(
    graph: Any = None, run_meta: Any = None, op_log: Any = None, cmd: str = "scope", options: Any = None
) -> Any:
    """What the parts of `graph` cost, printed and returned: a GraphNodeProto of name scopes, or a MultiGraphNodeProto of types.

    `cmd` is "scope" or "op". Times and memory come from `run_meta`, the RunMetadata of a traced run. Raises ValueError for a `cmd`
    that is none, UnimplementedError for the views "graph" and "code" and for pprof's files.

    >>> w = tf.get_variable("w", [3, 4])
    >>> options = tf.profiler.ProfileOptionBuilder(tf.profiler.ProfileOptionBuilder.trainable_variables_parameter())
    >>> tf.profiler.profile(options=options.with_empty_output().build()).total_parameters
    12
    """
    if graph is None and not executing_eagerly():
        graph = get_default_graph()
    return _profile(graph, [run_meta] if run_meta is not None else [], op_log, cmd, options)


def _profile(graph: Graph, runs: list[Any], op_log: Any, cmd: str, options: Any) -> Any:
    chosen = ProfileOptionBuilder().build() | (options or PRINT_ALL_TIMING_MEMORY)
    found = costs(graph, runs, op_log)
    if cmd == "scope":
        root = views.by_scope(found, chosen)
        _write(list(views.scope_lines(root, chosen)), chosen, runs)
        return views.scope_message(root)
    if cmd == "op":
        rows = views.by_type(found, {op.name: op.type for op in graph.get_operations()}, chosen)
        _write(list(views.type_lines(rows, chosen)), chosen, runs)
        return views.type_message(rows)
    if cmd in ("graph", "code"):
        raise errors.UnimplementedError(
            None, None, f"thalweg has no view {cmd!r} of profiles: cmd='scope' or cmd='op'."
        )
    raise ValueError(f"unknown cmd: {cmd}")


def _write(lines: list[str], options: dict[str, Any], runs: list[Any]) -> None:
    kind, _, told = options["output"].partition(":")
    path = told.partition("outfile=")[2]
    text = "\n".join(lines) + "\n"
    if kind == "stdout":
        sys.stdout.write(f"\n==================Model Analysis Report======================\n{text}")
        sys.stdout.write("\n======================End of Report==========================\n")
    elif kind == "file":
        Path(path).write_text(text)
    elif kind == "timeline":
        if not runs:
            raise ValueError("A timeline is of a traced run: give run_meta.")
        Path(path).write_text(Timeline(runs[-1].step_stats).generate_chrome_trace_format(show_memory=True))
    elif kind != "none":
        raise errors.UnimplementedError(None, None, f"thalweg writes no profiles for {kind}.")


class Profiler:
    """Profiles of several steps of one graph: `add_step` takes the RunMetadata of each."""

    def __init__(self, graph: Any = None, op_log: Any = None):
        self._graph = get_default_graph() if graph is None else graph
        self._log, self._runs = op_log, {}  # type: ignore[var-annotated]

    def add_step(self, step: int, run_meta: Any) -> None:
        """Add what a step cost."""
        self._runs[step] = run_meta

    def _chosen(self, cmd: str, options: Any) -> Any:
        step = options.get("step", -1)
        runs = list(self._runs.values()) if step < 0 else [self._runs[step]]
        return _profile(self._graph, runs, self._log, cmd, options)

    def profile_name_scope(self, options: Any) -> Any:
        """The costs by name scopes."""
        return self._chosen("scope", options)

    def profile_operations(self, options: Any) -> Any:
        """The costs by types of operations."""
        return self._chosen("op", options)

    def profile_graph(self, options: Any) -> Any:
        """Raises UnimplementedError: there is no view of paths through the graph."""
        return self._chosen("graph", options)

    def profile_python(self, options: Any) -> Any:
        """Raises UnimplementedError: there is no view by lines of the program."""
        return self._chosen("code", options)


def print_model_analysis(
    graph: Any, run_meta: Any = None, op_log: Any = None, tfprof_cmd: str = "scope", tfprof_options: Any = None
) -> Any:
    """`profile`, by its name in tf.contrib.tfprof."""
    return profile(graph, run_meta, op_log, tfprof_cmd, tfprof_options)


def write_op_log(graph: Any, log_dir: Any, op_log: Any = None, run_meta: Any = None, add_trace: bool = True) -> None:
    """Write what is known of each operation (types, float operations) as an OpLogProto into `log_dir`/tfprof_log."""
    from thalweg._src.formats import protos

    log = protos.OpLogProto()
    for cost in costs(graph, [run_meta] if run_meta is not None else [], op_log).values():
        kinds = sorted(t for t in cost.types if t.startswith("_"))
        if kinds or cost.own["float_ops"]:
            log.log_entries.add(name=cost.name, float_ops=cost.own["float_ops"], types=kinds)
    os.makedirs(os.fspath(log_dir), exist_ok=True)
    Path(log_dir, "tfprof_log").write_bytes(log.SerializeToString())
