"""Inception modules as text: one line names a module and its branches.

    Mixed_6a: 384 3x3 1a s2 V | 64 1x1 0a > 96 3x3 0b > 96 3x3 1a s2 V | max 1a s2 V

Branches stand between bars, their steps between arrows. A step is a convolution (depth, window, the letter of its scope), a
pool of 3x3 (max or avg, the letter), or two convolutions side by side, joined by a plus. `s2` is stride 2, `V` padding VALID,
`~0.09` the deviation of the first values, `=name` another scope than Conv2d_<letter>_<window>.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.layers.convolutions import conv2d
from thalweg._src.contrib.layers.shapes import avg_pool2d, max_pool2d
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.stateful.initializers import truncated_normal_initializer
from thalweg._src.ops.stateful.variable_scope import variable_scope


def step(net: Any, text: str, depth: Callable[[int], int]) -> Any:
    """One step."""
    if "+" in text:
        return concat([step(net, part, depth) for part in text.split("+")], 3)
    words = text.split()
    options: dict[str, Any] = {}
    if "s2" in words:
        options["stride"] = 2
    if "V" in words:
        options["padding"] = "VALID"
    if words[0] in ("max", "avg"):
        pool, name = (max_pool2d, "MaxPool") if words[0] == "max" else (avg_pool2d, "AvgPool")
        return pool(net, [3, 3], scope=f"{name}_{words[1]}_3x3", **options)
    size, window, letter = words[:3]
    scope = next((w[1:] for w in words if w.startswith("=")), f"Conv2d_{letter}_{window}")
    for w in words:
        if w.startswith("~"):
            options["weights_initializer"] = truncated_normal_initializer(0.0, float(w[1:]))
    return conv2d(net, depth(int(size)), [int(n) for n in window.split("x")], scope=scope, **options)


def module(net: Any, line: str, depth: Callable[[int], int]) -> Any:
    """The branches of one line, side by side."""
    name, _, branches = line.partition(":")
    with variable_scope(name.strip()):
        outputs = []
        for i, branch in enumerate(branches.split("|")):
            with variable_scope(f"Branch_{i}"):
                out = net
                for text in branch.split(">"):
                    out = step(out, text, depth)
                outputs.append(out)
        return concat(outputs, 3)


def module_name(line: str) -> str:
    return line.partition(":")[0].strip()
