"""Public programs, step by step, beside TensorFlow 1.15: the same numbers from the same seeds, and what a step costs.

    python -m benchmarks.programs --runner PROGRAMS/run.py --clones DIR --base DIR --tensorflow 'oracle 1.15' ay_logreg charrnn ...

The runner extracts the programs, makes their data and runs them (its README says how). Each runs under TensorFlow, then under
thalweg, with tests/oracle/follow_program.py around it, for `--steps` training steps. A step's cost is processor time inside of
`Session.run`, in the median of the second half, so that other work on the machine counts little and compilation not at all.
`--golden FILE` keeps TensorFlow's first 20 steps for tests/test_equal_numbers.py.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLLOW = ROOT / "tests" / "oracle" / "follow_program.py"


def largest_difference(expected: list[Any], got: list[Any]) -> float:
    """The largest relative difference between two traces of (step, scalars); infinite where they have not the same form."""
    if not expected or [(step, len(x)) for step, x in expected] != [(step, len(x)) for step, x in got]:
        return float("inf")
    pairs = [(x, y) for (_, xs), (_, ys) in zip(expected, got, strict=True) for x, y in zip(xs, ys, strict=True)]
    return max(abs(x - y) / max(abs(x), 1e-6) for x, y in pairs)


def milliseconds(steps: list[list[float]]) -> float:
    """The processor time of a step: the median of the second half."""
    return 1e3 * statistics.median(processor for _, processor in steps[len(steps) // 2 :])


def followed(program: str, command: str, base: Path, settings: argparse.Namespace) -> dict[str, Any] | None:
    """{"trace", "steps"} of a program run by `command`; None where it made no training step."""
    base.mkdir(parents=True, exist_ok=True)
    out, shell = base / f"{program}.json", base / "follow"
    out.unlink(missing_ok=True)
    lines = [
        "#!/bin/sh",
        f"export FOLLOW_OUT={out} FOLLOW_STEPS={settings.steps} FOLLOW_SEEDS={settings.seeds} PYTHONHASHSEED=0",
        f'exec {command} {FOLLOW} "$@"',
    ]
    shell.write_text("\n".join(lines) + "\n")
    shell.chmod(0o755)
    call = [sys.executable, settings.runner, "--clones", settings.clones, "--base", base, "--with", shell]
    subprocess.run(
        [*map(str, call), "--timeout", str(settings.timeout), program], check=False, stdout=subprocess.DEVNULL
    )
    return json.loads(out.read_text()) if out.exists() else None


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="public programs beside TensorFlow 1.15")
    parser.add_argument("programs", nargs="+")
    for name in ("runner", "clones", "base", "tensorflow"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--timeout", type=int, default=150)
    parser.add_argument("--seeds", default="numbered", choices=["numbered", "counted"])
    parser.add_argument("--golden", type=Path)
    settings = parser.parse_args(arguments)
    thalweg = f"env PYTHONPATH={ROOT}{os.pathsep}$PYTHONPATH {sys.executable} -m thalweg run"
    golden = json.loads(settings.golden.read_text()) if settings.golden and settings.golden.exists() else {}
    ratios = []
    print("| program | largest difference | ms, TensorFlow | ms, thalweg | ratio |\n|---|---:|---:|---:|---:|")
    for program in settings.programs:
        theirs = followed(program, settings.tensorflow, Path(settings.base) / "tensorflow", settings)
        ours = followed(program, thalweg, Path(settings.base) / "thalweg", settings)
        if theirs is None or ours is None:
            print(f"| {program} | no steps under {'TensorFlow' if theirs is None else 'thalweg'} | | | |", flush=True)
            continue
        costs = [milliseconds(found["steps"]) for found in (theirs, ours)]
        ratios.append(costs[1] / costs[0])
        difference = largest_difference(theirs["trace"], ours["trace"])
        print(f"| {program} | {difference:.1e} | {costs[0]:.2f} | {costs[1]:.2f} | {ratios[-1]:.2f} |", flush=True)
        golden[program] = theirs["trace"]
    if ratios:
        print(f"\nmedian ratio: {statistics.median(ratios):.2f}")
    if settings.golden:
        settings.golden.write_text(json.dumps(golden, sort_keys=True).replace(']]], "', ']]],\n"') + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
