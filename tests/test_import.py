"""`import thalweg` costs little more than NumPy: modules are counted, since seconds depend on the machine."""

import json
import subprocess
import sys

import numpy as np
import pytest

PROGRAM = """
import json, sys
before = set(sys.modules)
import numpy, ml_dtypes
numpy_alone = set(sys.modules)
import thalweg
print(json.dumps([sorted(numpy_alone - before), sorted(set(sys.modules) - numpy_alone)]))
"""
HEAVY = [
    "jax",
    "jaxlib",
    "google.protobuf",
    "matplotlib",
    "PIL",
    "scipy",
    "sklearn",
    "rich",
    "typer",
    "grpc",
    "tensorboard",
]
MOST_THIRD_PARTY = 30  # modules beside NumPy's and ml_dtypes' own


@pytest.fixture(scope="module")
def imported():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)[1]


@pytest.mark.parametrize("package", HEAVY)
def test_import_is_light(imported, package):
    loaded = [m for m in imported if m == package or m.startswith(package + ".")]
    assert not loaded, f"import thalweg brings {package} in ({len(loaded)} modules): import it where it is first used"


def test_the_first_use_of_jax_leaves_numpy_s_generator_alone():
    """A program seeds NumPy, builds a graph, runs it, and draws its batches: they are those of the seed."""
    program = """
import numpy as np
np.random.seed(1)
import thalweg as tf
with tf.Session() as session:
    session.run(tf.constant(1.0) + 1.0)
print(np.random.uniform())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(ran.stdout) == np.random.RandomState(1).uniform()


def test_few_third_party_modules(imported):
    others = [m for m in imported if m.split(".")[0] not in sys.stdlib_module_names and m.split(".")[0] != "thalweg"]
    assert len(others) < MOST_THIRD_PARTY, f"import thalweg brings in {len(others)} modules of others: {others}"
