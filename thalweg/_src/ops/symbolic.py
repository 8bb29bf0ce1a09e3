"""SymbolicGradient: the gradient of any op whose lowering JAX can differentiate."""

import numpy as np

from thalweg._src.core import apply, dtypes, infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.opdef import OPS, Arg, Func, Mixed, Types, op
from thalweg._src.ops import constants
from thalweg._src.ops.indexed_slices import IndexedSlices


class Call:
    """A call of an op as an attr: its type and attrs, as `NameAttrList` in a GraphDef."""

    def __init__(self, name, attrs):
        self.name, self.attrs = name, attrs

    @property
    def opdef(self):
        return OPS[self.name]


def call_of(f):
    """The Call that an attr holds: ours, or the proto of an imported graph."""
    if isinstance(f, Call):
        return f
    from thalweg._src.core import build, graphdef

    attrs = {k: graphdef.attr_from_proto(v) for k, v in f.attr.items()}
    opdef = OPS[f.name]
    return Call(
        f.name, {a.name: build.check_attr(opdef, a, attrs[a.name]) for a in opdef.attrs.values() if a.name in attrs}
    )


@op("SymbolicGradient")
def symbolic_gradient(input: Mixed("Tin", 1), *, Tout: Types, f: Func) -> Mixed("Tout", 1):
    """The gradients of an op: takes its inputs and the gradients of its outputs, gives one gradient per input.

    Inputs that are not floating-point get zeros.
    """
    call = call_of(f)
    opdef = call.opdef
    count = len(Tout)
    values, grads = input[:count], input[count:]
    floats = [i for i, v in enumerate(values) if np.issubdtype(v.dtype, np.inexact) or v.dtype.name == "bfloat16"]
    floats = [i for i in floats if isinstance(values[i], jax.Array) or isinstance(values[i], np.ndarray)]

    def forward(*xs):
        full = list(values)
        for i, x in zip(floats, xs, strict=True):
            full[i] = x
        with apply.collect_checks(False):  # the forward op checks for itself
            outputs = apply.flat_outputs(opdef, apply.call(opdef, call.attrs, full))
        return [jnp.asarray(o) for o in outputs]

    outputs, pull = jax.vjp(forward, *[jnp.asarray(values[i]) for i in floats])
    seeds = [
        jnp.conj(jnp.asarray(g, o.dtype))
        if jnp.issubdtype(o.dtype, jnp.inexact)
        else np.zeros(o.shape, jax.dtypes.float0)
        for g, o in zip(grads, outputs, strict=True)
    ]
    pulled = pull(seeds)
    out = [jnp.zeros(v.shape, v.dtype) for v in values]
    for i, g in zip(floats, pulled, strict=True):
        out[i] = jnp.conj(
            g
        )  # TensorFlow's complex gradients are the conjugates of JAX's cotangents; real ones don't care
    return out


@symbolic_gradient.shape_rule
def _(node):
    return [t.dims for t in node.inputs[: len(node.attrs["Tout"])]]


def _args(node):
    """The inputs as the forward op declares them, so that its static inputs stay static."""
    call = call_of(node.attrs["f"])
    out = []
    for arg in call.opdef.inputs:
        count = 1 if arg.kind == "one" else call.attrs[arg.number] if arg.kind == "many" else len(call.attrs[arg.types])
        out += [arg] * count
    return out + [Arg("grad", dtypes.float32)] * (len(node.inputs) - len(out))


symbolic_gradient.args_of = _args


def symbolic_gradients(node, *grads):
    """The gradient function of ops that have none of their own."""
    attrs = {k: v for k, v in node.attrs.items() if not k.startswith("_")}
    grads = [
        constants.zeros_like(t, dtypes.float32 if not t.dtype.is_floating and not t.dtype.is_complex else None)
        if g is None
        else g
        for g, t in zip(grads, node.outputs, strict=True)
    ]
    grads = [to_tensor(g) if isinstance(g, IndexedSlices) else g for g in grads]
    outputs = symbolic_gradient(
        [*node.inputs, *grads], Tout=[t.dtype.base_dtype for t in node.inputs], f=Call(node.type, attrs)
    )
    keep = [(t.dtype.is_floating or t.dtype.is_complex) and not arg.static for (arg, t) in infer._flat_args(node)]
    return [g if k else None for g, k in zip(outputs, keep, strict=True)]
