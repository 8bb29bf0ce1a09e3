"""`thalweg check`: what a program asks of TensorFlow that thalweg lacks, found by reading it, without running it.

Names are followed through imports and plain assignments (`import tensorflow as tf`, `slim = tf.contrib.slim`); every
dotted name is looked up in what the import hook would serve, and the arguments of calls are held against signatures.
What stands in a `try` that catches its absence is not counted: the program has another way.
"""

import ast
import inspect
import json
import os
import types
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from thalweg._src.compat import hook
from thalweg._src.compat.nearest import MissingModule, MissingSymbol
from thalweg._src.compat.signatures import has_attribute, takes


class Finding(NamedTuple):
    """One thing that is missing, and where the program asks for it."""

    path: str
    line: int
    symbol: str
    message: str


class Report(NamedTuple):
    """All findings, how many files were read, and how many different symbols they use."""

    findings: list[Finding]
    files: int
    symbols: int


def check(paths: Iterable[str]) -> Report:
    """Read programs and folders. Raises FileNotFoundError where there is no such path."""
    installed = hook.installed()
    hook.install()
    try:
        findings: list[Finding] = []
        used: set[str] = set()
        given: set[str] = set()
        count = 0
        for path in paths:
            for file in sources(path):
                count += 1
                reader = check_source(read(file), file)
                findings += sorted(set(reader.findings))
                used |= reader.symbols
                given |= reader.given
        # A program may give the module, or a class, attributes of its own, and use them in another file.
        return Report([f for f in findings if f.symbol not in given], count, len(used))
    finally:
        if not installed:
            hook.uninstall()


def sources(path: str) -> Iterator[str]:
    """The programs and notebooks at `path`, a file or a folder."""
    if not os.path.isdir(path):
        if not os.path.exists(path):
            raise FileNotFoundError(f"no such file or folder: {path}")
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__pycache__")
        yield from (os.path.join(folder, f) for f in sorted(files) if f.endswith((".py", ".ipynb")))


def read(path: str) -> str:
    """The Python of a program, or of a notebook's cells without their magic lines."""
    with open(path, "rb") as f:
        data = f.read()
    if not path.endswith(".ipynb"):
        return data.decode("utf-8", "replace").lstrip("\ufeff")
    cells = [c for c in json.loads(data).get("cells", []) if c.get("cell_type") == "code"]
    lines = [line for c in cells for line in [*"".join(c.get("source", [])).splitlines(), ""]]
    return "\n".join("" if line.lstrip()[:1] in ("%", "!", "?") else line for line in lines)


def check_source(source: str, path: str = "<program>") -> "_Reader":
    """One program: its `findings`, the `symbols` that it uses, and the attributes that it gives them."""
    reader = _Reader(path)
    if "tensorflow" in source:
        try:
            reader.visit(ast.parse(source))
        except (SyntaxError, ValueError) as error:
            message = f"not Python 3: {getattr(error, 'msg', error)}"
            reader.findings.append(Finding(path, getattr(error, "lineno", None) or 1, "", message))
    return reader


class _Made:
    """A value that a call of a class gives: its attributes are those of the class."""

    def __init__(self, kind: type, symbol: str):
        self.kind, self.symbol = kind, symbol

    def kinds(self) -> Iterator[type]:
        """The class, and those below it where it chooses among them, as `tf.Variable` does."""
        kinds = [self.kind]
        for kind in kinds:  # grows meanwhile
            yield kind
            if self.kind.__new__ is not object.__new__:
                kinds += kind.__subclasses__()


def _arguments(given: ast.arguments) -> list[ast.arg]:
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [a for a in every if a is not None]


UNKNOWN = object()
CATCHES = {"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException", "TypeError"}


