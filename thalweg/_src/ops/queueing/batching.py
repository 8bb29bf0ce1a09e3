"""A function that runs once for the inputs of several steps: what comes within a while is joined along its first axes."""

import bisect
import threading
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from thalweg._src.core import errors, leaving
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Func, Min, Mixed, Types, op
from thalweg._src.core.waiting import Attempt

Run = Callable[..., Sequence[np.ndarray]]


class _Task:
    """The inputs of one step, and the attempt that waits for its outputs."""

    def __init__(self, run: Run, inputs: Sequence[np.ndarray], attempt: Attempt):
        self.run, self.inputs, self.attempt = run, inputs, attempt
        self.size = len(inputs[0])


class Batcher:
    """Tasks in line. A batch is closed when it is full, or `patience` seconds after its first task; `workers` threads run them.

    `sizes`, where there are any, are those to which batches are filled up, with copies of a row.
    """

    def __init__(self, workers: int, largest: int, patience: float, sizes: Sequence[int], room: int):
        if sizes and (list(sizes) != sorted(set(sizes)) or sizes[-1] != largest):
            raise invalid("allowed_batch_sizes entries must increase, and the last one must be max_batch_size")
        self.workers, self.largest, self.patience, self.sizes, self.room = workers, largest, patience, sizes, room
        self.lock = threading.Lock()
        self.open: list[_Task] = []
        self.line: deque[list[_Task]] = deque()
        self.running = 0

    def submit(self, run: Run, inputs: Sequence[np.ndarray]) -> Attempt:
        """An attempt that ends with the outputs for `inputs`. Raises InvalidArgumentError for what can't be joined."""
        for x in inputs:
            if not x.ndim:
                raise invalid("Batching input tensors must have at least one dimension")
            if len(x) != len(inputs[0]):
                raise invalid(
                    "Batching input tensors supplied in a given op invocation must have equal 0th-dimension size"
                )
        attempt = Attempt(self._withdraw)
        attempt.work = task = _Task(run, inputs, attempt)
        if task.size > self.largest:
            raise invalid(f"Task size {task.size} is larger than maximum batch size {self.largest}")
        with self.lock:
            if len(self.line) >= self.room:
                raise errors.UnavailableError(
                    None, None, "The batch scheduling queue to which this task was submitted is full"
                )
            if sum(t.size for t in self.open) + task.size > self.largest:
                self._close()
            self.open.append(task)
            batch = self.open
            if sum(t.size for t in batch) == self.largest:
                self._close()
            elif len(batch) == 1:
                timer = threading.Timer(self.patience, self._time_is_up, [batch])
                timer.daemon = True
                timer.start()
        return attempt

    def _time_is_up(self, batch: list[_Task]) -> None:
        with self.lock:
            if self.open is batch:
                self._close()

    def _close(self) -> None:
        """The open batch goes into the line. The caller holds the lock."""
        if self.open:
            self.line.append(self.open)
        self.open = []
        if self.line and self.running < self.workers:
            self.running += 1
            threading.Thread(target=self._work, daemon=True, name="thalweg-batch").start()

    def _withdraw(self, attempt: Attempt, error: BaseException) -> None:
        with self.lock:
            if attempt.done:
                return
            if attempt.work in self.open:
                self.open.remove(attempt.work)
            attempt.fail(error)
        attempt.announce()

    def _work(self) -> None:
        while True:
            with self.lock:
                if not self.line:
                    self.running -= 1
                    return
                batch = [t for t in self.line.popleft() if not t.attempt.done]
            leaving.hold()
            try:
                parts = self._outputs(batch) if batch else []
            except Exception as error:
                self._end(batch, lambda attempt, i, error=error: attempt.fail(error))
            else:
                self._end(batch, lambda attempt, i, parts=parts: attempt.fulfil(parts[i]))

    def _end(self, batch: list[_Task], how: Callable[[Attempt, int], None]) -> None:
        with self.lock:
            for i, task in enumerate(batch):
                if not task.attempt.done:
                    how(task.attempt, i)
        for task in batch:
            task.attempt.announce()

    def _outputs(self, batch: list[_Task]) -> list[list[np.ndarray]]:
        """The outputs of each task."""
        ends = np.cumsum([t.size for t in batch]).tolist()
        missing = self.sizes[bisect.bisect_left(self.sizes, ends[-1])] - ends[-1] if self.sizes else 0
        fill = [x[:1] for x in batch[0].inputs]
        columns = zip(*[t.inputs for t in batch], strict=True)
        joined = [np.concatenate([*column, *([row] * missing)]) for column, row in zip(columns, fill, strict=True)]
        whole = batch[0].run(*joined)
        for x in whole:
            if not x.ndim or len(x) != ends[-1] + missing:
                raise invalid(
                    "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input tensors"
                )
        return [[x[start:end] for x in whole] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


@op("BatchFunction", host=True, effect="host", stateful=False, waits=True, foldable=False)
def batch_function(
    in_tensors: Mixed("Tin", 1),
    captured_tensors: Mixed("Tcaptured"),
    *,
    f: Func,
    num_batch_threads: int,
    max_batch_size: int,
    batch_timeout_micros: int,
    max_enqueued_batches: int = 10,
    allowed_batch_sizes: list[int] = (),
    container: str = "",
    shared_name: str = "",
    batching_queue: str = "",
    Tin: Min(Types, 1),
    Tcaptured: Min(Types, 0),
    Tout: Min(Types, 1),
    ctx,
) -> Mixed("Tout", 1):
    """The rows that belong to `in_tensors` of what `f` gives for the inputs of several steps together."""
    how = (
        num_batch_threads,
        max_batch_size,
        batch_timeout_micros * 1e-6,
        tuple(allowed_batch_sizes),
        max_enqueued_batches,
    )
    key = "batcher", container, shared_name or ctx.op.name, batching_queue
    batcher = ctx.resource(key, lambda: Batcher(*how))
    return (yield batcher.submit(ctx.function(f, captured_tensors), [np.asarray(x) for x in in_tensors]))


batch_function.shape_rule(lambda node: [None] * len(node.attrs["Tout"]))
batch_function.not_differentiable()
