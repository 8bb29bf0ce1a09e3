"""What one turn of a loop does, as a program for the kernel of `source/turns.h`.

A program is a list of numbers: registers, products with unchanging weights, operations element by element. Every value belongs to a
row of a batch: [batch, n]; or it is one number for each row, [batch] or [batch, 1]; or it is the same for all rows, [1, n] or [].
`Unfit` is raised for what the kernel does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core.scan.body import Known, Node, Value

# In the order of `Operation` in turns.h.
OPERATIONS = (
    *("copy", "neg", "exp", "tanh", "logistic", "sqrt", "rsqrt", "abs", "sign", "not"),
    *("add", "sub", "mul", "div", "max", "min", "lt", "le", "gt", "ge", "eq", "ne", "and", "or"),
    *("select", "product", "sum", "largest", "first", "join"),
)
CODE = {name: i for i, name in enumerate(OPERATIONS)}
UNARY, BINARY = frozenset(OPERATIONS[1:10]), frozenset(OPERATIONS[10:24])
SAME = {"add_any": "add"}  # JAX's names for what is the same here
ALIASES = frozenset({"stop_gradient", "copy", "copy_p"})
VIEWED = 16  # what begins at a multiple of the widest vector can be written as columns of something wider


class Unfit(Exception):
    """The kernel is not for this loop."""


class Register(NamedTuple):
    """Memory for a value, as in turns.h: `width` 0 is one number for a row; columns of `base` from `offset` on, or a constant."""

    many: bool
    width: int
    base: int = -1
    offset: int = 0
    number: int = -1


class Program:
    """A program that grows. `values` says which register holds a value, `arguments` what the kernel is to be given."""

    def __init__(self, batch: int):
        self.batch = batch
        self.registers: list[Register] = []
        self.code: list[tuple[int, ...]] = []
        self.values: dict[Any, int] = {}
        self.arguments: list[Value] = []
        self.inputs: list[tuple[int, int, bool]] = []
        self.weights: list[tuple[int, int, int, bool]] = []
        self.rows: list[int] = []  # registers that are stored in each turn, and at the end
        self.ends: list[int] = []
        self.carried: list[tuple[int, int]] = []
        self.numbers: list[float] = []
        self._inputs: dict[Any, int] = {}
        self._parts: dict[Value, tuple[Node, int]] = {}  # what is written as columns of a joined value
        self._joined: dict[Node, int] = {}

    def encoded(self, length: int, backwards: bool) -> list[int]:
        """The numbers that turns.h reads."""
        n = len(self.rows)
        parts = [self.weights, self.registers, self.inputs, self.code]
        stored = [list(enumerate(self.rows)), [(n + i, r) for i, r in enumerate(self.ends)], self.carried]
        words = [length, self.batch, int(backwards)]
        for part in [*parts, *stored]:
            words += [len(part), *(int(word) for item in part for word in item)]
        return words

    # -- registers

    def register(self, many: bool, width: int, **more: Any) -> int:
        self.registers.append(Register(many, width, **more))
        return len(self.registers) - 1

    def number(self, value: Any) -> int:
        x = float(value)
        at = self.numbers.index(x) if x in self.numbers else len(self.numbers)
        self.numbers[at:] = self.numbers[at:] or [x]
        key = "number", at
        if key not in self._inputs:
            self._inputs[key] = self.register(False, 0, number=at)
        return self._inputs[key]

    def form(self, shape: Sequence[int]) -> tuple[bool, int]:
        """(many, width) of a value of this shape. A shape of one axis is a number for each row."""
        if len(shape) > 2 or (shape and shape[0] not in (1, self.batch)) or 0 in shape:
            raise Unfit(f"shape {tuple(shape)}")
        many = len(shape) > 0 and shape[0] == self.batch
        width = shape[1] if len(shape) == 2 else 1
        return many, 0 if width == 1 else width

    def input(self, value: Value, form: tuple[bool, int], each_turn: bool) -> int:
        """The register of a value that comes from outside."""
        if value.aval.dtype not in (np.float32, np.bool_):
            raise Unfit(f"type {value.aval.dtype}")
        key = value, form
        if key not in self._inputs:
            self._inputs[key] = self.register(*form)
            self.inputs.append((self.argument(value), self._inputs[key], each_turn))
        return self._inputs[key]

    def argument(self, value: Value) -> int:
        if value not in self.arguments:
            self.arguments.append(value)
        return self.arguments.index(value)

    def carry(self, value: Value) -> None:
        """`value` is carried, and begins as an argument."""
        self.values[value] = self.input(value, self.form(value.aval.shape), False)

    def read(self, v: Any) -> int:
        """The register of a value that is known by now."""
        if isinstance(v, Known):
            if np.shape(v.value):
                raise Unfit("an array in the program")
            return self.number(v.value)
        return self.values[v]

    def whole(self, v: Any) -> int:
        """A register that holds every element of `v`."""
        at, form = self.read(v), self.form(v.aval.shape)
        if (self.registers[at].many, self.registers[at].width) == form:
            return at
        return self.do("copy", self.register(*form), at)

    def own(self, v: Any) -> int:
        """A register with `v` that does not change before the turn ends."""
        at = self.whole(v)
        carried = {self.values[c] for c in self.values if c.node is None}
        base = self.registers[at].base
        return self.do("copy", self.register(*self.registers[at][:2]), at) if {at, base} & carried else at

    def do(self, name: str, to: int, a: int, b: int = -1, c: int = -1) -> int:
        self.code.append((CODE[name], to, a, b, c, -1))
        return to

    # -- operations

    def place_parts(self, nodes: Sequence[Node]) -> None:
        """Find values that can be written where they are joined with others."""
        for node in nodes:
            if node.name == "concatenate" and node.params["dimension"] == 1:
                start = 0
                for v in node.inputs:
                    width = v.aval.shape[1] if len(v.aval.shape) == 2 else 0
                    if isinstance(v, Value) and start % VIEWED == width % VIEWED == 0:
                        self._parts.setdefault(v, (node, start))
                    start += width

    def _together(self, node: Node) -> int:
        """The register of what `node` joins."""
        if node not in self._joined:
            self._joined[node] = self.register(*self.form(node.outputs[0].aval.shape))
        return self._joined[node]

    def _result(self, node: Node, sources: Sequence[int]) -> int:
        """A register for what `node` makes element by element: as large as the largest of its sources."""
        many = any(self.registers[s].many for s in sources)
        width = max(self.registers[s].width for s in sources)
        (value,) = node.outputs
        if value in self._parts and (many, width) == self.form(value.aval.shape) and width:
            joined, start = self._parts[value]
            return self.register(many, width, base=self._together(joined), offset=start)
        return self.register(many, width)

    def add(self, node: Node) -> None:
        """The code of one operation."""
        name = SAME.get(node.name, node.name)
        if name in UNARY or name in BINARY or name == "select_n":
            sources = [self.read(v) for v in node.inputs]
            if len(sources) > 3 or any(v.aval.dtype not in (np.float32, np.bool_) for v in node.inputs):
                raise Unfit(name)
            out = self.do("select" if name == "select_n" else name, self._result(node, sources), *sources)
            self.values[node.outputs[0]] = out
        elif name in ALIASES or (name == "convert_element_type" and node.params["new_dtype"] == np.float32):
            self.values[node.outputs[0]] = self.read(node.inputs[0])
        elif (own := getattr(self, f"_{name}", None)) is not None:
            own(node)
        else:
            raise Unfit(name)

    def _square(self, node: Node) -> None:
        at = self.read(node.inputs[0])
        self.values[node.outputs[0]] = self.do("mul", self._result(node, [at]), at, at)

    def _integer_pow(self, node: Node) -> None:
        power, at = node.params["y"], self.read(node.inputs[0])
        if not 1 <= abs(power) <= 4:
            raise Unfit(f"power {power}")
        out = at
        for _ in range(abs(power) - 1):
            out = self.do("mul", self._result(node, [at]), out, at)
        if power < 0:
            out = self.do("div", self._result(node, [at]), self.number(1.0), out)
        self.values[node.outputs[0]] = out

    def _clamp(self, node: Node) -> None:
        low, x, high = (self.read(v) for v in node.inputs)
        out = self.do("max", self._result(node, [low, x]), x, low)
        self.values[node.outputs[0]] = self.do("min", self._result(node, [out, high]), out, high)

    def _broadcast_in_dim(self, node: Node) -> None:
        shape = node.inputs[0].aval.shape
        if len(shape) == 2 and node.params["broadcast_dimensions"] != (0, 1):
            raise Unfit("axes are moved")
        if len(shape) == 1 and node.params["broadcast_dimensions"] != (0,):
            raise Unfit("numbers for each row become a row")
        self.values[node.outputs[0]] = self.read(node.inputs[0])

    def _reshape(self, node: Node) -> None:
        if self.form(node.inputs[0].aval.shape) != self.form(node.outputs[0].aval.shape):
            raise Unfit("reshape")
        self.values[node.outputs[0]] = self.read(node.inputs[0])

    _squeeze = _expand_dims = _reshape

    def _slice(self, node: Node) -> None:
        starts, limits = node.params["start_indices"], node.params["limit_indices"]
        shape = node.inputs[0].aval.shape
        if len(shape) != 2 or node.params["strides"] not in (None, (1, 1)) or (starts[0], limits[0]) != (0, shape[0]):
            raise Unfit("slice")
        self.values[node.outputs[0]] = self._columns(node.inputs[0], starts[1], limits[1])

    def _split(self, node: Node) -> None:
        if node.params["axis"] != 1:
            raise Unfit("split")
        start = 0
        for out, size in zip(node.outputs, node.params["sizes"], strict=True):
            self.values[out] = self._columns(node.inputs[0], start, start + size)
            start += size

    def _columns(self, v: Any, start: int, stop: int) -> int:
        at = self.whole(v)
        many, width, base, offset, _ = self.registers[at]
        if not width:
            return at
        if base >= 0:
            at, start, stop = base, start + offset, stop + offset
        view = self.register(many, stop - start, base=at, offset=start)
        return view if stop - start > 1 else self.do("first", self.register(many, 0), view)

    def _concatenate(self, node: Node) -> None:
        if node.params["dimension"] != 1:
            raise Unfit("concatenate")
        out, start = self._together(node), 0
        for v in node.inputs:
            many, width, at = self.registers[out].many, v.aval.shape[1], self.whole(v)
            if self.registers[at][2:4] != (out, start):
                self.do("join", self.register(many, width, base=out, offset=start), at)
            start += width
        self.values[node.outputs[0]] = out

    def _reduce_sum(self, node: Node) -> None:
        self._fold("sum", node)

    def _reduce_max(self, node: Node) -> None:
        self._fold("largest", node)

    def _fold(self, name: str, node: Node) -> None:
        (v,) = node.inputs
        if tuple(node.params["axes"]) != (1,) or len(v.aval.shape) != 2:
            raise Unfit(name)
        at = self.whole(v)
        if self.registers[at].width:
            at = self.do(name, self.register(self.registers[at].many, 0), at)
        self.values[node.outputs[0]] = at

    def product(self, node: Node) -> None:
        """A matrix product of rows with a weight, [batch, k] [k, n], or with a turned one."""
        rows, weight = node.inputs
        ((mine,), (its,)), batched = node.params["dimension_numbers"]
        shape = weight.aval.shape
        if mine != 1 or batched != ((), ()) or len(shape) != 2 or len(rows.aval.shape) != 2:
            raise Unfit("a product of another form")
        if not self.form(rows.aval.shape)[0] or weight.aval.dtype != np.float32 or rows.aval.dtype != np.float32:
            raise Unfit("a product of another form")
        self.weights.append((self.argument(weight), shape[its], shape[1 - its], its == 1))
        many, width = self.form(node.outputs[0].aval.shape)
        out = self.do("product", self.register(many, width or 1), self.whole(rows), len(self.weights) - 1)
        self.values[node.outputs[0]] = out if width else self.do("first", self.register(many, 0), out)


def _sources(instruction: tuple[int, ...]) -> list[int]:
    """The registers that an instruction reads; a product's second number is a weight."""
    operation, _, a, b, c, d = instruction
    return [r for r in ((a, c, d) if operation == CODE["product"] else (a, b, c)) if r >= 0]


