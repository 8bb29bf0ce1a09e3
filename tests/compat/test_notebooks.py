"""Notebooks as programs, `%load_ext thalweg`, and programs for Python 2."""

import json
import subprocess
import sys
import types

import pytest

import thalweg as tf
from thalweg._src.compat import hook, notebooks, python2, scalars, watching

PYTHON2 = """\
import cPickle
from itertools import izip
print "hello", 7 / 2, 7.0 / 2
d = {'a': 1}
print d.keys()[0], d.has_key('a'), [k for k, v in d.iteritems()], list(izip([1], [2]))
for i in xrange(2): print i,
print
n = 9
n /= 2
print n, map(lambda x: x + 1, [1, 2])[0], unicode('x')
try:
\traise ValueError, "no"
except ValueError, e:
        print 'caught', e
import beside
print beside.half(5)
"""
SEEN = "hello 3 3.5\na True ['a'] [(1, 2)]\n0 1 \n4 2 x\ncaught no\n2\n"


def started(folder, *args):
    command = [sys.executable, "-m", "thalweg", "run", *args]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300)


def notebook(path, *sources):
    made = [{"cell_type": "markdown", "source": ["text"]}, *({"cell_type": "code", "source": s} for s in sources)]
    path.write_text(json.dumps({"cells": made, "nbformat": 4, "metadata": {}}))
    return path


def test_a_program_for_python_2_is_mended_in_memory(tmp_path):
    pytest.importorskip("fissix")
    (tmp_path / "old.py").write_text(PYTHON2)
    (tmp_path / "beside.py").write_text("def half(x):\n    return x / 2  # of the program's own\n")
    done = started(tmp_path, "--py2", "old.py")
    assert (done.returncode, done.stdout) == (0, SEEN), done.stderr
    assert (tmp_path / "old.py").read_text() == PYTHON2


def test_without_the_option_it_is_a_syntax_error(tmp_path):
    (tmp_path / "old.py").write_text("print 'x'\n")
    assert "SyntaxError" in started(tmp_path, "old.py").stderr


def test_division_of_python_2():
    pytest.importorskip("fissix")
    names = {}
    python2.turn_on()
    try:
        exec(scalars.compiled("a = 7 / 2\nb = 7 / 2.0\nc = x / 2\n", "old.py"), names | {"x": tf.constant(5)}, names)
        new = scalars.compiled("from __future__ import division\nd = 7 / 2\n", "new.py")
    finally:
        python2.turn_off()
    exec(new, names)
    assert (names["a"], names["b"], names["d"]) == (3, 3.5, 3.5)
    assert names["c"].dtype == tf.int32


BUFFERS = """\
import io
from cStringIO import StringIO
import cStringIO, StringIO as whole
picture = StringIO(b"\\x89PNG")
print repr(picture.read(2)), repr(picture.read())
text = cStringIO.StringIO()
print >>text, "one"
text.write("two")
text.seek(0)
print text.readlines(), text.getvalue(), [line for line in whole.StringIO("a\\nb")]
kept = StringIO()
kept.write(b"\\xff")
print repr(kept.getvalue())
"""


def test_files_in_memory_hold_text_or_bytes(tmp_path):
    pytest.importorskip("fissix")
    (tmp_path / "buffers.py").write_text(BUFFERS)
    done = started(tmp_path, "--py2", "buffers.py")
    assert done.stdout.splitlines() == [
        "b'\\x89P' b'NG'",
        "['one\\n', 'two'] one",
        "two ['a\\n', 'b']",
        "b'\\xff'",
    ], done.stderr


PICKLES = """\
import cPickle
import cPickle as again
from six.moves import cPickle as third, xrange
from cPickle import dumps
with open("a", "w") as a, open("b", "w") as b, open("c", "wb") as c:
    a.write(cPickle.dumps([1, u"x"]))
    again.dump({"k": 2}, b)
    third.dump((3,), c, cPickle.HIGHEST_PROTOCOL)
with open("a") as a, open("b") as b, open("c", "rb") as c:
    found = cPickle.loads(a.read()), cPickle.load(b), cPickle.load(c), list(xrange(2))
old = cPickle.loads(b"U\\x02\\xe9a.")  # a string of Python 2
same = dumps is cPickle.dumps
"""


def test_pickles_of_python_2_are_text(tmp_path, monkeypatch):
    pytest.importorskip("fissix")
    monkeypatch.chdir(tmp_path)
    names = {}
    python2.turn_on()
    try:
        exec(scalars.compiled(PICKLES, "old.py"), names)
    finally:
        python2.turn_off()
    assert names["found"] == ([1, "x"], {"k": 2}, (3,), [0, 1])
    assert names["old"] == "\xe9a"
    assert names["same"]


def test_a_notebook_runs_cell_by_cell(tmp_path):
    path = notebook(
        tmp_path / "nb.ipynb",
        ["%matplotlib inline\n", "import tensorflow as tf\n", "!echo from the shell\n", "!pip install tensorflow\n"],
        ["x = tf.constant([4])\n", "tf.Session().run(x).tolist()"],
        "%%time\nx;",
        "%%writefile made.py\nvalue = 3\n",
        ["s = '''\n", "%not magic\n", "'''\n", "import made\n", "print(s.strip(), made.value)\n", "x?\n", "1/0"],
        "print('never')",
    )
    done = started(tmp_path, path.name)
    assert done.stdout == "from the shell\nnot run: !pip install tensorflow\n[4]\n%not magic 3\n"
    assert done.returncode == 1
    assert 'nb.ipynb[5]", line 7' in done.stderr
    assert "1/0" in done.stderr
    assert "never" not in done.stdout


def test_what_is_no_notebook(tmp_path):
    path = tmp_path / "no.ipynb"
    path.write_text("[]")
    with pytest.raises(ValueError, match="is not a notebook"):
        notebooks.cells(str(path))


def test_lines_for_ipython():
    assert notebooks.without_magic("%time y = f(x)") == "y = f(x)"
    assert notebooks.without_magic("if a:\n    %load_ext x\n") == "if a:\n    pass\n"
    assert notebooks.without_magic("%%bash\nls") == ""
    assert notebooks.without_magic("a = 5 \\\n  + b") == "a = 5 \\\n  + b"


def test_the_extension_of_ipython():
    before = hook.installed(), scalars.is_on(), watching._watcher in sys.meta_path
    if any(before):
        pytest.skip("the hook is in use")
    shell = types.SimpleNamespace(ast_transformers=[])
    tf.load_ipython_extension(shell)
    try:
        assert hook.installed()
        assert len(shell.ast_transformers) == 1
    finally:
        tf.unload_ipython_extension(shell)
    assert not hook.installed()
    assert shell.ast_transformers == []
