"""tf.test.Benchmark: times a run of an operation, again and again, and reports the times."""

import inspect
import re
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from thalweg._src.formats import protos


class Benchmark:
    """The base of benchmarks: methods whose names begin with `benchmark` are run by `evaluate`-like runners.

    class MatMulBenchmark(tf.test.Benchmark):
        def benchmark_square(self):
            with tf.Session() as sess:
                self.run_op_benchmark(sess, tf.matmul(a, a))
    """

    @classmethod
    def is_abstract(cls) -> bool:
        """Whether this is tf.test.Benchmark itself."""
        return cls is Benchmark

    def _benchmark_name(self) -> str:
        """The class and the method that asked: MatMulBenchmark.benchmark_square."""
        frame = inspect.currentframe()
        while frame is not None:
            if frame.f_locals.get("self") is self and frame.f_code.co_name.startswith("benchmark"):
                return f"{type(self).__name__}.{frame.f_code.co_name}"
            frame = frame.f_back
        raise ValueError("Unable to determine calling Benchmark function.")

    def report_benchmark(
        self,
        iters: int | None = None,
        cpu_time: float | None = None,
        wall_time: float | None = None,
        throughput: float | None = None,
        extras: dict[str, Any] | None = None,
        name: str | None = None,
        metrics: Sequence[dict[str, Any]] | None = None,
    ) -> None:
        """Prints one entry: `wall_time` and `cpu_time` in seconds a run, `throughput` in MB a second, `extras` as given.

        A metric is a dict of "name" and "value", perhaps with "min_value" and "max_value".
        """
        name = f"{type(self).__name__}.{name}" if name else self._benchmark_name()
        parts = {"iters": iters, "wall_time": wall_time, "cpu_time": cpu_time, "throughput": throughput}
        told = [f"{key}: {value:g}" for key, value in parts.items() if value is not None]
        told += [f"{key}: {value}" for key, value in (extras or {}).items()]
        told += [f"metrics {{ {'  '.join(f'{key}: {value}' for key, value in m.items())} }}" for m in metrics or ()]
        print(f"entry {{ name: {name}  " + "  ".join(told) + " }", file=sys.stderr)

    def run_op_benchmark(
        self,
        sess: Any,
        op_or_tensor: Any,
        feed_dict: Any = None,
        burn_iters: int = 2,
        min_iters: int = 10,
        store_trace: bool = False,
        store_memory_usage: bool = True,
        name: str | None = None,
        extras: dict[str, Any] | None = None,
        mbs: float = 0,
    ) -> dict[str, Any]:
        """The times of `min_iters` runs after `burn_iters` that do not count, reported and returned.

        `wall_time` is their median in seconds; with `mbs`, the megabytes that a run moves, there is a throughput too.
        """
        target = getattr(op_or_tensor, "op", op_or_tensor)
        for _ in range(burn_iters):
            sess.run(target, feed_dict=feed_dict)
        times = []
        for _ in range(min_iters):
            start = time.perf_counter()
            sess.run(target, feed_dict=feed_dict)
            times.append(time.perf_counter() - start)
        told: dict[str, Any] = dict(extras or {})
        if store_trace:
            told["full_trace_chrome_format"] = _trace(sess, target, feed_dict)
        wall = float(np.median(times)) if times else float("nan")
        told["wall_time_mean"] = float(np.mean(times)) if times else float("nan")
        told["wall_time_stdev"] = float(np.std(times)) if times else float("nan")
        throughput = mbs / wall if mbs and wall else 0.0
        name = f"{type(self).__name__}.{name}" if name else self._benchmark_name()
        self.report_benchmark(
            iters=min_iters, wall_time=wall, throughput=throughput, extras=told, name=name.partition(".")[2]
        )
        return {"iters": min_iters, "extras": told, "name": name, "wall_time": wall, "throughput": throughput}

    def evaluate(self, tensors: Any) -> Any:
        """The values of `tensors` in the default session."""
        from thalweg._src.runtime.session import get_default_session

        session = get_default_session()
        if session is None:
            raise ValueError("evaluate needs a default session: with tf.Session().as_default()")
        return session.run(tensors)


def _trace(sess: Any, target: Any, feed_dict: Any) -> str:
    from thalweg._src.lib.timeline import Timeline

    options = protos.RunOptions(trace_level=protos.RunOptions.FULL_TRACE)
    metadata = protos.RunMetadata()
    sess.run(target, feed_dict=feed_dict, options=options, run_metadata=metadata)
    return Timeline(metadata.step_stats).generate_chrome_trace_format()


def benchmark_config() -> Any:
    """The ConfigProto of benchmarks: no dependency optimizer, so that what is timed is run."""
    config = protos.ConfigProto()
    config.graph_options.rewrite_options.dependency_optimization = 2
    return config


def run_benchmarks(pattern: str) -> None:
    """Runs the methods of benchmarks that are defined, whose `module.Class.method` has `pattern` in it; "all" runs all."""
    for kind in _below(Benchmark):
        methods = [n for n in dir(kind) if n.startswith("benchmark") and callable(getattr(kind, n))]
        names = {n: f"{kind.__module__}.{kind.__name__}.{n}" for n in methods}
        wanted = [n for n in methods if pattern == "all" or re.search(pattern, names[n])]
        benchmark = kind() if wanted else None
        for name in wanted:
            getattr(benchmark, name)()


def _below(kind: type) -> Iterator[Any]:
    """The classes that derive from `kind` and are not abstract, as they were defined."""
    for derived in kind.__subclasses__():
        if not derived.is_abstract():
            yield derived
        yield from _below(derived)
