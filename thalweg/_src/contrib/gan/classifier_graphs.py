"""A classifier from a frozen graph, as Inception is, run on images."""

from __future__ import annotations

import os
import sys
import tarfile
import urllib.request
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.layers.shapes import flatten
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.graph_import import import_graph_def
from thalweg._src.core.scopes import name_scope
from thalweg._src.formats import protos
from thalweg._src.lib.io.file_io import GFile
from thalweg._src.lib.platform.resource_loader import load_resource
from thalweg._src.ops import array, math
from thalweg._src.ops.images.resizing import resize_bilinear

INCEPTION_URL = "http://download.tensorflow.org/models/frozen_inception_v1_2015_12_05.tar.gz"
INCEPTION_FROZEN_GRAPH = "inceptionv1_for_inception_score.pb"
INCEPTION_INPUT = "Mul:0"
INCEPTION_OUTPUT = "logits:0"
INCEPTION_FINAL_POOL = "pool_3:0"
INCEPTION_DEFAULT_IMAGE_SIZE = 299


def preprocess_image(
    images: Tensor,
    height: int = INCEPTION_DEFAULT_IMAGE_SIZE,
    width: int = INCEPTION_DEFAULT_IMAGE_SIZE,
    scope: str | None = None,
) -> Tensor:
    """Images of 0 to 255, a batch or one, as Inception wants them: resized, and between -1 and 1."""
    with name_scope(scope, "preprocess", [images, height, width]):
        if not images.dtype.is_floating:
            images = math.cast(images, dtypes.float32)
        single = images.shape.ndims == 3
        batch = array.expand_dims(images, axis=0) if single else images
        resized = (resize_bilinear(batch, [height, width]) - 128.0) / 128.0
        return array.squeeze(resized, axis=0) if single else resized


def get_graph_def_from_disk(filename: str) -> Any:
    """The GraphDef in a file."""
    with GFile(filename, "rb") as file:
        return protos.GraphDef.FromString(file.read())


def get_graph_def_from_resource(filename: str) -> Any:
    """The GraphDef in a file that came with the program."""
    return protos.GraphDef.FromString(load_resource(filename))


def get_graph_def_from_url_tarball(url: str, filename: str, tar_filename: str | None = None) -> Any:
    """The GraphDef in `filename` of an archive, which is fetched from `url` unless `tar_filename` is there."""
    if not (tar_filename and os.path.exists(tar_filename)):

        def progress(count: int, block: int, total: int) -> None:
            sys.stdout.write(f"\r>> Downloading {url} {count * block / total:.1%}")
            sys.stdout.flush()

        tar_filename, _ = urllib.request.urlretrieve(url, tar_filename, progress)
    with tarfile.open(tar_filename, "r:gz") as archive:
        member = archive.extractfile(filename)
        if member is None:
            raise ValueError(f"{filename!r} in {tar_filename} is not a file.")
        return protos.GraphDef.FromString(member.read())


def inception_graph() -> Any:
    """The frozen Inception that scores are computed with, from its canonical address."""
    return get_graph_def_from_url_tarball(INCEPTION_URL, INCEPTION_FROZEN_GRAPH, os.path.basename(INCEPTION_URL))


def run_image_classifier(
    tensor: Any, graph_def: Any, input_tensor: str, output_tensor: Any, scope: str = "RunClassifier"
) -> Any:
    """The output of a graph on `tensor`, or the list of outputs where `output_tensor` is a list of names."""
    single = isinstance(output_tensor, str)
    names = [output_tensor] if single else output_tensor
    outputs = import_graph_def(graph_def, {input_tensor: tensor}, names, name=scope)
    return outputs[0] if single else outputs


def run_inception(
    images: Any,
    graph_def: Any = None,
    default_graph_def_fn: Callable[[], Any] | None = inception_graph,
    image_size: int = INCEPTION_DEFAULT_IMAGE_SIZE,
    input_tensor: str = INCEPTION_INPUT,
    output_tensor: Any = INCEPTION_OUTPUT,
) -> Any:
    """Outputs of Inception, flat: [batch, number]. Images are [batch, image_size, image_size, channels], from -1 to 1.

    Raises ValueError for images of another shape, and where neither a graph nor a way to get it is given.
    """
    images = to_tensor(images)
    images.shape.with_rank(4)
    images.shape.assert_is_compatible_with([None, image_size, image_size, None])
    if graph_def is None:
        if default_graph_def_fn is None:
            raise ValueError("If `graph_def` is `None`, must provide `default_graph_def_fn`.")
        graph_def = default_graph_def_fn()
    outputs = run_image_classifier(images, graph_def, input_tensor, output_tensor)
    return [flatten(o) for o in outputs] if isinstance(outputs, list) else flatten(outputs)
