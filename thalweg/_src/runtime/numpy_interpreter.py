"""The interpreter with lowerings on NumPy arrays: for graphs that are not worth a compilation."""

from __future__ import annotations

from typing import Any

from thalweg._src.compiler.interpret import Interpreter
from thalweg._src.core import apply
from thalweg._src.core.graph import Operation
from thalweg._src.runtime.numpy_lowering import lowering, on_cpu, plain


class NumPyInterpreter(Interpreter):
    """The interpreter, with lowerings on NumPy arrays; the bodies of branches and loops run in it."""

    def _call(self, op: Operation, values: list[Any]) -> Any:
        o = op.opdef
        if o.wants_ctx:
            return super()._call(op, values)
        if o.wants_rng:
            with on_cpu():
                return plain(super()._call(op, values))
        kwargs = {param: op._attrs[name] for param, name in o.lower_attrs}
        return lowering(o)(*(values if o.simple else apply.grouped(o, op._attrs, values)), **kwargs)