def join_sums(program: Program) -> None:
    """What is added to a product alone is added while it is stored: a matrix of its size, a row for all its rows."""
    uses: dict[int, int] = {}
    for r in (*program.rows, *program.ends, *(b for _, b in program.carried), *(r.base for r in program.registers)):
        uses[r] = uses.get(r, 0) + 1
    for instruction in program.code:
        for r in _sources(instruction):
            uses[r] = uses.get(r, 0) + 1
    products: dict[int, int] = {}  # by the register of a result, where the product stands
    for at, instruction in enumerate(program.code):
        operation, to, a, b, *_ = instruction
        if operation == CODE["product"]:
            products[to] = at
        for mine, other in ((a, b), (b, a)) if operation == CODE["add"] else ():
            _, _, rows, weight, addend, line = program.code[products[mine]] if mine in products else (-1,) * 6
            if rows < 0 or uses[mine] != 1 or program.registers[to].base >= 0:
                continue
            form = program.registers[other][:2]
            if addend < 0 and form == program.registers[mine][:2]:
                addend = other
            elif line < 0 and form == (False, program.registers[mine].width):
                line = other
            else:
                continue
            program.code[products[mine]] = None  # type: ignore[call-overload]
            program.code[at] = (CODE["product"], to, rows, weight, addend, line)
            products[to] = at
            break
    program.code = [i for i in program.code if i is not None]


