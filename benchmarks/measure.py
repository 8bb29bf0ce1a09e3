"""Rounds: in each, every peer in turn works for about the same short time, so that a busy moment hits them alike."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.workers import Peer, PeerFailed, Worker
from benchmarks.workloads import Workload

Tell = Callable[[str], None]  # a line of progress


@dataclass
class Record:
    """One peer on one workload. Times in seconds for one step: the median step of each round."""

    peer: str
    version: str = ""
    samples: list[float] = field(default_factory=list)
    means: list[float] = field(default_factory=list)  # of the same rounds, whatever else the processor did
    worked: list[float] = field(default_factory=list)  # processor time of the same rounds, all threads together
    imported: float = 0.0
    first: float = 0.0  # building the program and its first step
    memory: float = 0.0  # peak megabytes while stepping
    above: float = 0.0  # of these, above what the process held before the workload
    value: float | None = None  # the last step's
    absent: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def work(self) -> float:
        """Processor time of a step."""
        return statistics.median(self.worked)

    def ratio(self, to: Record, times: str = "samples") -> tuple[float, float, float]:
        """This peer's time as a multiple of another's, round by round: median, lower and upper quartile. `times` may be `worked`."""
        ratios = [a / b for a, b in zip(getattr(self, times), getattr(to, times), strict=True)]
        return statistics.median(ratios), *quartiles(ratios)

    def failed(self, why: object) -> None:
        """Samples go too: they would lack their rounds."""
        self.absent = str(why)
        self.samples.clear()
        self.means.clear()
        self.worked.clear()


def quartiles(samples: Sequence[float]) -> tuple[float, float]:
    if len(samples) < 2:
        return samples[0], samples[0]
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return low, high


@contextlib.contextmanager
def started(peers: Sequence[Peer], *, tell: Tell) -> Iterator[dict[str, Worker | PeerFailed]]:
    """A worker for each peer, or the reason why it has none."""
    workers: dict[str, Worker | PeerFailed] = {}
    try:
        for peer in peers:
            try:
                workers[peer.name] = Worker(peer)
            except PeerFailed as failure:
                workers[peer.name] = failure
                tell(f"{peer.name} is left out: {failure}")
        yield workers
    finally:
        for worker in workers.values():
            if isinstance(worker, Worker):
                worker.close()


def measure(
    workload: Workload, workers: dict[str, Worker | PeerFailed], *, rounds: int, turn: float, tell: Tell
) -> list[Record]:
    """Every peer on one workload: `rounds` samples each, of about `turn` seconds."""
    records = [Record(name) for name in workers]
    counts: dict[str, int] = {}

    def attempt(record: Record, work: Callable[[Worker, Record], None]) -> None:
        worker = workers[record.peer]
        try:
            if isinstance(worker, PeerFailed):
                raise worker
            work(worker, record)
        except PeerFailed as failure:
            record.failed(failure)
            tell(f"{workload.name}: {record.peer} is left out: {failure}")

    def set_up(worker: Worker, record: Record) -> None:
        record.version, record.imported = worker.facts["version"], worker.facts["imported"]
        if workload.name not in worker.facts["programs"]:
            raise PeerFailed("does not have this workload")
        record.first = worker.ask(f"setup {workload.name}")["seconds"]
        counts[record.peer] = steps_in(worker, turn)

    def sample(worker: Worker, record: Record) -> None:
        count = counts[record.peer]
        reply = worker.ask(f"run {count}")
        record.samples.append(reply["median"])
        record.means.append(reply["seconds"] / count)
        record.worked.append(reply["processor"] / count)
        record.value = reply["value"]
        time.sleep(0.01)  # threads that spin for more work give up in this time

    def weigh(worker: Worker, record: Record) -> None:
        memory = worker.ask("memory")
        record.memory, record.above = memory["peak"], memory["peak"] - memory["before"]

    for record in records:
        attempt(record, set_up)
    for number in range(rounds):
        tell(f"{workload.name}: round {number + 1} of {rounds}")
        for record in turns([r for r in records if not r.absent], number):
            attempt(record, sample)
    for record in records:
        if not record.absent:
            attempt(record, weigh)
    return records


def start_up(workload: Workload, peers: Sequence[Peer], *, rounds: int, tell: Tell) -> list[Record]:
    """From the start of a program to the end of its first step, each time in a new process."""
    records = {peer: Record(peer.name) for peer in peers}
    for number in range(rounds):
        tell(f"start-up: round {number + 1} of {rounds}")
        for peer in turns([p for p in peers if not records[p].absent], number):
            record, start = records[peer], time.perf_counter()
            with started([peer], tell=tell) as workers:
                (worker,) = workers.values()
                if isinstance(worker, PeerFailed):
                    record.failed(worker)
                    continue
                record.version, record.imported = worker.facts["version"], worker.facts["imported"]
                try:
                    record.first = worker.ask(f"setup {workload.name}")["seconds"]
                    record.samples.append(time.perf_counter() - start)
                except PeerFailed as failure:
                    record.failed(failure)
    return list(records.values())


def steps_in(worker: Worker, seconds: float) -> int:
    """How many steps take about `seconds`; finding it out is the warm-up."""
    worker.ask("run 1")  # a second compilation, for arrays that now come from the first step
    count = 1
    while True:
        spent = worker.ask(f"run {count}")["seconds"]
        if spent > seconds / 2:
            return max(1, round(count * seconds / spent))
        count = max(count + 1, min(10 * count, round(count * seconds / max(spent, 1e-6))))


def turns(everyone: list, number: int) -> list:
    """The order of round `number`: each gets to be first."""
    shift = number % len(everyone) if everyone else 0
    return everyone[shift:] + everyone[:shift]
