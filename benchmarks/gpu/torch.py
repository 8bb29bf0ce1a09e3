"""PyTorch's worker on a GPU, compiled as a whole. `--small` for the small sizes, `--device cpu` to show that all runs, `--eager`."""

import sys

from benchmarks.gpu.workloads import everything
from benchmarks.peers import torch as eager
from benchmarks.peers.networks import NETWORKS
from benchmarks.peers.networks_torch import Tensors
from benchmarks.protocol import serve, timed_import


class Placed(Tensors):
    """Constants on a device; parameters and statistics of the batch where it is trained."""

    def __init__(self, torch, device, *, trained):
        super().__init__(torch)
        self.device, self.trained = device, trained

    def constant(self, make):
        return super().constant(lambda: make().to(self.device).requires_grad_(self.trained))

    def normalized(self, x, relu=True):
        if not self.trained:
            return super().normalized(x, relu)
        n = self.channels(x)
        y = self.functional.batch_norm(x, None, None, self.vector(n, 1), self.vector(n, 0), training=True, eps=1e-3)
        return self.relu(y) if relu else y


def programs(torch, device, compile):
    """name -> function of a workload that returns its step."""

    def precise(workload):
        """What products are computed in."""
        precision = workload.size["precision"]
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "float32"
        return torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")

    def rate(workload):
        precise(workload)
        side = workload.size["side"]
        dtype = torch.bfloat16 if workload.size["precision"] == "bfloat16" else torch.float32
        a, b = ((torch.randn(side, side, device=device) * side**-0.5).to(dtype) for _ in range(2))

        def step():
            x = b
            for _ in range(workload.size["turns"]):
                x = a @ x
            return x[0, 0].item()

        return step

    def bandwidth(workload):
        start = torch.ones(workload.size["count"], device=device)
        turn = compile(lambda x: x * 0.5 + 1.0)

        def step():
            x = start
            for _ in range(workload.size["turns"]):
                x = turn(x)
            return x[0].item()

        return step

    def network(workload):
        mixed, trained = precise(workload), workload.size["trained"]
        net, body = Placed(torch, device, trained=trained), NETWORKS[workload.size["network"]]
        if trained:
            net.softmax = lambda x: x

        def forward(images):
            net.at = 0
            return body(net, images)

        def taken(batch):
            return torch.from_numpy(batch).to(device).permute(0, 3, 1, 2)

        ((shape, _), *_) = workload.feeds
        with torch.no_grad():
            forward(torch.zeros((2, 3, *shape[1:3]), device=device))
        net.again()
        run = compile(forward)
        if not trained:

            @torch.inference_mode()
            def step(batch):
                with mixed:
                    return run(taken(batch)).max().item()

            return step
        sgd = torch.optim.SGD(net.made, 0.01, 0.9)

        def training_step(batch, labels):
            sgd.zero_grad(set_to_none=True)
            with mixed:
                logits = run(taken(batch))
            loss = net.functional.cross_entropy(logits.float(), torch.from_numpy(labels).to(device).long())
            loss.backward()
            sgd.step()
            return loss.item()

        return training_step

    def of_precision(build):
        def program(workload):
            precise(workload)
            with torch.device(device):
                return build(workload)

        return program

    ready = eager.programs(torch, compile is not _as_it_is, device)
    found = {name: network for name in everything(False) if name.startswith(("resnet", "inception"))}
    found |= {name: rate for name in everything(False) if name.startswith("rate")}
    return found | {"bandwidth": bandwidth} | {name: of_precision(ready[name]) for name in ("digits", "lstm")}


def _as_it_is(f):
    return f


def main():
    torch, seconds = timed_import("torch")
    device = sys.argv[sys.argv.index("--device") + 1] if "--device" in sys.argv else "cuda"
    name = torch.cuda.get_device_name() if device == "cuda" else device
    facts = {"peer": "PyTorch", "version": torch.__version__, "imported": seconds, "device": name}
    compile = _as_it_is if "--eager" in sys.argv else torch.compile
    serve(facts, programs(torch, device, compile), everything("--small" in sys.argv))


if __name__ == "__main__":
    main()
