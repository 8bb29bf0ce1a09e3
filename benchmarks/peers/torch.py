"""PyTorch, written as its own users write it: eager, channels last, fused Adam; `--compiled` adds torch.compile."""

import itertools
import sys

from benchmarks.catalogue import by_name
from benchmarks.ops.eager import programs as op_programs
from benchmarks.peers.networks_torch import programs as network_programs
from benchmarks.peers.torch_input import programs as input_programs
from benchmarks.protocol import serve, timed_import
from benchmarks.workloads import texts


def programs(torch, compiled, device="cpu"):
    """name -> function of a workload that returns its step; batches go to `device`, where the workload was built."""
    nn, functional = torch.nn, torch.nn.functional
    compile = torch.compile if compiled else lambda f: f

    def training(forward, parameters, adapt=lambda *arrays: arrays, *, optimizer=None, clip=None):
        parameters = list(parameters)
        optimizer = optimizer or torch.optim.Adam(parameters, 1e-3, fused=True)
        forward = compile(forward)

        def step(*arrays):
            optimizer.zero_grad(set_to_none=True)
            loss = forward(*adapt(*(torch.from_numpy(a).to(device) for a in arrays)))
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(parameters, clip)
            optimizer.step()
            return loss.item()

        return step

    def add(workload):
        f = compile(lambda a, b: a + b)
        return lambda x, y: f(torch.tensor(x), torch.tensor(y)).item()

    def dense(workload):
        layers, sizes = [], workload.size["sizes"]
        for m, n in itertools.pairwise(sizes):
            layers += [nn.Linear(m, n), nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
        return training(lambda x, y: functional.cross_entropy(model(x), y), model.parameters())

    def digits(workload):
        model = nn.Sequential(
            nn.Conv2d(1, 32, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(7 * 7 * 64, 1024),
            nn.ReLU(),
            nn.Linear(1024, 10),
        ).to(memory_format=torch.channels_last)
        return training(
            lambda x, y: functional.cross_entropy(model(x), y),
            model.parameters(),
            lambda x, y: (x.permute(0, 3, 1, 2), y),  # NHWC in memory is channels last: no copy
        )

    def recurrent(workload):
        size = {"cell": "LSTM", "layers": 1, **workload.size}
        units, vocabulary = size["units"], size["vocabulary"]
        embedding = nn.Embedding(vocabulary, units)
        layers = {"LSTM": nn.LSTM, "GRU": nn.GRU}[size["cell"]](units, units, size["layers"], batch_first=True)
        out = nn.Linear(units, vocabulary)
        parameters = [*embedding.parameters(), *layers.parameters(), *out.parameters()]

        def forward(x, y):
            h, _ = layers(embedding(x))
            return functional.cross_entropy(out(h).reshape(-1, vocabulary), y.reshape(-1))

        adam = torch.optim.Adam(parameters, 2e-3, fused=True)
        return training(forward, parameters, lambda x, y: (x, y.long()), optimizer=adam, clip=5.0)

    def many_lengths(workload):
        step, batches = recurrent(workload), texts(workload.size)
        return lambda: [step(*batch) for batch in batches][-1]

    def dropout_mask(workload):
        x = torch.ones(workload.size["count"])
        return lambda: functional.dropout(x, 0.5)[0].item()

    def initial_weight(workload):
        w = torch.empty(workload.size["count"])
        return lambda: nn.init.trunc_normal_(w, std=0.1)[0].item()

    def convolutions(workload):
        channels, filters = workload.size["channels"], workload.size["filters"]
        model = nn.Sequential(
            nn.Conv2d(channels, filters, 3, padding=1, bias=False),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1, bias=False),
        ).to(memory_format=torch.channels_last)
        if workload.size["train"]:
            sgd = torch.optim.SGD(model.parameters(), 1e-3)
            return training(
                lambda x: model(x).square().mean(),
                model.parameters(),
                lambda x: (x.permute(0, 3, 1, 2),),
                optimizer=sgd,
            )
        forward = compile(lambda x: model(x).square().mean())

        @torch.inference_mode()
        def step(x):
            return forward(torch.from_numpy(x).permute(0, 3, 1, 2)).item()

        return step

    def matmul(workload):
        return lambda x, y: (torch.from_numpy(x) @ torch.from_numpy(y))[0, 0].item()

    return {
        "add": add,
        "softmax": dense,
        "mlp": dense,
        "digits": digits,
        "lstm": recurrent,
        "gru": recurrent,
        "many-lengths": many_lengths,
        "dropout-mask": dropout_mask,
        "initial-weight": initial_weight,
        "conv-forward": convolutions,
        "conv-train": convolutions,
        "matmul": matmul,
    }


def main():
    compiled = "--compiled" in sys.argv
    torch, seconds = timed_import("torch")
    facts = {"peer": "PyTorch", "version": torch.__version__, "imported": seconds}
    known = {**programs(torch, compiled), **input_programs(torch), **op_programs(torch, compiled)}
    serve(facts, {**known, **network_programs(torch, compiled)}, by_name())


if __name__ == "__main__":
    main()
