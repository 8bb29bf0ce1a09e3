"""Frozen networks for images, as workloads: `python -m benchmarks inference`. They are not part of what runs without a name."""

from benchmarks.workloads import Workload

# name, title, side of an image, multiplications and additions for one image
NETWORKS = (
    ("mobilenet", "MobileNet v1", 224, 1.14e9),
    ("resnet-50", "ResNet-50", 224, 7.7e9),
    ("inception-v3", "Inception v3", 299, 11.4e9),
    ("vgg-16", "VGG-16", 224, 30.9e9),
)


def network(name, title, side, flops, batch):
    feed = ((batch, side, side, 3), "normal")
    title = f"{title}, frozen, random weights, batch {batch}"
    return Workload(f"inference/{name}-{batch}", title, (feed,), {"network": name}, batch * flops, 0, "batch")


WORKLOADS = tuple(network(*row, batch=batch) for row in NETWORKS for batch in (1, 16))
