"""Drawings as image summaries, so that TensorBoard shows them beside the curves."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def summary(ax: Axes, tag: str, *, dpi: float | None = None) -> Any:
    """The figure of `ax` as a `tf.Summary` for `FileWriter.add_summary`.

    >>> from thalweg import plot
    >>> found = plot.summary(plot.confusion_matrix([0, 1, 1], [0, 1, 0]), "confusion")
    >>> found.value[0].tag, found.value[0].image.encoded_image_string[:4]
    ('confusion', b'\\x89PNG')
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from thalweg._src.formats import protos

    figure = ax.figure
    canvas = FigureCanvasAgg(figure)
    out = io.BytesIO()
    canvas.print_png(out) if dpi is None else figure.savefig(out, format="png", dpi=dpi)
    width, height = (round(inches * (dpi or figure.dpi)) for inches in figure.get_size_inches())
    image = protos.Summary.Image(height=height, width=width, colorspace=4, encoded_image_string=out.getvalue())
    return protos.Summary(value=[protos.Summary.Value(tag=tag, image=image)])
