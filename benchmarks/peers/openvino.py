"""OpenVINO on the frozen networks, for the least delay, in float32."""

import onnx

from benchmarks.catalogue import by_name
from benchmarks.peers.networks_onnx import programs
from benchmarks.protocol import serve, timed_import


def main():
    openvino, seconds = timed_import("openvino")
    core = openvino.Core()

    def loaded(model):
        how = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        compiled = core.compile_model(core.read_model(model), "CPU", how)
        return lambda batch: compiled(batch)[0]

    facts = {"peer": "OpenVINO", "version": openvino.__version__, "imported": seconds}
    serve(facts, programs(onnx, loaded), by_name())


if __name__ == "__main__":
    main()
