"""Memory that a step gives back is there for the next one, whichever thread asks for it."""

import subprocess
import sys

import pytest

PROGRAM = """
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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc is told to")
def test_pages_are_not_made_anew_for_what_another_thread_allocates():
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        first, again = map(int, line.split())
        assert first > 0
        assert again <= 4, told
