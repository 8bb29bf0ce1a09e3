"""The threads and the memory that sessions take, each in a process of its own."""

import os
import subprocess
import sys

import pytest

from thalweg._src.runtime.processor import _products, products_alone

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from /proc")

PROGRAM = """
import os, resource
import numpy as np
import thalweg as tf

config = tf.ConfigProto(intra_op_parallelism_threads={threads})
x = tf.placeholder(tf.float32, [1024, 1024])
y = tf.reduce_sum(tf.matmul(tf.matmul(x, x), x))
with tf.Session(config=config) as sess:
    one = np.ones((1024, 1024), np.float32)
    sess.run(y, {{x: one}})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        sess.run(y, {{x: one}})
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
names = [open(f"/proc/self/task/{{t}}/comm").read() for t in os.listdir("/proc/self/task")]
print(sum("XLAEigen" in n for n in names), faults)
"""


def ran(threads, **variables):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(threads=threads)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_intra_op_parallelism_threads_is_obeyed_and_memory_is_kept_from_step_to_step():
    threads, faults = ran(1)
    assert threads == 1
    if hasattr(__import__("ctypes").CDLL(None), "mallopt"):
        assert faults < 10 * 1024  # two matrices of 4 MB are 2,048 pages a step


def test_without_a_limit_there_is_a_thread_for_each_processor():
    threads, _ = ran(0)
    assert threads == len(os.sched_getaffinity(0))


HERE = """
import numpy as np
import thalweg as tf
with tf.Session() as sess:
    sess.run(tf.constant(1.0) + tf.random_uniform([64, 64]))
import jax
x = jax.device_put(np.ones((1500, 1500), np.float32)).block_until_ready()  # what is there already does not wait
square = jax.jit(lambda a: a @ a).lower(x).compile()
print([square(x).is_ready() for _ in range(5)])
"""


def test_a_step_is_computed_on_the_thread_that_asks_for_it():
    done = subprocess.run([sys.executable, "-c", HERE], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == str([True] * 5), done.stderr


def test_products_of_numpy_run_on_one_thread_and_on_all_of_them_again():
    found = _products()
    if found is None:
        pytest.skip("NumPy has no OpenBLAS here")
    before = found[0]()
    with products_alone():
        assert found[0]() == 1
        with products_alone():
            assert found[0]() == 1
        assert found[0]() == 1
    assert found[0]() == before


ON_ANOTHER_THREAD = """
import ctypes, resource, threading
from thalweg._src.runtime.processor import keep_memory

keep_memory()
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes, library.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]

def step(megabytes):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    at = library.malloc(megabytes << 20)
    ctypes.memset(at, 1, megabytes << 20)
    library.free(at)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def steps():
    for megabytes in (8, 100):
        print(step(megabytes), step(megabytes))

thread = threading.Thread(target=steps)
thread.start()
thread.join()
"""


def test_pages_are_not_made_anew_for_what_another_thread_allocates():
    told = subprocess.run([sys.executable, "-c", ON_ANOTHER_THREAD], capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        first, again = map(int, line.split())
        assert first > 0
        assert again <= 4, told