class _Reader(ast.NodeVisitor):
    def __init__(self, path: str):
        self.path = path
        self.findings: list[Finding] = []
        self.symbols: set[str] = set()
        self.given: set[str] = set()
        self.scopes: list[dict[str, Any]] = [{}]  # names -> (symbol, value), _Made, or UNKNOWN
        self.guarded = 0
        self.functions = 0  # around the statement that is read
        self.postponed = False  # whether annotations are kept as text

    # -- what names stand for

    def bind(self, name: str, value: Any) -> None:
        self.scopes[-1][name] = value

    def look_up(self, name: str) -> Any:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return UNKNOWN

    def miss(self, node: ast.AST, symbol: str, message: str) -> None:
        if not self.guarded:
            self.findings.append(Finding(self.path, getattr(node, "lineno", 1), symbol, message))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.split(".")[0] != hook.NAME:
                self.bind(alias.asname or alias.name.split(".")[0], UNKNOWN)
                continue
            module = self.module(node, alias.name)
            if alias.asname:
                self.bind(alias.asname, UNKNOWN if module is None else (alias.name, module))
            else:
                self.bind(hook.NAME, (hook.NAME, self.module(node, hook.NAME)))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        home = node.module or ""
        self.postponed |= home == "__future__" and any(a.name == "annotations" for a in node.names)
        if node.level or home.split(".")[0] != hook.NAME:
            for alias in node.names:
                self.bind(alias.asname or alias.name, UNKNOWN)
            return
        module = self.module(node, home)
        for alias in node.names:
            if alias.name == "*":
                for name in getattr(module, "__all__", []) if module is not None else []:
                    self.bind(name, (f"{home}.{name}", getattr(module, name)))
                continue
            value = UNKNOWN if module is None else self.attribute(node, home, module, alias.name)
            self.bind(alias.asname or alias.name, UNKNOWN if value is UNKNOWN else (f"{home}.{alias.name}", value))

    def module(self, node: ast.AST, name: str) -> Any:
        self.symbols.add(name)
        try:
            return hook.importlib.import_module(name)
        except (MissingModule, MissingSymbol) as error:
            self.miss(node, shown(name), str(error))
        except ImportError as error:
            self.miss(node, shown(name), f"{shown(name)} can't be imported: {error}")
        return None

    def attribute(self, node: ast.AST, symbol: str, value: Any, name: str) -> Any:
        """`value.name`, UNKNOWN where there is none (which is noted) or it can't be told."""
        full = f"{symbol}.{name}"
        if isinstance(value, types.ModuleType | type):
            self.symbols.add(full)
            try:
                return getattr(value, name)
            except AttributeError as error:
                told = str(error) if isinstance(error, MissingSymbol) else f"thalweg has no {shown(full)}"
                self.miss(node, shown(full), told)
            except ImportError as error:
                self.miss(node, shown(full), f"{shown(full)} can't be imported: {error}")
        return UNKNOWN

    def value_of(self, node: ast.AST) -> Any:
        """(symbol, value) or _Made for an expression that names something of TensorFlow's, else UNKNOWN."""
        if isinstance(node, ast.Name):
            return self.look_up(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.value_of(node.value)
            if isinstance(owner, tuple):
                symbol, holder = owner
                value = self.attribute(node, symbol, holder, node.attr)
                return UNKNOWN if value is UNKNOWN else (f"{symbol}.{node.attr}", value)
            if isinstance(owner, _Made):
                return self.member(node, owner)
            return UNKNOWN
        if isinstance(node, ast.Call):
            called = self.value_of(node.func)
            if isinstance(called, tuple) and inspect.isclass(called[1]) and not is_open(called[1]):
                return _Made(called[1], called[0])
        return UNKNOWN

    def member(self, node: ast.Attribute, owner: _Made) -> Any:
        if isinstance(node.ctx, ast.Load) and not any(has_attribute(kind, node.attr) for kind in owner.kinds()):
            symbol = f"{shown(owner.symbol)}().{node.attr}"
            self.miss(node, symbol, f"thalweg's {shown(owner.symbol)} has no {node.attr!r}")
            return UNKNOWN
        found = inspect.getattr_static(owner.kind, node.attr, None)
        return (f"{owner.symbol}().{node.attr}", found) if isinstance(found, types.FunctionType) else UNKNOWN

    # -- statements

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        value = self.value_of_quietly(node.value)
        for target in node.targets:
            if not isinstance(target, ast.Attribute):
                self.visit(target)
            self.bind_target(target, value)

    def annotations(self, *notes: ast.AST | None) -> None:
        """Read annotations that Python evaluates."""
        for note in () if self.postponed else notes:
            if note is not None:
                self.visit(note)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if not self.functions:
            self.annotations(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.bind_target(node.target, self.value_of_quietly(node.value))

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                value = self.value_of_quietly(item.context_expr)
                session = isinstance(value, _Made) and value.kind.__name__.endswith("Session")
                self.bind_target(item.optional_vars, value if session else UNKNOWN)
        for statement in node.body:
            self.visit(statement)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self.bind_target(node.target, UNKNOWN)
        for statement in [*node.body, *node.orelse]:
            self.visit(statement)

    def bind_target(self, target: ast.AST, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self.bind_target(element, UNKNOWN)
        elif isinstance(target, ast.Starred):
            self.bind_target(target.value, UNKNOWN)
        elif isinstance(target, ast.Attribute):
            owner = self.value_of_quietly(target.value)
            if isinstance(owner, tuple):
                self.given.add(shown(f"{owner[0]}.{target.attr}"))
            elif isinstance(owner, _Made):
                self.given.add(f"{shown(owner.symbol)}().{target.attr}")

    def visit_FunctionDef(self, node: Any) -> None:
        for part in [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]:
            self.visit(part)
        self.annotations(*(a.annotation for a in _arguments(node.args)), node.returns)
        self.bind(node.name, UNKNOWN)
        self.body(node.args, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in node.args.defaults:
            self.visit(part)
        self.body(node.args, [node.body])

    def body(self, arguments: ast.arguments, statements: list[Any]) -> None:
        self.scopes.append({a.arg: UNKNOWN for a in _arguments(arguments)})
        self.functions += 1
        for statement in statements:
            self.visit(statement)
        self.functions -= 1
        self.scopes.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]:
            self.visit(part)
        self.bind(node.name, UNKNOWN)
        self.scopes.append({})
        around, self.functions = self.functions, 0
        for statement in node.body:
            self.visit(statement)
        self.functions = around
        self.scopes.pop()

    def visit_Try(self, node: ast.Try) -> None:
        names = {
            n.id for h in node.handlers for n in ast.walk(h.type or ast.Name("Exception")) if isinstance(n, ast.Name)
        }
        guarded = bool(names & CATCHES)
        self.guarded += guarded
        for statement in node.body:
            self.visit(statement)
        self.guarded -= guarded
        # What a handler does instead may never happen; what follows does.
        self.guarded += guarded
        for handler in node.handlers:
            self.visit(handler)
        self.guarded -= guarded
        for statement in [*node.orelse, *node.finalbody]:
            self.visit(statement)

    # -- expressions

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self.value_of(node) is UNKNOWN:
            inner: ast.AST = node
            while isinstance(inner, ast.Attribute):
                inner = inner.value
            self.visit(inner)

    def visit_Call(self, node: ast.Call) -> None:
        self.visit(node.func)
        for part in [*node.args, *(k.value for k in node.keywords)]:
            self.visit(part)
        called = self.value_of_quietly(node.func)
        if isinstance(called, tuple) and callable(called[1]):
            self.check_call(node, *called)

    def check_call(self, node: ast.Call, symbol: str, target: Any) -> None:
        accepted = takes(target)
        if accepted is None:
            return
        bound = 1 if "()." in symbol else 0  # a method's self
        for keyword in node.keywords:
            if keyword.arg is not None and not accepted.anything and keyword.arg not in accepted.names:
                self.miss(node, shown(symbol), f"{shown(symbol)} takes no argument {keyword.arg!r}")
        given = len(node.args) + bound
        if accepted.positional is not None and given > accepted.positional:
            if not any(isinstance(a, ast.Starred) for a in node.args):
                most = accepted.positional - bound
                self.miss(
                    node, shown(symbol), f"{shown(symbol)} takes at most {most} arguments, {given - bound} are given"
                )

    def value_of_quietly(self, node: ast.AST) -> Any:
        self.guarded += 1
        try:
            return self.value_of(node)
        finally:
            self.guarded -= 1


def is_open(kind: type) -> bool:
    """Whether objects of a class have attributes that its source doesn't tell."""
    return issubclass(kind, type | BaseException | tuple | dict) or hasattr(kind, "DESCRIPTOR")


def shown(symbol: str) -> str:
    return symbol.replace("tensorflow", "tf", 1)
