"""Every public symbol is in some test: those that no other test mentions are in the tables of tests/oracle/public.

A table gives a small program per symbol; what TensorFlow 1.15 (0.12 for the names that 1.x dropped) made of each is recorded.
"""

import ast
import doctest
import gzip
import importlib
import json
import pkgutil
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import absl.flags
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cases import base
from oracle import public

import thalweg as tf
from thalweg._src.core.opdef import OpDef

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "thalweg"
TABLES = public.tables()
# Parts with other issues than the namespace of 1.15: tests/contrib and what stands under thalweg.contrib.
APART = {"thalweg.contrib", "thalweg.tensorflow"}
PLAIN = (int, float, str, bytes, tuple, frozenset, type(None))


def recorded(vintage: str) -> dict[str, dict[str, object]]:
    return json.loads(gzip.decompress((TESTS / "golden" / f"public-{vintage}.json.gz").read_bytes()))


RECORDED = {vintage: recorded(vintage) for vintage in TABLES}


def same(got, expected):
    """Whether two plain values are one, numbers to what float32 holds."""
    if isinstance(expected, list):
        return isinstance(got, list) and len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(expected, float):
        return got == pytest.approx(expected, rel=2e-4, abs=2e-5, nan_ok=True)
    return got == expected


@pytest.mark.parametrize(("vintage", "family"), [(v, f) for v, families in TABLES.items() for f in families])
def test_family(vintage, family, tmp_path):
    with tf.Graph().as_default():
        got = public.evaluate(tf, TABLES[vintage][family], str(tmp_path))
    expected = RECORDED[vintage][family]
    assert list(got) == list(TABLES[vintage][family])
    wrong = {name: (got[name], expected.get(name)) for name in got if not same(got[name], expected.get(name))}
    assert not wrong


def faces(name: str = "thalweg") -> Iterator[types.ModuleType]:
    face = importlib.import_module(name)
    yield face
    for found in pkgutil.iter_modules(getattr(face, "__path__", [])):
        inner = f"{name}.{found.name}"
        if not found.name.startswith("_") and inner not in APART:
            yield from faces(inner)


def public_symbols() -> dict[object, list[str]]:
    """The public names, by the object that they lead to: all aliases of an object are one symbol."""
    found: dict[object, list[str]] = {}
    for face in faces():
        for name, value in vars(face).items():
            if not name.startswith("_") and not isinstance(value, types.ModuleType):
                path = f"{face.__name__.replace('thalweg', 'tf', 1)}.{name}"
                found.setdefault(path if isinstance(value, PLAIN) else id(value), []).append(path)
    return found


def resolve(path: str) -> object:
    """What a dotted path under tf (or thalweg) leads to; None for none, and for a part whose library is not installed."""
    value: object = tf
    for part in path.split(".")[1:]:
        try:
            value = getattr(value, part, None)
        except ImportError:
            return None
    return value


class Mentions(ast.NodeVisitor):
    """The dotted paths under tf that a file names: also by its aliases of faces, in strings, and by getattr of a face."""

    def __init__(self, tree: ast.AST):
        self.names = {name: {"tf"} for name in ("tf", "thalweg", "tensorflow")}  # a name may stand for several faces
        self.paths: set[str] = set()
        self.words: set[str] = set()
        self.asked: set[str] = set()
        self.visit(tree)
        self.paths |= {f"{face}.{word}" for face in self.asked for word in self.words}

    def paths_of(self, node: ast.AST) -> set[str]:
        if isinstance(node, ast.Name):
            return self.names.get(node.id, set())
        return {f"{p}.{node.attr}" for p in self.paths_of(node.value)} if isinstance(node, ast.Attribute) else set()

    def visit_Import(self, node: ast.Import) -> None:
        for a in node.names:
            top = a.name.split(".")[0]
            if top in self.names and a.asname:
                self.names.setdefault(a.asname, set()).add(a.name.replace(top, "tf", 1))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if module.startswith("thalweg._src."):
            importlib.import_module(module)
            for a in node.names:
                self.names.setdefault(a.asname or a.name, set()).add(f"{module}.{a.name}")
                self.paths.add(f"{module}.{a.name}")
        elif module.split(".")[0] in ("thalweg", "tensorflow"):
            for a in node.names:
                path = f"{module.replace(module.split('.')[0], 'tf', 1)}.{a.name}"
                self.names.setdefault(a.asname or a.name, set()).add(path)
                self.paths.add(path)

    def visit_Assign(self, node: ast.Assign) -> None:
        target, value = node.targets[0], node.value
        paired = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
        for name, given in zip(target.elts, value.elts, strict=False) if paired else [(target, value)]:
            paths = self.paths_of(given)
            if isinstance(name, ast.Name) and paths:
                self.names.setdefault(name.id, set()).update(paths)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.paths |= self.paths_of(node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id == "getattr":
            self.asked |= self.paths_of(node.args[0])
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.paths.update(re.findall(r"\btf(?:\.\w+)+", node.value))
            self.words.update([node.value] if node.value.isidentifier() else [])


def sources() -> Iterator[ast.AST]:
    """What tests run: the files under tests/, but for the recorders, and the examples in docstrings."""
    for path in TESTS.rglob("*.py"):
        if not path.name.startswith("record_"):
            yield ast.parse(path.read_text(encoding="utf-8"))
    for path in (PACKAGE / "_src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for example in doctest.DocTestParser().get_examples(text) if ">>> " in text else []:
            yield ast.parse(example.source)


def mentioned() -> tuple[set[str], set[int]]:
    """The paths that tests name, and the objects that those lead to."""
    paths = {name for families in TABLES.values() for table in families.values() for name in table}
    for tree in sources():
        paths |= Mentions(tree).paths
    return paths, {id(resolve(path)) for path in paths}


def test_most_flags_are_absls():
    same = [name for name, value in vars(tf.flags).items() if value is getattr(absl.flags, name, None)]
    assert len(same) > 50


def test_every_public_symbol_is_in_a_test():
    paths, objects = mentioned()
    others = set(map(id, vars(absl.flags).values()))  # tested by those who made them
    ops = {case.op for cases in base.families().values() for case in cases}
    untested = []
    for key, names in public_symbols().items():
        value = resolve(names[0])
        recorded_op = isinstance(value, OpDef) and value.name in ops
        if not (key in objects or key in others or paths.intersection(names) or recorded_op):
            untested.append(" = ".join(names))
    assert not untested, f"{len(untested)} public symbols are in no test:\n" + "\n".join(untested)


def test_an_untested_symbol_is_found(monkeypatch):
    def nobody_tests_this():
        """A symbol that only its face knows."""

    monkeypatch.setattr(tf, "nobody_" + "knows", nobody_tests_this, raising=False)
    with pytest.raises(AssertionError, match="nobody_" + "knows"):
        test_every_public_symbol_is_in_a_test()


def test_functions_made_by_functions_have_names_of_their_own():
    """Programs keep tables by `__name__` (tensorpack's argument scopes). Contrib is held to it too."""
    for face in [*faces(), *faces("thalweg.contrib")]:
        names: dict[str, object] = {}
        for name, value in vars(face).items():
            if isinstance(value, types.FunctionType) and not name.startswith("_"):
                assert names.setdefault(value.__name__, value) is value, (face.__name__, name, value.__name__)
