"""The declaration of ops: one decorated function gives schema, builder, checks, shape rule, gradient and lowering.

    T = type_attr("T", FLOATS)

    @op("Relu")
    def relu(features: T) -> T:
        return jnp.maximum(features, 0)

Positional parameters are the op's inputs in GraphDef order, keyword-only ones its attrs with their defaults. The keyword-only
names `rng`, `ctx` and `run` are no attrs: a lowering that has them receives its random stream, the runtime, or the interpreter.
"""

from __future__ import annotations

import collections
import functools
import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import dispatch
from thalweg._src.core.dtypes import DType, resource
from thalweg._src.core.output_names import OUTPUT_NAMES


class TypeAttr:
    """An attr that holds a type: inferred from the inputs that are annotated with it, or given by the caller."""

    def __init__(self, name: str, allowed: Sequence[DType] | None = None, default: DType | None = None):
        self.name, self.allowed, self.default = name, tuple(allowed) if allowed else None, default
        self.allowed_set = frozenset(allowed) if allowed else None


def type_attr(name: str, allowed: Sequence[DType] | None = None, default: DType | None = None) -> Any:
    """A type variable for the signatures of ops. The result is `Any` to type checkers, which can't follow it."""
    return TypeAttr(name, allowed, default)


class _Wrapped:
    def __init__(self, of: Any):
        self.of = of


class _Static(_Wrapped):
    """An input whose value must be known while tracing: a shape, an axis."""


class _Known(_Wrapped):
    """An input that the lowering receives as a NumPy array where it follows from constants and shapes, traced otherwise."""


class _Ref(_Wrapped):
    """A variable's buffer (a reference). The lowering receives the value, or None where `init` is False and there is none."""

    def __init__(self, of: Any, *, init: bool = True):
        super().__init__(of)
        self.init = init


class _Handle(_Ref):
    """A resource that is a variable; as `_Ref`, for the resource variables of TensorFlow 1.x."""


class _Many(_Wrapped):
    """A list of tensors of one type; the attr `number` holds its length."""

    def __init__(self, of: Any, number: str, minimum: int = 0):
        super().__init__(of)
        self.number, self.minimum = number, minimum


class _Mixed:
    """A list of tensors of types of their own, each one of `allowed`; the attr `types` holds them."""

    def __init__(self, types: str, minimum: int = 0, static: bool = False, allowed: Sequence[DType] | None = None):
        self.types, self.minimum, self.static = types, minimum, static
        self.allowed = tuple(allowed) if allowed else None


class _Enum:
    """A string attr that takes one of `values`."""

    def __init__(self, *values: str):
        self.values = values


class _TypesOf:
    """A list(type) attr of at least `minimum` entries, each one of `allowed`."""

    def __init__(self, *allowed: DType, minimum: int = 0):
        self.allowed, self.minimum = allowed, minimum


class _Min:
    """An attr of type `of` (int or a list) that must be at least (or hold at least) `minimum`."""

    def __init__(self, of: Any, minimum: int):
        self.of, self.minimum = of, minimum


# Type checkers can't follow annotations that are objects; to them all of these are `Any`.
Static: Any = _Static
Known: Any = _Known
Ref: Any = _Ref
Handle: Any = _Handle
Many: Any = _Many
Mixed: Any = _Mixed
Enum: Any = _Enum
Min: Any = _Min
TypesOf: Any = _TypesOf


class Shape:
    """Attr kind `shape`."""


class TensorValue:
    """Attr kind `tensor`: a NumPy array."""


class Func:
    """Attr kind `func`: the name of a function, or a FuncGraph."""


class Types:
    """Attr kind `list(type)`."""


ATTR_KINDS: dict[Any, str] = {
    int: "int",
    float: "float",
    bool: "bool",
    str: "string",
    Shape: "shape",
    TensorValue: "tensor",
    Func: "func",
    Types: "list(type)",
    DType: "type",
    list[int]: "list(int)",
    list[float]: "list(float)",
    list[bool]: "list(bool)",
    list[str]: "list(string)",
    list[Shape]: "list(shape)",
    list[Func]: "list(func)",
    list[TensorValue]: "list(tensor)",
}

REQUIRED = type("Required", (), {"__repr__": lambda self: "<required>"})()


