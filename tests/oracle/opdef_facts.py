"""The facts of an OpDef as plain data, from a proto of TensorFlow or from thalweg's own records.

    {"in": [[name, type], ...], "out": [[name, type], ...], "attr": [[name, type, more], ...], "flags": "sca..."}

The type of an argument reads `float32`, `T` (an attr), `N*T`, `Tlist` (a list attr), `Ref(T)`. `more` holds
`default`, `allowed` and `min` where they are given. Flags: s stateful, c commutative, a aggregate,
u allows uninitialized input; `gone` holds the GraphDef version that deprecated the op.
Runs on Python 3.6 and newer.
"""

DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 8: "complex64",
    9: "int64", 10: "bool", 11: "qint8", 12: "quint8", 13: "qint32", 14: "bfloat16", 15: "qint16", 16: "quint16",
    17: "uint16", 18: "complex128", 19: "float16", 20: "resource", 21: "variant", 22: "uint32", 23: "uint64",
}  # fmt: skip


def argument(arg):
    if arg.type_list_attr:
        return arg.type_list_attr
    kind = arg.type_attr or DTYPES[arg.type]
    if arg.number_attr:
        kind = arg.number_attr + "*" + kind
    return "Ref(" + kind + ")" if arg.is_ref else kind


def text(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        return repr(data)


def value(v):
    """An AttrValue as plain data."""
    kind = v.WhichOneof("value")
    if kind is None:
        return None
    if kind == "list":
        out = [text(s) for s in v.list.s] + list(v.list.i) + [round(f, 7) for f in v.list.f] + list(v.list.b)
        out += [DTYPES[t] for t in v.list.type] + [shape(s) for s in v.list.shape] + [f.name for f in v.list.func]
        return out
    if kind == "s":
        return text(v.s)
    if kind == "f":
        return float("%.7g" % v.f)
    if kind == "type":
        return DTYPES[v.type]
    if kind == "shape":
        return shape(v.shape)
    if kind == "tensor":
        return {"dtype": DTYPES[v.tensor.dtype], "shape": shape(v.tensor.tensor_shape)}
    if kind == "func":
        return v.func.name
    return getattr(v, kind)


def shape(s):
    return None if s.unknown_rank else [d.size for d in s.dim]


def attribute(a):
    more = {}
    if a.HasField("default_value"):
        more["default"] = value(a.default_value)
    if a.HasField("allowed_values"):
        more["allowed"] = sorted(value(a.allowed_values))
    if a.has_minimum:
        more["min"] = a.minimum
    return [a.name, a.type, more] if more else [a.name, a.type]


def facts(proto):
    """The record of one OpDef proto."""
    flags = "".join(
        letter
        for letter, on in [
            ("s", proto.is_stateful),
            ("c", proto.is_commutative),
            ("a", proto.is_aggregate),
            ("u", proto.allows_uninitialized_input),
        ]
        if on
    )
    out = {
        "in": [[a.name, argument(a)] for a in proto.input_arg],
        "out": [[a.name, argument(a)] for a in proto.output_arg],
        "attr": [attribute(a) for a in proto.attr],
    }
    if flags:
        out["flags"] = flags
    if proto.HasField("deprecation"):
        out["gone"] = proto.deprecation.version
    return out


def readable(name, fact):
    """`Name(in: T, ...) -> (out: T) {T: type in (...) = float32; N: int >= 1} stateful`."""

    def attr(a):
        out = a[0] + ": " + a[1]
        more = a[2] if len(a) > 2 else {}
        if "allowed" in more:
            out += " in (" + ", ".join(map(str, more["allowed"])) + ")"
        if "min" in more:
            out += " >= %d" % more["min"]
        if "default" in more:
            out += " = %s" % (more["default"] if not isinstance(more["default"], str) else repr(more["default"]))
        return out

    side = lambda args: ", ".join(n + ": " + t for n, t in args)
    words = {"s": "stateful", "c": "commutative", "a": "aggregate", "u": "uninitialized_input"}
    tail = [words[letter] for letter in fact.get("flags", "")]
    tail += ["deprecated@%d" % fact["gone"]] if "gone" in fact else []
    tail += ["contrib"] if "contrib" in fact else []
    attrs = " {" + "; ".join(map(attr, fact["attr"])) + "}" if fact["attr"] else ""
    return "%s(%s) -> (%s)%s%s" % (
        name,
        side(fact["in"]),
        side(fact["out"]),
        attrs,
        " " + " ".join(tail) if tail else "",
    )
