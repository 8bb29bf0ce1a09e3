"""The cases as PyTorch calls."""

import numpy as np

from benchmarks.ops.cases import WORKLOADS
from benchmarks.workloads import array


def programs(torch, compiled=False):
    """name -> function of a workload that returns its step."""

    def build(workload):
        case, random = workload.size["case"], np.random.RandomState(7)
        inputs = [torch.from_numpy(array(random, *i)) for i in case.inputs]
        by = [x.requires_grad_() for x in inputs if case.gradient and x.is_floating_point()]
        call = torch.compile(case.eager) if compiled else case.eager
        if not case.gradient:

            @torch.no_grad()
            def step():
                return call(torch, *inputs).numel()

            return step
        g = torch.from_numpy(array(random, call(torch, *inputs).shape, "normal"))
        return lambda: len(torch.autograd.grad(call(torch, *inputs), by, g, allow_unused=True))

    return {workload.name: build for workload in WORKLOADS}