class Arg:
    """One input or output of an op."""

    __slots__ = (
        "allowed",
        "dtype",
        "handle",
        "init",
        "kind",
        "known",
        "minimum",
        "name",
        "number",
        "ref",
        "static",
        "type_attr",
        "types",
    )
    number: Any  # the attr that counts the inputs, where kind is "many"
    types: Any  # the attr that lists their dtypes, where kind is "mixed"

    def __init__(self, name: str, spec: Any):
        self.name = name
        self.static = self.known = self.ref = self.handle = False
        self.init = True
        self.kind, self.number, self.types, self.minimum = "one", None, None, 0
        self.allowed: tuple[DType, ...] | None = None
        self.dtype: DType | None = None
        self.type_attr: TypeAttr | None = None
        if isinstance(spec, _Known):
            self.known, spec = True, spec.of
        if isinstance(spec, _Static):
            self.static, spec = True, spec.of
        if isinstance(spec, _Many):
            self.kind, self.number, self.minimum, spec = "many", spec.number, spec.minimum, spec.of
        if isinstance(spec, _Static):
            self.static, spec = True, spec.of
        if isinstance(spec, _Handle):
            self.handle, self.init, self.dtype = True, spec.init, resource
            return
        if isinstance(spec, _Ref):
            self.ref, self.init, spec = True, spec.init, spec.of
        if isinstance(spec, _Mixed):
            self.kind, self.types, self.minimum, self.static = "mixed", spec.types, spec.minimum, spec.static
            self.allowed = spec.allowed
        elif isinstance(spec, TypeAttr):
            self.type_attr = spec
        elif isinstance(spec, DType):
            self.dtype = spec
        else:
            raise TypeError(f"{name}: {spec!r} is no type of an input or output")


class Attr:
    """One attr of an op: its kind as OpDef spells it ('int', 'list(type)' ...), default and bounds."""

    __slots__ = ("allowed", "default", "kind", "minimum", "name")

    def __init__(self, name: str, kind: str, default: Any = REQUIRED, allowed: Any = None, minimum: int | None = None):
        self.name, self.kind, self.default, self.allowed, self.minimum = name, kind, default, allowed, minimum


class Outputs:
    """Named outputs, where the return annotation is more than one: `-> Outputs(values=T, indices=int32)`."""

    def __init__(self, **specs: Any):
        self.specs = specs


