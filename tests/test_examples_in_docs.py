"""Every example that a reader can copy is run: the code blocks of README and docs/, and the doctests of the package.

A ```python block runs in a namespace that the blocks of its page share. A ```text block that follows it is what it must
print. A ```pycon block, like an example in a docstring, is a doctest. Doctests see `tf`, `np`, a folder `logdir` or `folder`, and
`run(fetches)`, which evaluates in a fresh session after running `after`: by default what initializes the variables.
NumPy's scalars print as plain numbers there: 0.5, not np.float32(0.5).
"""

import contextlib
import doctest
import importlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL_ONLY = {"", "sh", "bash", "text", "make"}
WITH_EXAMPLES = [
    p for p in sorted((ROOT / "thalweg" / "_src").rglob("*.py")) if re.search(r"^\s*>>> ", p.read_text(), re.M)
]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def run(fetches, feed_dict=None, *, after=None):
    """`fetches` evaluated in a fresh session of the default graph."""
    import thalweg as tf

    with tf.Session() as session:
        session.run(tf.global_variables_initializer() if after is None else after)
        return session.run(fetches, feed_dict)


def namespace(folder: Path):
    import thalweg as tf

    return {"tf": tf, "tfe": tf.contrib.eager, "np": np, "run": run, "logdir": str(folder), "folder": str(folder)}


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(m[1], m[2]) for m in FENCE.finditer(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    found = blocks(page)
    for i, (language, source) in enumerate(found):
        if language == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(source, f"{page.name}, block {i + 1}", "exec"), names)
            if i + 1 < len(found) and found[i + 1][0] == "text":
                assert out.getvalue().rstrip() == found[i + 1][1].rstrip()
        elif language == "pycon":
            check(doctest.DocTestParser().get_doctest(source, namespace(tmp_path), page.name, str(page), 0))
        else:
            assert language in SHELL_ONLY, f"{page.name}: nobody runs a block of {language}"


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda p: str(p.relative_to(ROOT / "thalweg" / "_src")))
def test_docstrings(path, tmp_path, monkeypatch):
    import thalweg as tf
    from thalweg._src.core.eager import eager_mode

    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs=namespace(tmp_path)):
        eagerly = "tfe." in test.docstring
        with eager_mode() if eagerly else tf.Graph().as_default():
            check(test)


def check(test: doctest.DocTest) -> None:
    out = io.StringIO()
    with np.printoptions(legacy="1.25"):
        failed, _ = doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=out.write)
    assert not failed, out.getvalue()
