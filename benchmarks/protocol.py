"""A peer's side of the conversation: commands come in as lines, a line of JSON answers each.

    setup NAME    build the workload's step and take it once, which compiles what is to be compiled
    run K         take K steps, fed in turn from the prepared batches
    memory        resident megabytes: now, at the most during the runs since `setup`, and before it

Runs under every peer's own interpreter, Python 3.7 included.
"""

import gc
import importlib
import json
import os
import sys
import time

from benchmarks.workloads import batches


def timed_import(name):
    """The module, and the seconds that importing it took."""
    start = time.perf_counter()
    module = importlib.import_module(name)
    return module, time.perf_counter() - start


def serve(peer, programs, workloads):
    """Answer until the input ends.

    `peer`: facts about the peer, told in the first line. `programs`: name -> function of a workload that returns its
    step, a function of a batch's arrays that returns a number. `workloads`: name -> Workload.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not be read as a reply

    def reply(**fields):
        replies.write(json.dumps(fields) + "\n")
        replies.flush()

    reply(programs=sorted(programs), **peer)
    step = feeds = None
    before = 0.0
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        try:
            if command == "setup":
                workload = workloads[argument]
                step = None
                gc.collect()
                feeds = batches(workload)
                before = resident("VmRSS")
                start = time.perf_counter()
                step = programs[argument](workload)
                value = step(*feeds[0])
                seconds = time.perf_counter() - start
                forget_peak()
                reply(seconds=seconds, value=value)
            elif command == "run":
                seconds, median, processor, value = run(step, feeds, int(argument))
                reply(seconds=seconds, median=median, processor=processor, value=value)
            elif command == "memory":
                reply(before=before, now=resident("VmRSS"), peak=resident("VmHWM"))
            else:
                reply(error="no such command: " + command)
        except Exception as error:
            reply(error=f"{type(error).__name__}: {str(error)[:2000]}")


def run(step, feeds, count):
    """Seconds for `count` steps, of the median one and of all threads' processor time, and what the last step returned.

    On a machine that others use too, the scheduler takes the processor away for milliseconds at a time. Those hit some
    steps of a peer, not the median one.
    """
    value, size, clock = None, len(feeds), time.perf_counter
    seconds = []
    processor = time.process_time()
    for i in range(count):
        start = clock()
        value = step(*feeds[i % size])
        seconds.append(clock() - start)
    return sum(seconds), sorted(seconds)[count // 2], time.process_time() - processor, value


def resident(field):
    """Megabytes of resident memory: 'VmRSS' now, 'VmHWM' at the most. Zero where the system doesn't tell."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) / 1024.0
    except OSError:
        pass
    return 0.0


def forget_peak():
    """Let the peak be counted from here on, where the system allows it."""
    try:
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")
    except OSError:
        pass
