"""`thalweg board`: the real TensorBoard, in a process of its own, without the import hook."""

import importlib.util
import subprocess
import sys
from pathlib import Path


def serve(logdir: Path, options: list[str]) -> int:
    """Run TensorBoard on `logdir` until it ends; its exit code. 2 when the folder or TensorBoard is not there."""
    if not logdir.is_dir():
        print(f"thalweg board: {logdir} is no folder", file=sys.stderr)
        return 2
    if importlib.util.find_spec("tensorboard") is None:
        print("thalweg board: TensorBoard is not installed: pip install 'thalweg[board]'", file=sys.stderr)
        return 2
    if not any(logdir.rglob("*tfevents*")):
        print(
            f"thalweg board: there is no event file in {logdir} yet; pages stay empty until one appears",
            file=sys.stderr,
        )
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), *options]
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return 130
