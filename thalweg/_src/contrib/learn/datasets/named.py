"""The data sets that tf.contrib.learn knows by name."""

from __future__ import annotations

import csv
import os
import tarfile
from typing import Any

import numpy as np

from thalweg._src.contrib.learn.datasets.base import Dataset, Datasets, load_csv_without_header, maybe_download
from thalweg._src.contrib.learn.datasets.mnist import load_mnist
from thalweg._src.contrib.learn.datasets.synthetic import circles, spirals

DBPEDIA_URL = "https://github.com/le-scientifique/torchDatasets/raw/master/dbpedia_csv.tar.gz"


def load_iris(data_path: str | None = None) -> Dataset:
    """150 flowers of three kinds, with four lengths each: of a csv file, or as scikit-learn has it.

    Raises ImportError without both.
    """
    if data_path is not None:
        from thalweg._src.contrib.learn.datasets.base import load_csv_with_header

        return load_csv_with_header(data_path, target_dtype=np.int64, features_dtype=np.float64)
    try:
        from sklearn.datasets import load_iris as load
    except ImportError:
        raise ImportError("The iris data come with scikit-learn: install it, or give the path of a csv file.") from None
    found = load()
    return Dataset(data=found.data, target=found.target.astype(np.int64))


def load_boston(data_path: str | None = None) -> Dataset:
    """House prices of Boston, of a csv file. Raises ValueError without one, and says why."""
    if data_path is None:
        raise ValueError(
            "The Boston house prices are not shipped: one of their columns was made on a racist assumption, and scikit-learn "
            "has withdrawn them too. Use the diabetes data (sklearn.datasets.load_diabetes) or California housing instead, or "
            "give the path of a csv file that you have: load_boston(data_path=...)."
        )
    from thalweg._src.contrib.learn.datasets.base import load_csv_with_header

    return load_csv_with_header(data_path, target_dtype=np.float64, features_dtype=np.float64)


def shrink_csv(filename: str, ratio: int) -> None:
    """Write each `ratio`-th row into a file beside, `x_small.csv`."""
    with open(filename, newline="", encoding="utf-8") as source:
        rows = list(csv.reader(source))[::ratio]
    with open(filename.replace(".", "_small."), "w", newline="", encoding="utf-8") as target:
        csv.writer(target).writerows(rows)


def maybe_download_dbpedia(data_dir: str) -> None:
    """Fetch the DBpedia texts into a folder unless they are there."""
    folder = os.path.join(data_dir, "dbpedia_csv")
    if not all(os.path.exists(os.path.join(folder, name)) for name in ("train.csv", "test.csv")):
        archive = maybe_download("dbpedia_csv.tar.gz", data_dir, DBPEDIA_URL)
        with tarfile.open(archive, "r:*") as tar:
            tar.extractall(data_dir, filter="data")


def load_dbpedia(size: str = "small", test_with_fake_data: bool = False) -> Datasets:
    """Titles and abstracts of 14 kinds of things, [class, title, text]; `size` "small" is each thousandth."""
    if test_with_fake_data:
        rows = np.array([["a company", "It makes things."], ["a river", "It flows through a valley."]] * 5)
        some = Dataset(data=rows, target=np.array([1, 8] * 5, np.int32))
        return Datasets(train=some, validation=None, test=some)
    folder = os.path.join(os.getenv("TF_EXP_BASE_DIR", ""), "dbpedia_data")
    maybe_download_dbpedia(folder)
    paths = [os.path.join(folder, "dbpedia_csv", name) for name in ("train.csv", "test.csv")]
    if size == "small":
        for path in paths:
            shrink_csv(path, 1000)
        paths = [path.replace(".csv", "_small.csv") for path in paths]
    train, test = (
        load_csv_without_header(p, target_dtype=np.int32, features_dtype=str, target_column=0) for p in paths
    )
    return Datasets(train=train, validation=None, test=test)


DATASETS: dict[str, Any] = {"iris": load_iris, "boston": load_boston, "mnist": load_mnist, "dbpedia": load_dbpedia}
SYNTHETIC: dict[str, Any] = {"circles": circles, "spirals": spirals}


def load_dataset(name: str, size: str = "small", test_with_fake_data: bool = False) -> Any:
    """The data set of that name. Raises ValueError for unknown ones."""
    if name not in DATASETS:
        raise ValueError(f"Name of dataset is not found: {name}")
    return load_dbpedia(size, test_with_fake_data) if name == "dbpedia" else DATASETS[name]()


def make_dataset(
    name: str, n_samples: int = 100, noise: float | None = None, seed: int | None = 42, *args: Any, **kwargs: Any
) -> Dataset:
    """Points of a figure: "circles" or "spirals". Raises ValueError for others."""
    if name not in SYNTHETIC:
        raise ValueError(f"Synthetic dataset not found or not implemeted: {name}")
    return SYNTHETIC[name](*args, n_samples=n_samples, noise=noise, seed=seed, **kwargs)
