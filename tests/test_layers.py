"""The house rules that imports and names can break, read from the source without running it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "thalweg"

# layer -> the layers that it may import, besides itself and thalweg._src.version
MAY_IMPORT: dict[str, set[str]] = {
    "formats": set(),
    "core": {"formats"},
    "ops": {"core", "formats"},
    "compiler": {"core"},
}
MAY_IMPORT["runtime"] = {"compiler", "core", "formats"}
MAY_IMPORT["kernels"] = {"core", "ops"}
MAY_IMPORT["services"] = {"compiler", "core", "formats", "runtime"}
MAY_IMPORT["lib"] = {"ops", "core", "runtime", "formats", "services"}
BELOW = {"formats", "core", "ops", "compiler", "runtime", "kernels", "services", "lib"}
MAY_IMPORT["contrib"] = BELOW
MAY_IMPORT["compat"] = BELOW | {"contrib"}
MAY_IMPORT["cli"] = BELOW | {"contrib", "compat"}

# The one face that does something when it is imported: that is what it is for.
ACTING_FACES = {"thalweg.contrib", "thalweg.tensorflow"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(p): p for p in sorted(PACKAGE.rglob("*.py"))}
INSIDE = {m: p for m, p in SOURCES.items() if m.startswith("thalweg._src.")}
FACES = {m: p for m, p in SOURCES.items() if m not in INSIDE and m not in ("thalweg._src", "thalweg.__main__")}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def layer(module: str) -> str:
    """thalweg._src.core.graph -> core; a face -> face; another package -> its own name."""
    if module.startswith("thalweg._src."):
        return module.split(".")[2]
    return "face" if module.split(".")[0] == "thalweg" else module.split(".")[0]


def only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(node: ast.AST, *, inside_functions: bool) -> Iterator[ast.stmt]:
    """The import statements under `node` that run, or may run, with it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif only_for_types(child):
            continue
        elif inside_functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from statements(child, inside_functions=inside_functions)


def imports(module: str, *, inside_functions: bool = True) -> Iterator[str]:
    """The full names of the modules that `module` imports; `from package import submodule` names the submodule."""
    path = SOURCES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in statements(tree(path), inside_functions=inside_functions):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
            continue
        assert isinstance(node, ast.ImportFrom)
        base = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        source = ".".join([*base, *(node.module or "").split(".")]).strip(".")
        for alias in node.names:
            inner = f"{source}.{alias.name}"
            yield inner if inner in SOURCES else source


def test_imports_run_one_way():
    broken = []
    for module in INSIDE:
        here = layer(module)
        if here == "version":
            continue
        assert here in MAY_IMPORT, (
            f"{module}: no layer {here!r} in the plan; name it in MAY_IMPORT and docs/internals.md"
        )
        for imported in imports(module):
            there = layer(imported)
            if there in MAY_IMPORT and there != here and there not in MAY_IMPORT[here]:
                broken.append(f"{module} ({here}) imports {imported} ({there})")
    assert not broken, "\n".join(broken)


def test_nothing_imports_a_face():
    broken = [f"{m} imports {i}" for m in INSIDE for i in imports(m) if layer(i) == "face"]
    assert not broken, "\n".join(broken)


def test_no_import_cycle():
    edges = {m: {i for i in imports(m, inside_functions=False) if i in SOURCES and i != m} for m in SOURCES}
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> None:
        if module in path:
            raise AssertionError("import cycle: " + " -> ".join([*path[path.index(module) :], module]))
        if module not in done:
            for imported in sorted(edges[module]):
                visit(imported, [*path, module])
            done.add(module)

    for module in edges:
        visit(module, [])


@pytest.mark.parametrize("root", ["thalweg", "examples"])
def test_nobody_imports_tensorflow(root):
    broken = []
    for path in sorted((ROOT / root).rglob("*.py")):
        for node in ast.walk(tree(path)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            broken += [f"{path.relative_to(ROOT)}:{node.lineno}" for n in names if n.split(".")[0] == "tensorflow"]
    assert not broken, f"real TensorFlow is imported at {broken}"


def is_data(node: ast.expr) -> bool:
    """Literals, names and attributes, and lists, tuples and dictionaries of them: no call, no operator."""
    allowed = (ast.Constant, ast.Name, ast.Attribute, ast.List, ast.Tuple, ast.Dict, ast.expr_context)
    return all(isinstance(n, allowed) for n in ast.walk(node))


@pytest.mark.parametrize("module", FACES)
def test_faces_only_import(module):
    for i, node in enumerate(tree(FACES[module]).body):
        where = f"{FACES[module].relative_to(ROOT)}:{node.lineno}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            unnamed = [a.name for a in node.names if a.asname is None]
            assert not unnamed or module in ACTING_FACES, f"{where}: say `import x as x` for {unnamed}"
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            assert i == 0, f"{where}: a string that is not the docstring"
        elif isinstance(node, ast.Assign):
            assert is_data(node.value), f"{where}: a face computes nothing"
        else:
            assert module in ACTING_FACES, (
                f"{where}: a face holds imports, a docstring and data, not {type(node).__name__}"
            )


def test_file_names_say_what_is_inside():
    vague = re.compile(r"(^|_)(utils?|impl|helpers?|misc|common|v\d)$")
    inside = [m for m in INSIDE if layer(m) != "formats"]  # a file format has versions: checkpoint_v1
    broken = [m for m in inside if vague.search(m.rpartition(".")[2])]
    assert not broken, f"vague or versioned file names: {broken}"


def declares_op(node: ast.AST) -> bool:
    """`@op("VariableV2") def variable_v2`: the name is TensorFlow's."""
    words = [a.value for d in getattr(node, "decorator_list", ()) if isinstance(d, ast.Call) for a in d.args
             if isinstance(a, ast.Constant)]  # fmt: skip
    return any(str(word).endswith("V2") for word in words)


def test_definitions_are_not_impl_helper_or_v2():
    vague = re.compile(r"_(impl|helper|v2)$")
    froms = [n for p in FACES.values() for n in ast.walk(tree(p)) if isinstance(n, ast.ImportFrom)]
    public = {alias.asname or alias.name for node in froms for alias in node.names}
    broken = []
    for module, path in INSIDE.items():
        made = [n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        made = [n for n in made if not declares_op(n)]
        broken += [f"{module}: {n.name}" for n in made if vague.search(n.name) and n.name not in public]
    assert not broken, "names that say how, not what (TensorFlow's own public names are free):\n" + "\n".join(broken)


def test_every_package_has_an_init_and_the_type_marker_stands():
    assert (PACKAGE / "py.typed").exists()
    folders = {p.parent for p in PACKAGE.rglob("*.py")}
    assert not [f for f in folders if not (f / "__init__.py").exists()]
