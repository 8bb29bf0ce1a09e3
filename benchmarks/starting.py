"""`python -m benchmarks.starting`: what a training graph of 5,000 nodes takes from the start of a program to the end of its first step.

The program is started twice with a cache of its own: the second start finds the compiled step there. Processor seconds; tracing, lowering
and compiling are those of the step alone, as JAX tells them (wall-clock seconds, which equal processor seconds on an idle machine for
what runs in one thread). `--cache xla` leaves only JAX's own cache, which is asked with what a step was lowered to.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

from benchmarks.report import table

PARTS = {
    "tracing": "/jax/core/compile/jaxpr_trace_duration",
    "lowering": "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "compiling": "/jax/core/compile/backend_compile_duration",
}


def started(blocks: int, batch: int) -> dict[str, float]:
    """Build the graph, initialize it and take a step; what each part took."""
    import numpy as np
    import thalweg as tf

    from benchmarks.peers.graph import towers

    found = {"import": time.process_time()}
    towers(tf, blocks)
    graph = tf.get_default_graph()
    found["nodes"] = len(graph.get_operations())
    found["building"] = time.process_time() - found["import"]
    x, labels = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
    session = tf.Session()
    start = time.process_time()
    session.run(tf.global_variables_initializer())
    found["initializing"] = time.process_time() - start

    import jax

    told = dict.fromkeys(PARTS, 0.0)
    events = {event: part for part, event in PARTS.items()}

    def listen(event: str, seconds: float, **_: object) -> None:
        if event in events:
            told[events[event]] = max(
                told[events[event]], seconds
            )  # the step is the largest; what is inside of it counts with it

    jax.monitoring.register_event_duration_secs_listener(listen)
    start = time.process_time()
    feeds = {x: np.zeros((batch, 28, 28, 64), np.float32), labels: np.eye(10, dtype=np.float32)[:batch]}
    session.run(graph.get_operation_by_name("Adam"), feeds)
    return {**found, "first step": time.process_time() - start, **told, "in all": time.process_time()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starting", description=__doc__)
    parser.add_argument("--blocks", type=int, default=11, help="Inception blocks, of some 460 nodes each (default 11)")
    parser.add_argument("--batch", type=int, default=4, help="images in a batch (default 4)")
    parser.add_argument("--cache", choices=["programs", "xla"], default="programs", help="what a start leaves behind")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(started(options.blocks, options.batch)))
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "THALWEG_CACHE": folder}
        environment["THALWEG_STORED_PROGRAMS"] = "on" if options.cache == "programs" else "off"
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # who starts twice has compiled sources
        call = [sys.executable, "-m", "benchmarks.starting", "--child"]
        call += ["--blocks", str(options.blocks), "--batch", str(options.batch)]
        subprocess.run(
            [sys.executable, "-m", "thalweg", "doctor"], env=environment, check=True, capture_output=True
        )  # kernels
        runs = [
            json.loads(
                subprocess.run(call, env=environment, check=True, capture_output=True, text=True).stdout.splitlines()[
                    -1
                ]
            )
            for _ in range(2)
        ]
    rows = [[part, f"{runs[0][part]:.2f}", f"{runs[1][part]:.2f}"] for part in runs[0] if part != "nodes"]
    print(f"A training graph of {runs[0]['nodes']:,} nodes, seconds:\n")
    print(table(["", "first start", "second start"], rows))


if __name__ == "__main__":
    main()
