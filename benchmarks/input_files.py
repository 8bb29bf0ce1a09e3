"""The files that the workloads of input read, written once for all peers: records of 1 KB, pictures, digits.

The driver writes them, with what is installed there (`prepare`); peers only ask for their paths, Python 3.7 included.
"""

import os
import tempfile

import numpy as np

FOLDER = os.path.join(tempfile.gettempdir(), "thalweg-bench-input")
RECORDS, RECORD_BYTES = 20000, 1024
PICTURES, PICTURE_SIDE = 64, 256
DIGITS = 10000


def path(name):
    return os.path.join(FOLDER, name)


def digits():
    """(uint8[n, 784], int32[n]): numbers of the sizes of MNIST's."""
    random = np.random.RandomState(3)
    return random.randint(0, 256, (DIGITS, 784)).astype(np.uint8), random.randint(0, 10, DIGITS).astype(np.int32)


def prepare():
    """Write what is missing."""
    from thalweg._src.formats import pictures
    from thalweg._src.formats.records import frame

    os.makedirs(FOLDER, exist_ok=True)
    random = np.random.RandomState(1)
    if not os.path.exists(path("records")):
        _publish("records", b"".join(frame(random.bytes(RECORD_BYTES)) for _ in range(RECORDS)))
    for i in range(PICTURES):
        if not os.path.exists(path(f"{i}.jpg")):
            coarse = random.randint(0, 256, (8, 8, 3)).astype(np.float64)
            smooth = np.kron(coarse, np.ones((PICTURE_SIDE // 8, PICTURE_SIDE // 8, 1)))
            noisy = np.clip(smooth + random.normal(0, 10, smooth.shape), 0, 255)
            _publish(f"{i}.jpg", pictures.write_jpeg(noisy.astype(np.uint8), quality=90))


def _publish(name, content):
    with open(path(name + ".part"), "wb") as f:
        f.write(content)
    os.replace(path(name + ".part"), path(name))