def compact(program: Program) -> None:
    """Give registers whose values are not needed any more to later values, so that all of them stay near the processor."""
    home = [i if r.base < 0 else r.base for i, r in enumerate(program.registers)]
    last: dict[int, int] = {}
    for at, instruction in enumerate(program.code):
        last.update({home[r]: at for r in (instruction[1], *_sources(instruction))})
    kept = {home[r] for r in (*program.rows, *program.ends, *(r for pair in program.carried for r in pair))}
    kept |= {home[r] for _, r, _ in program.inputs} | {i for i, r in enumerate(program.registers) if r.number >= 0}
    free: dict[tuple[bool, int], list[int]] = {}
    now: dict[int, int] = {}  # where the value of a register is, by its number
    for at, instruction in enumerate(program.code):
        own, sources = home[instruction[1]], _sources(instruction)
        ended = [r for r in {home[s] for s in sources} if r not in kept and last.get(r) == at and r != own]
        simple = instruction[0] < CODE["product"] and all(home[s] == s for s in sources)
        if own not in now and own not in kept:
            form = program.registers[own][:2]
            given = [r for r in ended if program.registers[r][:2] == form] if simple else []
            if given:  # element by element, the result may take the place of a source
                now[own] = now[given[0]]
                ended.remove(given[0])
            else:
                spare = free.get(form)
                now[own] = spare.pop() if spare else own
        for r in ended:
            free.setdefault(program.registers[r][:2], []).append(now[r])
        if last[own] == at and own not in kept:  # made for nobody
            free.setdefault(program.registers[own][:2], []).append(now[own])
    _renumber(program, home, now)


def _renumber(program: Program, home: list[int], now: dict[int, int]) -> None:
    """Put the registers that `now` names in the place of those that it was made for."""
    placed = [now.get(h, h) for h in home]
    order: dict[Any, int] = {}
    for r, h in zip(program.registers, placed, strict=True):
        if r.base < 0:
            order.setdefault(h, len(order))
    found: list[int] = []
    table: dict[Register, int] = {}
    registers = [program.registers[h] for h in order]
    for r, h in zip(program.registers, placed, strict=True):
        if r.base < 0:
            found.append(order[h])
            continue
        view = r._replace(base=order[h])
        if view not in table:
            table[view] = len(registers)
            registers.append(view)
        found.append(table[view])
    program.registers = registers
    one = lambda r: found[r] if r >= 0 else r
    product = CODE["product"]
    program.code = [
        (o, one(t), one(a), b if o == product else one(b), one(c), one(d)) for o, t, a, b, c, d in program.code
    ]
    program.inputs = [(a, one(r), each) for a, r, each in program.inputs]
    program.rows, program.ends = [one(r) for r in program.rows], [one(r) for r in program.ends]
    program.carried = [(one(a), one(b)) for a, b in program.carried]
