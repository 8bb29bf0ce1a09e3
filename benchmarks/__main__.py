"""`python -m benchmarks [NAME ...]`: thalweg and its peers, side by side, interleaved."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks import input_files, report
from benchmarks.catalogue import by_name
from benchmarks.measure import Record, measure, start_up, started
from benchmarks.workers import known_peers
from benchmarks.workloads import INPUT, MACHINE, WORKLOADS

DEFAULT = [w.name for w in WORKLOADS if w.name not in MACHINE] + ["start-up"]


def main() -> None:
    options = arguments()
    peers = known_peers(options.oracle, options.torch_python, options.onnx_python)
    workloads = by_name()
    if options.list:
        print("\n".join([*(f"{w.name:40} {w.title}" for w in workloads.values()), "start-up"]))
        print("\n".join(f"{p.name:40} {p.absent or ' '.join(p.command)}" for p in peers))
        return
    names = expand(options.names or DEFAULT, workloads)
    if options.peers:
        peers = [p for p in peers if p.name.lower().replace(" ", "-") in options.peers.lower().split(",")]
    elif not options.compiled:
        peers = [p for p in peers if p.name != "PyTorch compiled"]

    if INPUT.intersection(names):
        input_files.prepare()
    began = time.perf_counter()
    facts = report.surroundings()
    results: dict[str, list[Record]] = {}
    sections = ["# Benchmarks\n", ", ".join(f"{key} {value}" for key, value in facts.items()) + ".\n"]

    def tell(message: str) -> None:
        print(f"[{time.perf_counter() - began:5.0f} s] {message}", file=sys.stderr, flush=True)

    def add(section: str) -> None:
        sections.append(section)
        print("\n" + section, flush=True)

    def run(*names: str) -> list[Record]:
        """One set of processes for all of `names`; the records of the last."""
        # NumPy is there to measure the machine, not to take part
        who = [p for p in peers if p.name != "NumPy" or names[0] in MACHINE]
        with started(who, tell=tell) as workers:
            for name in names:
                results[name] = measure(workloads[name], workers, rounds=options.rounds, turn=options.turn, tell=tell)
        return results[names[-1]]

    machine = report.Machine()
    if any(workloads[n].flops for n in names if n in workloads):
        rates = [
            max((work / min(r.samples) for r in run(name) if r.samples), default=0.0)
            for name, work in (("matmul", workloads["matmul"].flops), ("copy", workloads["copy"].traffic))
        ]
        machine = report.Machine(*rates)
        flops, copied = machine.flops / 1e9, machine.copied / 1e9
        add(f"Measured here: {flops:.0f} GFLOP/s (matrix product), {copied:.1f} GB/s (copy).\n")
    for name in names:
        if name == "start-up":
            results[name] = start_up(
                workloads["softmax"], [p for p in peers if p.name != "NumPy"], rounds=options.rounds, tell=tell
            )
            add(report.start_up_report(results[name]))
        elif name not in MACHINE and not name.startswith("ops/"):
            add(report.workload_report(workloads[name], run(name), machine))
    single = [name for name in names if name.startswith("ops/")]
    if single:
        run(*single)
    add("### Summary\n\n" + report.summary(results) + "\n")
    report.write(options.out, "\n".join(sections), facts, results)
    print(f"Written to {options.out}/results.md and results.json.")


def expand(names: list[str], workloads: dict) -> list[str]:
    """`ops` stands for all single ops, `inference` for all frozen networks; an unknown name ends the program."""
    found: list[str] = []
    for name in names:
        found += [w for w in workloads if w.startswith(name + "/")] if name in ("ops", "inference") else [name]
    unknown = [n for n in found if n not in workloads and n != "start-up"]
    if unknown:
        sys.exit(f"no such workload: {', '.join(unknown)} (--list shows them)")
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        help=f"workloads; default: {' '.join(DEFAULT)}; `ops` for all single ops, `inference` for frozen networks",
    )
    parser.add_argument("--rounds", type=int, default=7, help="samples for each peer (default 7)")
    parser.add_argument("--turn", type=float, default=0.5, help="seconds of work for one sample (default 0.5)")
    parser.add_argument(
        "--peers", help="only these, by comma: thalweg,tensorflow-1.15,tensorflow-2.21,pytorch,jax,numpy"
    )
    parser.add_argument("--compiled", action="store_true", help="PyTorch by torch.compile too")
    parser.add_argument("--oracle", help="script that runs a program under TensorFlow (default: THALWEG_ORACLE)")
    parser.add_argument("--torch-python", help="an interpreter that has PyTorch")
    parser.add_argument("--onnx-python", help="an interpreter that has onnx with ONNX Runtime or OpenVINO")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="where the report goes")
    parser.add_argument("--list", action="store_true", help="show the workloads and the peers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
