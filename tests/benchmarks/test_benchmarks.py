"""The benchmark's own machinery, with peers that sleep; no time measured here decides over a test."""

import json
import sys

import numpy as np
import pytest

from benchmarks import report, workloads
from benchmarks.catalogue import by_name
from benchmarks.measure import Record, measure, started, turns
from benchmarks.workers import ROOT, Peer, PeerFailed, Worker

SLEEPER = """
import sys, time
from benchmarks.catalogue import by_name
from benchmarks.protocol import serve

def program(workload):
    def step(*arrays):
        time.sleep({seconds})
        return float(len(arrays))
    return step

def broken(workload):
    raise RuntimeError("no such kernel")

print("a library that talks")
serve({{"peer": "sleeper", "version": "1", "imported": 0.0}}, {{"softmax": program, "mlp": {mlp}}}, by_name())
"""


def sleeper(name: str, seconds: float, mlp: str = "program") -> Peer:
    return Peer(name, (sys.executable, "-u", "-c", SLEEPER.format(seconds=seconds, mlp=mlp)))


def quiet(message: str) -> None:
    pass


@pytest.fixture
def results():
    peers = [sleeper("thalweg", 0.001), sleeper("slow", 0.004), Peer("gone", absent="not on this machine")]
    with started(peers, tell=quiet) as workers:
        return measure(by_name()["softmax"], workers, rounds=3, turn=0.01, tell=quiet)


def test_every_peer_has_a_sample_of_each_round(results):
    ours, slow, gone = results
    assert [len(r.samples) for r in results] == [3, 3, 0]
    assert ours.value == slow.value == 2.0  # both were fed images and labels
    assert gone.absent == "not on this machine"
    assert ours.median >= 0.001
    assert slow.median >= 0.004
    assert ours.memory > 0


def test_report_names_peers_floors_and_who_was_left_out(results):
    text = report.workload_report(by_name()["softmax"], results, report.Machine(flops=1e11, copied=1e10))
    lines = text.splitlines()
    assert lines[0].startswith("### softmax: softmax regression 784-10, batch 100, Adam")
    assert any(line.startswith("| slow 1") for line in lines)
    assert "Left out: gone (not on this machine)." in lines
    # 2 * 100 * 784 * 10 for the product and as much again for the gradient of the weights
    assert "0.0314 ms for 3.1 MFLOP" in text


def test_results_are_written_as_json_and_markdown(results, tmp_path):
    report.write(tmp_path / "out", "# Benchmarks\n", report.surroundings(), {"softmax": results})
    saved = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [r["peer"] for r in saved["results"]["softmax"]] == ["thalweg", "slow", "gone"]
    assert (tmp_path / "out" / "results.md").read_text() == "# Benchmarks\n"


def test_a_peer_that_fails_is_left_out_and_the_others_go_on():
    peers = [sleeper("thalweg", 0.001), sleeper("broken", 0.001, mlp="broken")]
    with started(peers, tell=quiet) as workers:
        ours, broken = measure(by_name()["mlp"], workers, rounds=2, turn=0.005, tell=quiet)
    assert len(ours.samples) == 2
    assert broken.absent == "RuntimeError: no such kernel"
    assert broken.samples == []


def test_a_worker_that_dies_says_why():
    with pytest.raises(PeerFailed, match="ended with code 1: ModuleNotFoundError: No module named 'no_such_library'"):
        Worker(Peer("dead", (sys.executable, "-c", "import no_such_library")))


def test_ratio_is_taken_round_by_round():
    # the second round was slow for everybody: the ratio doesn't notice
    ours, other = Record("thalweg", samples=[1.0, 10.0, 1.0]), Record("other", samples=[2.0, 20.0, 2.0])
    assert other.ratio(ours) == (2.0, 2.0, 2.0)


def test_everyone_gets_to_be_first():
    assert [turns(["a", "b", "c"], n)[0] for n in range(4)] == ["a", "b", "c", "a"]


def test_all_peers_are_fed_the_same():
    for workload in workloads.WORKLOADS:
        if workload.name in workloads.MACHINE:
            continue
        first, again = workloads.batches(workload, 2), workloads.batches(workload, 2)
        for one, two in zip(first, again, strict=True):
            for a, b in zip(one, two, strict=True):
                np.testing.assert_array_equal(a, b)


def test_flops_of_the_digits_network():
    batch = 64
    first = 28 * 28 * 25 * 32
    second = 14 * 14 * 25 * 32 * 64
    dense = 3136 * 1024 + 1024 * 10
    assert by_name()["digits"].flops == 2 * batch * (2 * first + 3 * second + 3 * dense)


def test_modules_of_the_oracles_parse_under_python_3_7():
    import ast

    names = ["protocol", "workloads", "catalogue", "peers/graph", "peers/tensorflow", "ops/cases", "ops/graph"]
    for name in names:
        ast.parse((ROOT / "benchmarks" / f"{name}.py").read_text(), feature_version=(3, 7))


def test_sizes_for_a_gpu_are_those_of_the_networks():
    from benchmarks.gpu.workloads import everything, network
    from benchmarks.inference import NETWORKS

    known = {name: (side, flops) for name, _, side, flops in NETWORKS}
    for name in ("resnet-50", "inception-v3", "vgg-16"):
        side, flops = known[name]
        once = network(name, 2, side, "tf32", False)
        assert 0.9 < once.flops / (2 * flops) < 1.1
        assert network(name, 2, side, "bfloat16", True).flops == 3 * once.flops
        assert network(name, 2, side, "bfloat16", False).traffic == once.traffic / 2
    assert everything(True).keys() == everything(False).keys()
