"""Every workload by its name, the single ops among them."""

from benchmarks import inference
from benchmarks.ops import cases
from benchmarks.workloads import WORKLOADS


def by_name():
    return {workload.name: workload for workload in WORKLOADS + inference.WORKLOADS + cases.WORKLOADS}
