"""A wheel carries the kernels: installed where no compiler stands, they are used."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from thalweg._src.kernels import building

ROOT = Path(__file__).parents[2]
LEVEL = "portable"
pytestmark = pytest.mark.timeout(900)  # most of it is the compiler

PROGRAM = """
import numpy as np, thalweg as tf
from thalweg._src.kernels import library
w = tf.ones([3, 3, 8, 16])
with tf.Session() as sess:
    print(sess.run(tf.reduce_sum(tf.nn.conv2d(tf.random_uniform([1, 32, 32, 8], 1, 1 + 1e-7), w, [1, 1, 1, 1], "VALID"))))
print(tf.__file__, library.library().reason, library.available(), sep="\\n")
"""


def built(folder):
    """A wheel with the kernels of one level, built as `pip wheel` does."""
    if building.compiler() is None:
        pytest.skip("no C++ compiler")
    hasty = folder / "c++"
    hasty.write_text(f'#!/bin/sh\nexec {building.compiler()} "$@" -O0\n')  # a third of the time to compile
    hasty.chmod(0o755)
    here = [] if importlib.util.find_spec("hatchling") is None else ["--no-build-isolation"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--retries", "0", *here]
    variables = os.environ | {"THALWEG_KERNELS": LEVEL, "CXX": str(hasty)}
    ran = subprocess.run([*pip, "-w", str(folder), str(ROOT)], env=variables, capture_output=True, text=True)
    if ran.returncode and ("No matching distribution" in ran.stderr or "No module named pip" in ran.stderr):
        pytest.skip("neither hatchling nor a package index to take it from")
    assert ran.returncode == 0, ran.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_a_wheel_carries_a_library_that_is_used_where_no_compiler_stands(tmp_path):
    wheel = built(tmp_path)
    assert not wheel.name.endswith("any.whl")
    assert not building.CARRIED.exists()  # the tree stays as it was
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    with zipfile.ZipFile(wheel) as z:  # to unpack is to install, where there are no scripts
        z.extractall(own)
    (made,) = (own / "thalweg" / "_src" / "kernels" / "made").iterdir()
    assert made.name.endswith(f"-{LEVEL}.so")
    site = Path(np.__file__).parents[1]  # the dependencies, from where this Python has them
    variables = {k: v for k, v in os.environ.items() if k not in ("CXX", "PYTHONPATH")}
    variables |= {"PATH": "/nowhere", "THALWEG_CACHE": str(tmp_path / "cache"), "THALWEG_KERNELS": LEVEL}
    code = f"import sys; sys.path.append({str(site)!r})\n" + PROGRAM
    ran = subprocess.run([python, "-c", code], env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=250)
    assert ran.returncode == 0, ran.stderr
    total, file, reason, available = ran.stdout.split("\n")[:4]
    assert float(total) == pytest.approx(30 * 30 * 16 * 72, rel=1e-5)
    assert file.startswith(str(venv))
    assert (reason, available) == ("came with the package", "True")


def test_a_library_of_a_newer_interface_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "CARRIED", tmp_path)
    assert building.carried(LEVEL, (0, 3)) is None
    for version in [(0, 4), (1, 0), (0, 1)]:
        (tmp_path / building.carried_name(LEVEL, version)).touch()
    assert building.carried(LEVEL, (0, 3)) == tmp_path / building.carried_name(LEVEL, (0, 1))
    assert building.carried(LEVEL, (0, 4)) == tmp_path / building.carried_name(LEVEL, (0, 4))
    assert building.carried(LEVEL, (2, 0)) is None
    assert building.interface(str(tmp_path)) == (-1, -1)
    assert building.carried(LEVEL, (-1, -1)) is None
