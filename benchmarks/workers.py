"""The peers, and the processes that stand for them while a benchmark runs."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class PeerFailed(Exception):
    """A peer said no, or died; the message is what it said."""


@dataclass(frozen=True)
class Peer:
    """Who takes part: a name, the command that starts its worker, or the reason why it is absent."""

    name: str
    command: tuple[str, ...] = ()
    absent: str = ""


def known_peers(
    oracle: str | None = None, torch_python: str | None = None, onnx_python: str | None = None
) -> list[Peer]:
    """All peers, thalweg first.

    `oracle` is a script that runs a program under a TensorFlow, `torch_python` an interpreter that has PyTorch, `onnx_python` one that
    has onnx, onnxruntime and openvino, or some of them.
    """
    here = (sys.executable,)
    torch = (torch_python,) if torch_python else here if importlib.util.find_spec("torch") else python_with("torch")
    oracle = oracle or os.environ.get("THALWEG_ORACLE") or str(ROOT.parent / "shared" / "tools" / "oracle")
    peers = [Peer("thalweg", worker(here, "thalweg"))]
    for version in ("1.15", "2.21"):
        name = f"TensorFlow {version}"
        if Path(oracle).exists():
            peers.append(Peer(name, worker((oracle, version), "tensorflow")))
        else:
            peers.append(Peer(name, absent="no oracle: name one by --oracle or THALWEG_ORACLE"))
    if torch:
        peers += [
            Peer("PyTorch", worker(torch, "torch")),
            Peer("PyTorch compiled", worker(torch, "torch", "--compiled")),
        ]
    else:
        peers.append(Peer("PyTorch", absent="not importable here: name an interpreter by --torch-python"))
    for name, module in (("ONNX Runtime", "onnxruntime"), ("OpenVINO", "openvino")):
        found = interpreter_with(module, onnx_python)
        here_too = worker(found, module) if found else ()
        peers.append(Peer(name, here_too, "" if found else "not importable here: name an interpreter by --onnx-python"))
    return [*peers, Peer("JAX", worker(here, "jax")), Peer("NumPy", worker(here, "numpy"))]


def worker(interpreter: tuple[str, ...], module: str, *arguments: str) -> tuple[str, ...]:
    return (*interpreter, "-u", "-m", f"benchmarks.peers.{module}", *arguments)


def interpreter_with(module: str, named: str | None) -> tuple[str, ...]:
    """The interpreter that is `named`, this one, or the path's: the first that has the module, or nothing."""
    for python in (named, sys.executable):
        look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
        if python and not subprocess.run([python, "-c", look], check=False).returncode:
            return (python,)
    return python_with(module)


def python_with(module: str) -> tuple[str, ...]:
    """The `python3` of the path if it has the module (outside the virtual environment that runs this), or nothing."""
    path = [p for p in os.environ.get("PATH", "").split(os.pathsep) if not p.startswith(sys.prefix)]
    python = shutil.which("python3", path=os.pathsep.join(path))
    if not python:
        return ()
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return () if subprocess.run([python, "-c", look], check=False).returncode else (python,)


class Worker:
    """A peer's process. `ask` sends one command and returns the reply's fields."""

    def __init__(self, peer: Peer, *, limit: float = 900.0):
        if peer.absent:
            raise PeerFailed(peer.absent)
        self.peer, self.limit = peer, limit
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            peer.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            cwd=ROOT,
        )
        try:
            self.facts = self._reply()
        except PeerFailed:
            self.close()
            raise

    def ask(self, command: str) -> dict:
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise PeerFailed(self._last_words()) from None
        return self._reply()

    def close(self) -> None:
        """End the process: by the end of its input, or else by force."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._stderr.close()

    def _reply(self) -> dict:
        overdue = threading.Timer(self.limit, self._process.kill)
        overdue.start()
        try:
            line = self._process.stdout.readline()
            while line and line[0] != "{":  # printed by a library while it was imported
                line = self._process.stdout.readline()
        finally:
            overdue.cancel()
        if not line:
            raise PeerFailed(self._last_words())
        reply = json.loads(line)
        if "error" in reply:
            raise PeerFailed(reply["error"])
        return reply

    def _last_words(self) -> str:
        code = self._process.wait()
        self._stderr.seek(0)
        lines = [line.strip() for line in self._stderr.read().splitlines() if line.strip()]
        return f"its process ended with code {code}: " + (lines[-1] if lines else "no message")
