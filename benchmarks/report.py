"""What was measured, as text, markdown and JSON."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import platform
import subprocess
from pathlib import Path

from benchmarks.measure import Record, quartiles
from benchmarks.workers import ROOT
from benchmarks.workloads import Workload

US = "thalweg"


@dataclasses.dataclass(frozen=True)
class Machine:
    """Rates that this machine reached in this very run: the best of whoever multiplied matrices, and of copying."""

    flops: float = 0.0  # a second
    copied: float = 0.0  # bytes a second, reading and writing counted

    def floors(self, workload: Workload) -> list[str]:
        """The least time that a step can take, by arithmetic and by memory."""
        lines = []
        if workload.flops and self.flops:
            seconds = workload.flops / self.flops
            lines.append(f"{milliseconds(seconds)} ms for {workload.flops / 1e6:,.1f} MFLOP")
        if workload.traffic and self.copied:
            seconds = workload.traffic / self.copied
            lines.append(f"{milliseconds(seconds)} ms for {workload.traffic / 1e6:,.2f} MB")
        return lines


def milliseconds(seconds: float) -> str:
    """Three significant figures."""
    ms = seconds * 1e3
    return f"{ms:,.0f}" if ms >= 100 else f"{ms:.3g}" if ms >= 0.001 else f"{ms:.1g}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A markdown table that also reads well as plain text: first column left, the others right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells: list[str]) -> str:
        first, *others = (
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join([first, *others]) + " |"

    rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]
    return "\n".join([line(header), line(rule), *map(line, rows)])


def workload_report(workload: Workload, records: list[Record], machine: Machine) -> str:
    """One workload: a row for each peer, the floors, and who was absent."""
    present = [r for r in records if r.samples]
    ours = next((r for r in present if r.peer == US), None)
    best = min((r for r in present if r.peer != US), key=lambda r: r.median, default=None)
    rows = []
    for r in present:
        low, high = quartiles(r.samples)
        rows.append(
            [
                versioned(r),
                milliseconds(r.median),
                f"{milliseconds(low)}-{milliseconds(high)}",
                ratio(r, ours),
                ratio(r, best),
                milliseconds(r.work),
                f"{workload.flops / r.median / 1e9:.1f}" if workload.flops else "",
                f"{r.memory:,.0f}",
                f"{r.above:,.0f}",
                f"{r.first:.2f}",
            ]
        )
    header = [
        "peer",
        f"ms a {workload.unit}",
        "quartiles",
        "of thalweg's",
        "of the best peer's",
        "processor ms",
        "GFLOP/s",
        "peak MB",
        "above start",
        "first, s",
    ]
    lines = [f"### {workload.name}: {workload.title}", "", table(header, rows), ""]
    floors = machine.floors(workload)
    if floors:
        lines.append("Floor: " + "; ".join(floors) + ".")
    if workload.unit == "graph":
        lines.append("Nodes: " + ", ".join(f"{r.peer} {r.value:,.0f}" for r in present) + ".")
    lines += [f"Left out: {r.peer} ({r.absent})." for r in records if r.absent]
    return "\n".join(lines) + "\n"


def versioned(record: Record) -> str:
    name, _, last = record.peer.rpartition(" ")  # 'TensorFlow 1.15' is 'TensorFlow 1.15.5' in full
    return f"{name} {record.version}" if name and record.version.startswith(last) else f"{record.peer} {record.version}"


def ratio(record: Record, other: Record | None, times: str = "samples") -> str:
    """Median of the rounds' ratios, with the quartiles behind it."""
    if other is None:
        return ""
    if other is record:
        return "1"
    middle, low, high = record.ratio(other, times)
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def summary(results: dict[str, list[Record]], *, unit: str = "milliseconds") -> str:
    """All workloads: a column for each peer, and thalweg's time as a multiple of the best peer's; last the same of processor time."""
    peers = list(dict.fromkeys(r.peer for records in results.values() for r in records if r.samples))
    rows = []
    for name, records in results.items():
        by_peer = {r.peer: r for r in records if r.samples}
        others = [r for r in by_peer.values() if r.peer != US]
        worked = [r for r in others if r.worked]
        last = busy = ""
        if US in by_peer and others:
            last = ratio(by_peer[US], min(others, key=lambda r: r.median))
        if US in by_peer and worked:
            busy = ratio(by_peer[US], min(worked, key=lambda r: r.work), "worked")
        rows.append([name, *(milliseconds(by_peer[p].median) if p in by_peer else "" for p in peers), last, busy])
    return table([unit, *peers, "thalweg / best peer", "processor time"], rows)


def start_up_report(records: list[Record]) -> str:
    rows = [[versioned(r), f"{r.imported:.2f}", f"{r.first:.2f}", f"{r.median:.2f}"] for r in records if r.samples]
    header = ["peer", "import, s", "build and first step, s", "program start to end of first step, s"]
    return "### start-up: softmax regression, a new process each time\n\n" + table(header, rows) + "\n"


def surroundings() -> dict[str, object]:
    """Where and when: what a reader must know before comparing figures."""
    model = platform.processor()
    try:
        with open("/proc/cpuinfo") as info:
            model = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "when": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": model,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "commit": commit,
    }


def write(folder: Path, text: str, facts: dict[str, object], results: dict[str, list[Record]]) -> None:
    """results.md and results.json in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(text)
    records = {name: [dataclasses.asdict(r) for r in group] for name, group in results.items()}
    (folder / "results.json").write_text(json.dumps({**facts, "results": records}, indent=1))
