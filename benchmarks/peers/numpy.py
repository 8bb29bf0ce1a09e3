"""NumPy: no peer of the workloads, but a measure of the machine."""

from benchmarks.catalogue import by_name
from benchmarks.protocol import serve, timed_import


def main():
    np, seconds = timed_import("numpy")

    def matmul(workload):
        out = np.empty((workload.feeds[0][0][0], workload.feeds[1][0][1]), np.float32)
        return lambda a, b: float(np.matmul(a, b, out=out)[0, 0])

    def copy(workload):
        out = np.empty(workload.feeds[0][0], np.float32)

        def step(a):
            np.copyto(out, a)
            return float(out[0])

        return step

    facts = {"peer": "NumPy", "version": np.__version__, "imported": seconds}
    serve(facts, {"matmul": matmul, "copy": copy}, by_name())


if __name__ == "__main__":
    main()
