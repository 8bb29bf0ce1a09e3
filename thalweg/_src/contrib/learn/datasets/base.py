"""What the data sets of tf.contrib.learn share: their tuples, fetching a file once, and small csv files."""

import csv
import os
import shutil
import sys
import tempfile
import urllib.request
from collections import namedtuple
from hashlib import sha256
from typing import Any

import numpy as np

Dataset = namedtuple("Dataset", ["data", "target"])
Datasets = namedtuple("Datasets", ["train", "validation", "test"])


class NotFetched(OSError):
    """A file that is neither in its folder nor to be had from its source; `why` is what the source said."""

    def __init__(self, text: str, why: object):
        super().__init__(text)
        self.why = why


def maybe_download(filename: str, work_directory: str, source_url: str, *, checksum: str | None = None) -> str:
    """The path of `filename` in `work_directory`, fetched from `source_url` unless it is there.

    `checksum` is the SHA-256 of the file at its source; a download that differs is thrown away. OSError when it cannot
    be had: the text says which file to put where.
    """
    path = os.path.join(work_directory, filename)
    if os.path.exists(path):
        return path
    os.makedirs(work_directory, exist_ok=True)
    try:
        size = download(source_url, path, checksum)
    except OSError as error:
        why = getattr(error, "reason", None) or error
        raise NotFetched(
            f"{filename} is not in {os.path.abspath(work_directory)}, and {source_url} cannot be fetched ({why}). "
            "Put the file there by hand, under that name.",
            why,
        ) from None
    print("Successfully downloaded", filename, size, "bytes.")
    return path


def download(source_url: str, path: str, checksum: str | None) -> int:
    """Fetch to `path`, all of it or nothing, with a progress bar on a terminal; the number of bytes."""
    digest, done = sha256(), 0
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path) or ".", delete=False) as partial:
        try:
            with urllib.request.urlopen(source_url, timeout=60) as response:
                total = int(response.headers.get("Content-Length") or 0)
                while block := response.read(1 << 16):
                    partial.write(block)
                    digest.update(block)
                    done += len(block)
                    show_progress(os.path.basename(path), done, total)
            if total and done != total:
                raise OSError(f"{done} of {total} bytes came")
            if checksum is not None and digest.hexdigest() != checksum:
                raise OSError(f"its SHA-256 is {digest.hexdigest()}, not {checksum}")
        except BaseException:
            partial.close()
            os.remove(partial.name)
            raise
    shutil.move(partial.name, path)
    return done


def show_progress(name: str, done: int, total: int) -> None:
    if not sys.stderr.isatty():
        return
    width = 30
    filled = width * done // total if total else 0
    of = f"/{total / 1e6:.1f}" if total else ""
    end = "\n" if done == total else ""
    print(f"\r{name} [{'#' * filled:<{width}}] {done / 1e6:.1f}{of} MB", end=end, file=sys.stderr, flush=True)


def load_csv_with_header(filename: str, target_dtype: Any, features_dtype: Any, target_column: int = -1) -> Dataset:
    """A csv file whose first row says how many samples and features follow."""
    with open(filename, newline="") as f:
        rows = csv.reader(f)
        header = next(rows)
        n_samples, n_features = int(header[0]), int(header[1])
        data = np.zeros((n_samples, n_features), dtype=features_dtype)
        target = np.zeros((n_samples,), dtype=target_dtype)
        for i, row in enumerate(rows):
            target[i] = np.asarray(row.pop(target_column), dtype=target_dtype)
            data[i] = np.asarray(row, dtype=features_dtype)
    return Dataset(data=data, target=target)


def load_csv_without_header(filename: str, target_dtype: Any, features_dtype: Any, target_column: int = -1) -> Dataset:
    """A csv file of samples alone."""
    data, target = [], []
    with open(filename, newline="") as f:
        for row in csv.reader(f):
            target.append(row.pop(target_column))
            data.append(np.asarray(row, dtype=features_dtype))
    return Dataset(data=np.array(data), target=np.array(target, dtype=target_dtype))
