"""ONNX Runtime on the frozen networks, its processor provider as it comes."""

import onnx

from benchmarks.catalogue import by_name
from benchmarks.peers.networks_onnx import programs
from benchmarks.protocol import serve, timed_import


def main():
    runtime, seconds = timed_import("onnxruntime")

    def loaded(model):
        session = runtime.InferenceSession(model, providers=["CPUExecutionProvider"])
        return lambda batch: session.run(None, {"images": batch})[0]

    facts = {"peer": "ONNX Runtime", "version": runtime.__version__, "imported": seconds}
    serve(facts, programs(onnx, loaded), by_name())


if __name__ == "__main__":
    main()
