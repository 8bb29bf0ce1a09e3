"""`python -m benchmarks.gpu [NAME ...]`: thalweg beside PyTorch compiled on this machine's GPU; a table to $OUT, or where `--out` says.

The share of the chip that a workload reaches is that of what large products, and passes over memory, reached in the same run.
`--small --platform cpu` shows on any machine that all runs; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks.gpu.workloads import everything
from benchmarks.measure import Record, measure, started
from benchmarks.report import US, milliseconds, table, versioned, workload_report
from benchmarks.report import Machine as Rates
from benchmarks.workers import Peer
from benchmarks.workloads import Workload


def shares(results: dict[str, list[Record]], workloads: dict[str, Workload]) -> str:
    """A row for each workload and peer: time, ratio, and the share of the chip's measured rates."""

    def best(name: str, work: float) -> float:
        return max((work / min(r.samples) for r in results.get(name, []) if r.samples), default=0.0)

    moved = best("bandwidth", workloads["bandwidth"].traffic)
    rows = []
    for name, records in results.items():
        w = workloads[name]
        reached = f"rate-{w.size.get('precision')}"
        most = best(reached, workloads[reached].flops) if reached in workloads else 0.0
        ours = next((r for r in records if r.peer == US and r.samples), None)
        for r in records:
            if not r.samples:
                rows.append([w.title, r.peer, "", "", "", r.absent[:80]])
                continue
            rows.append(
                [
                    w.title,
                    versioned(r),
                    milliseconds(r.median),
                    f"{ours.median / r.median:.2f}" if ours and r is not ours else "",
                    f"{w.flops / r.median / most:.0%}" if w.flops and most else "",
                    f"{w.traffic / r.median / moved:.0%}" if w.traffic and moved else "",
                ]
            )
    return table(["workload", "peer", "ms", "thalweg / peer", "of the matrix rate", "of the bandwidth"], rows)


def main() -> None:
    options = arguments()
    os.environ["JAX_PLATFORMS"] = options.platform
    workloads = everything(options.small)
    names = options.names or list(workloads)
    if unknown := [n for n in names if n not in workloads]:
        sys.exit(f"no such workload: {', '.join(unknown)}; there are {', '.join(workloads)}")
    more = (["--small"] if options.small else []) + (["--eager"] if options.eager else [])
    here = (sys.executable, "-u", "-m")
    peers = [
        Peer(US, (*here, "benchmarks.gpu.thalweg", *more)),
        Peer("PyTorch", (*here, "benchmarks.gpu.torch", "--device", options.platform, *more)),
    ]
    needed = dict.fromkeys([*(n for n in workloads if n.startswith(("rate", "bandwidth"))), *names])
    results: dict[str, list[Record]] = {}
    with started(peers, tell=tell) as workers:
        devices = {getattr(w, "facts", {}).get("device", "none") for w in workers.values()}
        for name in needed:
            results[name] = measure(workloads[name], workers, rounds=options.rounds, turn=options.turn, tell=tell)
            print(workload_report(workloads[name], results[name], Rates()), flush=True)
    text = f"# On {', '.join(sorted(devices))}\n\n{shares(results, workloads)}\n"
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gpu.md").write_text(text, encoding="utf-8")
    print(text)


def tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("names", nargs="*", help="workloads; all of them where none is named")
    parser.add_argument("--platform", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="sizes that only show that all runs")
    parser.add_argument("--eager", action="store_true", help="PyTorch without torch.compile")
    parser.add_argument("--rounds", type=int, default=5, help="samples for each peer (default 5)")
    parser.add_argument("--turn", type=float, default=1.0, help="seconds of work for one sample (default 1)")
    parser.add_argument(
        "--out", type=Path, default=Path(os.environ.get("OUT", ".")), help="folder for gpu.md (default $OUT)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
