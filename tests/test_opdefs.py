"""Every op that thalweg declares is the op that TensorFlow 1.15 registers of that name: arguments, attrs, flags."""

import gzip
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from oracle.opdef_facts import facts

import thalweg as tf
from thalweg._src.core import graphdef
from thalweg._src.core.opdef import OPS

REGISTRY = json.loads(gzip.decompress((Path(__file__).parent / "golden" / "opdefs.json.gz").read_bytes()))
PUBLIC = sorted(name for name in OPS if not name.startswith("_"))
assert tf


def same_attr(ours, theirs):
    """Whether an attr means the same: kind, bounds, and a default where TensorFlow has one."""
    (kind, a), (other, b) = ((side[1], dict(side[2]) if len(side) > 2 else {}) for side in (ours, theirs))
    allowed = [set(facts.pop("allowed", [])) for facts in (a, b)]  # TensorFlow lists some types twice
    return kind == other and a == b and allowed[0] == allowed[1]


@pytest.mark.parametrize("name", PUBLIC)
def test_declared_as_in_tensorflow(name):
    if name not in REGISTRY:
        pytest.fail("TensorFlow 1.15 has no op of this name: nothing there could read our graphs")
    ours, theirs = facts(graphdef.op_def(OPS[name])), REGISTRY[name]
    wrong = []
    if ours["in"] != theirs["in"]:
        wrong.append(f"inputs {ours['in']}, there {theirs['in']}")
    if ours["out"] != theirs["out"]:
        wrong.append(f"outputs {ours['out']}, there {theirs['out']}")
    mine, registered = ({a[0]: a for a in side["attr"]} for side in (ours, theirs))
    for attr in sorted(mine.keys() | registered.keys()):
        if attr not in mine or attr not in registered or not same_attr(mine[attr], registered[attr]):
            wrong.append(f"attr {attr}: {mine.get(attr)}, there {registered.get(attr)}")
    if ("s" in ours.get("flags", "")) != ("s" in theirs.get("flags", "")):
        wrong.append(f"stateful: {'s' in ours.get('flags', '')}, there {'s' in theirs.get('flags', '')}")
    assert not wrong, "\n".join(wrong)
