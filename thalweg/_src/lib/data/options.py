"""tf.data.Options and the groups of options below it. Most are hints for TensorFlow's runtime, kept and merged here."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.data import structure
from thalweg._src.ops import data as ops


class _Option:
    """A property that may be None, or holds a value of one of `kinds`; `default` makes the first value."""

    def __init__(self, name: str, kinds: Any, doc: str, default: Any = None):
        self.name, self.kinds, self.default = name, kinds, default
        self.__doc__ = doc

    def __get__(self, options: Any, owner: Any = None) -> Any:
        if options is None:
            return self
        if self.name not in options._values and self.default is not None:
            options._values[self.name] = self.default()
        return options._values.get(self.name)

    def __set__(self, options: Any, value: Any) -> None:
        if not isinstance(value, self.kinds):
            raise TypeError(
                f"Property {self.name!r} must be of type {self.kinds!r}, got: {value!r} (type: {type(value)!r})"
            )
        options._values[self.name] = value


_UNSET = (None, "")


class OptionsBase:
    """A group of options."""

    def __init__(self) -> None:
        object.__setattr__(self, "_values", {})

    def __setattr__(self, name: str, value: Any) -> None:
        if not isinstance(getattr(type(self), name, None), _Option | property):
            raise AttributeError(f"Cannot set the property {name} on {type(self).__name__}.")
        object.__setattr__(self, name, value)

    def _names(self) -> list[str]:
        return [n for n, v in vars(type(self)).items() if isinstance(v, _Option)]

    def __eq__(self, other: Any) -> bool:
        return type(other) is type(self) and all(getattr(self, n) == getattr(other, n) for n in self._names())

    def __ne__(self, other: Any) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def _merged(self, other: Any) -> Any:
        """Both groups as one. Raises ValueError where they differ in an option that both set."""
        out = type(self)()
        for name in self._names():
            a, b = getattr(self, name), getattr(other, name)
            if isinstance(a, OptionsBase) and isinstance(b, OptionsBase):
                setattr(out, name, a._merged(b))
            elif a in _UNSET or b in _UNSET or a == b:
                if a not in _UNSET or b not in _UNSET:
                    setattr(out, name, b if a in _UNSET else a)
            else:
                raise ValueError(f"Cannot merge incompatible values of option: {name}")
        return out


def _flag(name: str, doc: str) -> Any:
    return _Option(name, bool, doc)


class MapVectorizationOptions(OptionsBase):
    """Whether functions of elements may be rewritten to functions of batches."""

    enabled = _flag("enabled", "Whether to rewrite.")
    use_choose_fastest = _flag("use_choose_fastest", "Whether to measure which is faster.")


class OptimizationOptions(OptionsBase):
    """Which rewrites of a dataset are wanted. Ours needs none; the wishes are written into the graph."""

    apply_default_optimizations = _flag("apply_default_optimizations", "Whether the usual rewrites are wanted.")
    autotune = _flag("autotune", "Whether numbers of threads are tuned.")
    autotune_algorithm = _Option("autotune_algorithm", int, "How they are tuned.")
    autotune_buffers = _flag("autotune_buffers", "Whether sizes of buffers are tuned too.")
    autotune_cpu_budget = _Option("autotune_cpu_budget", int, "How many cores may be used.")
    filter_fusion = _flag("filter_fusion", "Filters joined.")
    filter_with_random_uniform_fusion = _flag("filter_with_random_uniform_fusion", "Random filters as samples.")
    hoist_random_uniform = _flag("hoist_random_uniform", "Random numbers drawn outside of functions.")
    map_and_batch_fusion = _flag("map_and_batch_fusion", "Map and batch joined.")
    map_and_filter_fusion = _flag("map_and_filter_fusion", "Map and filter joined.")
    map_fusion = _flag("map_fusion", "Maps joined.")
    map_parallelization = _flag("map_parallelization", "Maps made parallel.")
    map_vectorization = _Option(
        "map_vectorization", MapVectorizationOptions, "Functions of batches.", MapVectorizationOptions
    )
    noop_elimination = _flag("noop_elimination", "What does nothing left out.")
    parallel_batch = _flag("parallel_batch", "Batches copied in parallel.")
    shuffle_and_repeat_fusion = _flag("shuffle_and_repeat_fusion", "Shuffle and repeat joined.")

    _DEFAULT = ("map_and_batch_fusion", "noop_elimination", "shuffle_and_repeat_fusion")
    _ASKED = (
        "filter_fusion", "filter_with_random_uniform_fusion", "hoist_random_uniform", "map_and_batch_fusion", "map_and_filter_fusion",
        "map_parallelization", "map_fusion", "noop_elimination", "parallel_batch", "shuffle_and_repeat_fusion",
    )  # fmt: skip

    def _static_optimizations(self) -> list[str]:
        found = {n for n in self._ASKED if getattr(self, n)}
        if self.map_vectorization is not None and self.map_vectorization.enabled:
            found.add("map_vectorization")
        if self.autotune is not False and self.autotune_buffers:
            found.add("inject_prefetch")
        if self.apply_default_optimizations is not False:
            found |= {n for n in self._DEFAULT if getattr(self, n) is not False}
        return sorted(found)


class ThreadingOptions(OptionsBase):
    """How many threads a dataset may have."""

    max_intra_op_parallelism = _Option("max_intra_op_parallelism", int, "Within one operation.")
    private_threadpool_size = _Option("private_threadpool_size", int, "Of its own.")


class StatsOptions(OptionsBase):
    """Which statistics are kept."""

    aggregator = _Option("aggregator", object, "Where they go.")
    prefix = _Option("prefix", str, "In front of their names.", str)
    counter_prefix = _Option("counter_prefix", str, "In front of counters.", str)
    latency_all_edges = _flag("latency_all_edges", "Whether every dataset is timed.")


class DistributeOptions(OptionsBase):
    """How a dataset is spread over workers."""

    auto_shard = _Option("auto_shard", bool, "Whether each worker reads a part.", lambda: True)
    _make_stateless = _flag("_make_stateless", "Whether state is taken out.")
    num_devices = _Option("num_devices", int, "How many devices take elements.")


class Options(OptionsBase):
    """Options of a dataset and of those that it is made of: `dataset.with_options(options)`."""

    experimental_deterministic = _flag("experimental_deterministic", "Whether elements come in order.")
    experimental_distribute = _Option(
        "experimental_distribute", DistributeOptions, "Spreading over workers.", DistributeOptions
    )
    experimental_optimization = _Option(
        "experimental_optimization", OptimizationOptions, "Wanted rewrites.", OptimizationOptions
    )
    experimental_slack = _flag("experimental_slack", "Whether the last prefetch waits for the device.")
    experimental_stats = _Option("experimental_stats", StatsOptions, "Statistics.", StatsOptions)
    experimental_threading = _Option("experimental_threading", ThreadingOptions, "Threads.", ThreadingOptions)
    experimental_stateful_whitelist = _Option(
        "experimental_stateful_whitelist", list, "Stateful operations that may be saved."
    )

    def merge(self, options: "Options") -> "Options":
        """Both as one. Raises ValueError where they differ in an option that both set."""
        return self._merged(options)

    def _static_optimizations(self) -> list[str]:
        found = self.experimental_optimization._static_optimizations()
        if self.experimental_deterministic is False:
            found.append("make_sloppy")
        if self.experimental_stats.latency_all_edges:
            found.append("latency_all_edges")
        if self.experimental_slack:
            found.append("slack")
        if self.experimental_distribute._make_stateless:
            found.append("make_stateless")
        return found

    def applied(self, dataset: Any) -> Any:
        """`dataset` with the operations that carry these options, as TensorFlow adds them where an iterator is made."""
        attrs = structure.attrs(dataset.element_spec)
        variant = dataset._variant_tensor
        threads = self.experimental_threading
        if threads.max_intra_op_parallelism is not None:
            n = to_tensor(threads.max_intra_op_parallelism, dtypes.int64, "max_intra_op_parallelism")
            variant = ops.passing.max_intra_op_parallelism_dataset(variant, n, **attrs)
        if threads.private_threadpool_size is not None:
            n = to_tensor(threads.private_threadpool_size, dtypes.int64, "num_threads")
            variant = ops.passing.private_thread_pool_dataset(variant, n, **attrs)
        wanted = self._static_optimizations()
        if wanted:
            names = to_tensor(wanted, dtypes.string, "optimizations")
            fastest = str(bool(self.experimental_optimization.map_vectorization.use_choose_fastest)).lower()
            configs = [f"map_vectorization:use_choose_fastest:{fastest}"]
            if self.experimental_slack:
                configs.append(f"slack:slack_period:{self.experimental_distribute.num_devices or 1}")
            variant = ops.passing.optimize_dataset(variant, names, optimization_configs=configs, **attrs)
        optimization = self.experimental_optimization
        if optimization.autotune is not False:
            variant = ops.passing.model_dataset(
                variant,
                algorithm=optimization.autotune_algorithm or 0,
                cpu_budget=optimization.autotune_cpu_budget or 0,
                **attrs,
            )
        statistics = self.experimental_stats
        if statistics.aggregator is not None:
            variant = ops.statistics.set_stats_aggregator_dataset(
                variant,
                statistics.aggregator._resource,
                to_tensor(statistics.prefix or "", dtypes.string, "tag"),
                to_tensor(statistics.counter_prefix or "", dtypes.string, "counter_prefix"),
                **attrs,
            )
        from thalweg._src.lib.data.dataset import Dataset

        return Dataset(variant, dataset.element_spec)
