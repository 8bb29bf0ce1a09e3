"""What TensorBoard's projector shows: which tensors are embeddings, with labels and small pictures for their rows.

TensorBoard reads checkpoints with TensorFlow alone. So a checkpoint that is saved beside a configuration is followed by its
embeddings as text, which TensorBoard reads by itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.checkpoints import CheckpointReader
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log

CONFIG = "projector_config.pbtxt"
MOST = 100_000  # rows; TensorBoard shows no more
SPRITE = 8192  # pixels; TensorBoard takes no longer side


def write_config(folder: str, config: Any) -> None:
    """Write the ProjectorConfig, and as text what is in the latest checkpoint already."""
    from google.protobuf import text_format

    os.makedirs(folder, exist_ok=True)
    file_io.atomic_write_string_to_file(os.path.join(folder, CONFIG), text_format.MessageToString(config))
    checkpoint = config.model_checkpoint_path or latest_checkpoint(folder)
    if checkpoint:
        follow(folder, checkpoint)


def follow(folder: str, checkpoint: str) -> None:
    """Write what a configuration in `folder` names, and `checkpoint` has, as text; nothing where there is no configuration.

    Files that a configuration names itself are left alone.
    """
    from google.protobuf import text_format

    from thalweg._src.formats import protos

    path = os.path.join(folder, CONFIG)
    if not os.path.isfile(path):
        return
    try:
        config = text_format.Parse(Path(path).read_text("utf-8"), protos.ProjectorConfig())
        reader = CheckpointReader(checkpoint)
    except (text_format.ParseError, errors.OpError) as error:
        log.warning("The projector will not show %s: %s", checkpoint, error)
        return
    old = text_format.MessageToString(config)
    for embedding in config.embeddings:
        name = embedding.tensor_name.partition(":")[0]
        file = f"{re.sub(r'[^-.0-9A-Za-z]', '_', name)}.tsv"
        if embedding.tensor_path not in ("", file) or not reader.has_tensor(name):
            continue
        rows = np.asarray(reader.get_tensor(name))
        if rows.ndim == 2:
            file_io.atomic_write_string_to_file(os.path.join(folder, file), table(rows[:MOST]))
            embedding.tensor_path = file
    new = text_format.MessageToString(config)
    if new != old:
        file_io.atomic_write_string_to_file(path, new)


def table(rows: np.ndarray) -> str:
    """A line for each row of numbers [n, k], with tabs."""
    line = "\t".join(["%.7g"] * rows.shape[1]) + "\n"
    return "".join([line % tuple(row) for row in rows.tolist()])


def project(
    logdir: str | os.PathLike[str],
    vectors: Any,
    *,
    name: str = "vectors",
    labels: Sequence[Any] | Mapping[str, Sequence[Any]] | None = None,
    images: Any = None,
) -> None:
    """Let TensorBoard's projector show `vectors` [n, k] under `name`, each with its label and its small picture.

    `labels` is one entry for each row, or several columns by their names. `images` [n, height, width], or with a last axis
    of 1, 3 or 4 channels, is drawn dark on light where it has none. Whatever else `logdir` has stays. Raises ValueError
    for other shapes and for numbers of labels or pictures that are not n.

    >>> from thalweg import plot
    >>> plot.project(logdir, np.eye(3), name="unit", labels=["x", "y", "z"])
    """
    from google.protobuf import text_format

    from thalweg._src.formats import protos
    from thalweg._src.formats.png import write_png

    rows = np.asarray(vectors)
    if rows.ndim != 2:
        raise ValueError(f"vectors must be [n, k], not {list(rows.shape)}.")
    folder = os.fspath(logdir)
    os.makedirs(folder, exist_ok=True)
    path, base = os.path.join(folder, CONFIG), re.sub(r"[^-.0-9A-Za-z]", "_", name)
    config = protos.ProjectorConfig()
    if os.path.isfile(path):
        text_format.Parse(Path(path).read_text("utf-8"), config)
    others = [e for e in config.embeddings if e.tensor_name != name]
    del config.embeddings[:]
    config.embeddings.extend(others)
    embedding = config.embeddings.add(tensor_name=name, tensor_path=f"{base}.vectors.tsv")
    file_io.atomic_write_string_to_file(os.path.join(folder, embedding.tensor_path), table(rows))
    if labels is not None:
        embedding.metadata_path = f"{base}.labels.tsv"
        file_io.atomic_write_string_to_file(os.path.join(folder, embedding.metadata_path), _columns(labels, len(rows)))
    if images is not None:
        pictures = _small(np.asarray(images), len(rows))
        embedding.sprite.image_path = f"{base}.sprite.png"
        embedding.sprite.single_image_dim.extend([pictures.shape[2], pictures.shape[1]])
        Path(folder, embedding.sprite.image_path).write_bytes(write_png(sprite(pictures)))
    file_io.atomic_write_string_to_file(path, text_format.MessageToString(config))


def sprite(pictures: np.ndarray) -> np.ndarray:
    """One picture of all `pictures` [n, height, width, channels], row by row, in a square as TensorBoard wants it."""
    n, height, width, channels = pictures.shape
    side = int(np.ceil(np.sqrt(n)))
    whole = np.zeros([side * side, height, width, channels], pictures.dtype)
    whole[:n] = pictures
    grid = whole.reshape(side, side, height, width, channels).transpose(0, 2, 1, 3, 4)
    return grid.reshape(side * height, side * width, channels)


def _columns(labels: Any, n: int) -> str:
    """Labels as TensorBoard reads them: one column without a heading, several with theirs."""
    columns = {str(k): list(v) for k, v in labels.items()} if isinstance(labels, Mapping) else {"": list(labels)}
    for name, column in columns.items():
        if len(column) != n:
            raise ValueError(f"There are {n} vectors, but {len(column)} labels {name}".rstrip() + ".")
    texts = [[re.sub(r"[\t\r\n]", " ", str(v)) for v in row] for row in zip(*columns.values(), strict=True)]
    heading = [list(columns)] if len(columns) > 1 else []
    return "".join("\t".join(row) + "\n" for row in heading + texts)


def _small(images: np.ndarray, n: int) -> np.ndarray:
    """Pictures as uint8 [n, height, width, channels], made smaller where a sprite of them would be too large."""
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or len(images) != n or images.shape[3] not in (1, 3, 4):
        raise ValueError(
            f"images must be [{n}, height, width] or have a last axis of 1, 3 or 4, not {list(images.shape)}."
        )
    if images.dtype != np.uint8:
        low, high = float(images.min(initial=0)), float(images.max(initial=0))
        images = ((images - low) * (255 / (high - low or 1.0))).astype(np.uint8)
    if images.shape[3] == 1:
        images = 255 - images
    step = -(-max(images.shape[1:3]) * int(np.ceil(np.sqrt(max(n, 1)))) // SPRITE)
    return images[:, :: max(step, 1), :: max(step, 1)]