class OpDef:
    """What is known of one type of op. Calling it adds a node to the default graph.

    Facts for the compiler, which never sees an op by its name:
    `effect`: None, "read" or "write" (a lowering that writes returns the new values of its `Ref`/`Handle` inputs, in order,
    before its outputs, unless it says `writes=()`), or "host" (touches the world outside of the graph).
    `host`: runs in plain Python on NumPy arrays. `alias`: its output is its first input, reference included.
    `shape_only`: needs its inputs' shapes, not their values (or a function of the node that tells). `structured`: takes values of
    several arrays (TensorArrays) as they are. `takes_nothing`: its inputs may come from a branch that did not run.
    `source`: its value is held by the session, under the op's name.
    `foldable`: may be computed while the graph is built. `numpy_only`: its lowering on NumPy arrays calls no JAX.
    `constant`: has no inputs and one value. `presence`: tells whether a variable has a value. `resizes`: it may give it another shape.
    `must_feed`: has no value but what the caller feeds. `device_strings`: may stay in an executable although strings go in (messages).
    `takes_none`: its gradient function takes None for an output that nobody used. `reaches(op, outputs)`: the numbers of the inputs
    that those outputs have derivatives by, where that is not all of them; with `zeros_too`, gradients of some outputs bring zeros for
    the others. `args_of(op)`: what its inputs are, where that depends on its attrs. `back_edge`: closes a loop, `frame`: what it does
    in a control-flow frame ('switch', 'merge' ...), if it belongs to one. `bodies(attrs, inputs)`: its body graphs, each with the
    tensors outside that its inputs stand for; with `pure_bodies`, what they write is thrown away. `chooses(attrs, value)`: the one of
    them that runs for this value of its first input. `waits`: may wait for what other threads do; its lowering is a generator then
    (core.waiting). `hands_on`: the attrs whose graphs, in a GraphDef, also return the inputs behind their own outputs. `rounding(attrs,
    values, references)`: the inputs with lengths that are rounded up, for a loop (`ops/control/rounding.py`). `convolves`: slides
    filters over its input, which NumPy has nothing for. `keeps_place`: host work that takes arrays where they are, on a device or not;
    other host work gets NumPy arrays. `forward_of(attrs)`: the operation that this one differentiates. `adds`: gives the sum of its inputs.
    `as_rows(attrs, *inputs)`: its outputs as the rows of one array, `of_rows(attrs, rows, *others)`: its output, of its list of inputs as
    the rows of one array, `part(attrs, *inputs)`: what its output is of its first input, cut along one axis: (axis, begin, size,
    whether the axis is kept); each gives None where that is not so.
    """

    def __init__(self, name: str, fn: Callable[..., Any], **facts: Any):
        self.name, self.fn = name, fn
        self.__name__, self.__doc__, self.__module__ = fn.__name__, fn.__doc__, fn.__module__
        writes: Sequence[str] | None = facts.pop("writes", None)
        self._take_facts(facts)
        self._take_signature(fn)
        refs = [a.name for a in self.inputs if a.ref or a.handle]
        self.writes: tuple[str, ...] = tuple(refs if writes is None else writes) if self.effect == "write" else ()
        self.write_index = tuple(i for i, a in enumerate(self.inputs) if a.name in self.writes)
        self.infer_shapes: Callable[[Any], Any] | None = None
        self.infer_partial: Callable[[Any], Any] | None = None
        self.gradient: Callable[..., Any] | None = None
        self.differentiable = True
        self.platforms: dict[str, Callable[..., Any]] = {}
        self.packers: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {}
        self.refusal: Callable[[Any], Any] | None = None
        self.removed_in: int | None = None  # the first GraphDef version that may not hold it

    # -- declaration

    def _take_facts(self, facts: dict[str, Any]) -> None:
        """Keep what the declaration says beside the signature. Raises TypeError for facts that there are not."""
        self.effect: str | None = facts.pop("effect", None)
        self.host: bool | Callable[[Any], bool] = facts.pop("host", False)
        self.alias: bool = facts.pop("alias", False)
        self.shape_only: bool | Callable[[Any], bool] = facts.pop("shape_only", False)
        self.structured: bool = facts.pop("structured", False)
        self.takes_nothing: bool = facts.pop("takes_nothing", False)
        self.source: bool = facts.pop("source", False)
        self.stateful: bool = facts.pop("stateful", self.effect is not None)
        self.foldable: bool = facts.pop("foldable", True)
        self.numpy_only: bool = facts.pop("numpy_only", False)
        self.reshapes: bool = facts.pop("reshapes", False)
        self.must_feed: bool = facts.pop("must_feed", False)
        self.constant: bool = facts.pop("constant", False)
        self.resizes: bool = facts.pop("resizes", False)
        self.presence: bool = facts.pop("presence", False)
        self.device_strings: bool = facts.pop("device_strings", False)
        self.back_edge: bool = facts.pop("back_edge", False)
        self.frame: str = facts.pop("frame", "")
        self.takes_none: bool = facts.pop("takes_none", False)
        self.zeros_too: bool = facts.pop("zeros_too", False)
        self.waits: bool = facts.pop("waits", False)
        self.convolves: bool = facts.pop("convolves", False)
        self.keeps_place: bool = facts.pop("keeps_place", False)
        self.adds: bool = facts.pop("adds", False)
        self.pure_bodies: bool = facts.pop("pure_bodies", False)
        self.bodies: Callable[[dict[str, Any], Any], list[tuple[Any, list[Any]]]] | None = None
        self.chooses: Callable[[dict[str, Any], Any], Any] | None = None
        self.hands_on: tuple[str, ...] = ()
        self.rounding: Callable[..., Any] | None = None
        self.reaches: Callable[[Any, Sequence[int]], set[int]] | None = None
        self.forward_of: Callable[[dict[str, Any]], Any] | None = None
        self.args_of: Callable[[Any], list[Arg]] | None = None
        self.as_rows: Callable[..., Any] | None = None
        self.of_rows: Callable[..., Any] | None = None
        self.part: Callable[..., Any] | None = None
        self.default_name: str = facts.pop("default_name", self.name)
        if facts:
            raise TypeError(f"{self.name}: unknown facts {sorted(facts)}")

    def _take_signature(self, fn: Callable[..., Any]) -> None:
        """Read inputs, attrs and outputs off the lowering's parameters, and what follows from them."""
        code, notes = fn.__code__, fn.__annotations__
        defaults = fn.__kwdefaults__ or {}
        names = code.co_varnames
        self.inputs = [Arg(n, notes[n]) for n in names[: code.co_argcount]]
        keywords = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        self.attrs: dict[str, Attr] = {}
        self._type_attrs: dict[str, TypeAttr] = {}
        out = notes.get("return")
        self.outputs = self._parse_outputs(out)
        for arg in (*self.inputs, *self.outputs):
            self._declare(arg)
        for n in keywords:
            if n not in ("rng", "ctx", "run"):
                self._declare_attr(n.rstrip("_"), notes[n], defaults.get(n, REQUIRED))
        self.wants_rng = "rng" in keywords
        self.wants_ctx = "ctx" in keywords
        self.wants_run = "run" in keywords
        self.graph_attrs = [n for n, a in self.attrs.items() if a.kind in ("func", "list(func)")]
        self.lower_attrs = [(n, n.rstrip("_")) for n in keywords if n not in ("rng", "ctx", "run")]
        self.stateful = self.stateful or self.wants_rng
        if self.effect is None and self.wants_rng:
            self.effect = "rng"
        self.simple = all(a.kind == "one" for a in self.inputs)
        single = len(list(itertools.takewhile(lambda a: a.kind == "one", self.inputs)))
        self.refs = tuple(i for i, a in enumerate(self.inputs[: single + 1]) if a.ref)  # of a list, the first
        self.simple_out = all(a.kind == "one" for a in self.outputs)
        self.input_names = [a.name for a in self.inputs]
        self.inferred = {a.type_attr.name for a in self.inputs if a.type_attr} | {
            n for a in self.inputs for n in (a.number, a.types) if n
        }
        place = {n.rstrip("_"): i for i, n in enumerate(keywords)}  # as positional arguments they come in this order
        explicit = [a for n, a in self.attrs.items() if n not in self.inferred]
        self.explicit = sorted(explicit, key=lambda a: place.get(a.name, -1))
        self.static_args = tuple(i for i, a in enumerate(self.inputs) if a.static or a.known)

    def _parse_outputs(self, out: Any) -> list[Arg]:
        if out is None:
            return []
        if isinstance(out, Outputs):
            return [Arg(n, s) for n, s in out.specs.items()]
        return [Arg(OUTPUT_NAMES.get(self.name, "output"), out)]

    @functools.cached_property
    def _tuple(self) -> Any:
        """The class of what a call returns, where the op has several outputs; made when one is wanted, since a class takes long."""
        if len(self.outputs) < 2:
            return None
        return collections.namedtuple(self.name.lstrip("_"), [a.name for a in self.outputs])

    def _declare(self, arg: Arg) -> None:
        if arg.number:
            self.attrs.setdefault(arg.number, Attr(arg.number, "int", minimum=arg.minimum))
        if arg.types:
            self.attrs.setdefault(arg.types, Attr(arg.types, "list(type)", allowed=arg.allowed, minimum=arg.minimum))
        t = arg.type_attr
        if t is not None:
            self._type_attrs[t.name] = t
            default = REQUIRED if t.default is None else t.default
            self.attrs.setdefault(t.name, Attr(t.name, "type", default, t.allowed))

    def _declare_attr(self, name: str, note: Any, default: Any) -> None:
        minimum = allowed = None
        if isinstance(note, _Min):
            note, minimum = note.of, note.minimum
        if isinstance(note, _Enum):
            note, allowed = str, note.values
        if isinstance(note, _TypesOf):
            note, allowed, minimum = Types, note.allowed, note.minimum
        if isinstance(note, TypeAttr):
            self._type_attrs[note.name] = note
            if default is REQUIRED and note.default is not None:
                default = note.default
            self.attrs[name] = Attr(name, "type", default, note.allowed)
            return
        self.attrs[name] = Attr(name, ATTR_KINDS[note], default, allowed, minimum)

    # -- rules, registered beside the block

    def shape_rule(self, fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`fn(op)` gives the dims of the outputs (a list of tuples; a bare tuple where there is one output)."""
        self.infer_shapes = fn
        return fn

    def partial_rule(self, fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`fn(op)` gives the value of the output where only some of its integers are known: a tuple of ints and Nones."""
        self.infer_partial = fn
        return fn

    def grad(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """`fn(op, *output gradients)` gives the gradients of the inputs, None for those that have none."""
        self.gradient = fn
        return fn

    def not_differentiable(self) -> OpDef:
        """The gradient of this op's inputs is None."""
        self.differentiable = False
        return self

    def on(self, platform: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Another lowering, for one platform ('cpu', 'gpu', 'tpu').

        'host' is for input pipelines: NumPy arrays to NumPy arrays, or NotImplemented where the op's own function is to be asked.
        """

        def register(fn: Callable[..., Any]) -> Callable[..., Any]:
            self.platforms[platform] = fn
            return fn

        return register

    def refuses(self, fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`fn(op)` raises for attrs that no kernel takes, as its lowering does: a run that lacks a feed tells that first."""
        self.refusal = fn
        return fn

    def packs(self, platform: str, index: int) -> Callable[[Callable[[Any, Any], Any]], Callable[[Any, Any], Any]]:
        """How the lowering for `platform` wants its input `index` where that is a constant: of a NumPy array and the first node that takes
        it a NumPy array, once, or None.

        The lowering finds the result by `recipes.ready`.
        """

        def register(fn: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
            self.packers[platform] = index, fn
            return fn

        return register

    def needs_only_shapes(self, op: Any) -> bool:
        """Whether the outputs of this node follow from what is known of its inputs without their values."""
        return self.shape_only(op) if callable(self.shape_only) else self.shape_only

    def runs_on_host(self, op: Any) -> bool:
        """Whether this node of the op is host work."""
        return self.host(op) if callable(self.host) else self.host

    def __call__(self, *args: Any, name: str | None = None, **kwargs: Any) -> Any:
        try:
            return _build(self, args, name, dict(kwargs) if kwargs else kwargs)  # which it takes apart
        except (TypeError, ValueError):
            result = dispatch.handled(self, args, {**kwargs, "name": name})
            if result is NotImplemented:
                raise
            return result

    def __getattr__(self, name: str) -> Any:
        # Not a property: `inspect` would find it on the class too. Made when it is asked for, since few are.
        if name != "__signature__":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self._signature()

    def _signature(self) -> inspect.Signature:
        """How the op is called: its inputs, its attrs, `name`."""
        either, only, none = (
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
            inspect.Parameter.empty,
        )
        defaults = [(n, none) for n in self.input_names]
        defaults += [(a.name, none if a.default is REQUIRED else a.default) for a in self.explicit]
        parameters: list[inspect.Parameter] = []
        for n, default in [*defaults, ("name", None)]:
            late = bool(parameters) and (parameters[-1].kind is only or parameters[-1].default is not none)
            kind = only if late and (default is none or parameters[-1].kind is only) else either
            parameters.append(inspect.Parameter(n, kind, default=default))
        return inspect.Signature(parameters)

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self  # an OpDef in a class body is a value, not a method

    def __repr__(self) -> str:
        return f"<op {self.name}>"


OPS: dict[str, OpDef] = {}
# Gradient functions that users register by name (tf.RegisterGradient), beside those that ops bring themselves.
GRADIENTS: dict[str, Callable[..., Any] | None] = {}


def op(name: str, **facts: Any) -> Any:
    """Declare the op `name`; see OpDef for the facts."""

    def declare(fn: Callable[..., Any]) -> OpDef:
        if name in OPS:
            raise ValueError(f"op {name!r} is declared twice")
        OPS[name] = OpDef(name, fn, **facts)
        return OPS[name]

    return declare


def _build(opdef: OpDef, args: tuple, name: str | None, kwargs: dict[str, Any]) -> Any:
    # Replaced by core.build, which needs Graph; here so that an OpDef can be declared before any graph exists.
    from thalweg._src.core import build

    globals()["_build"] = build.build
    return build.build(opdef, args, name, kwargs)
