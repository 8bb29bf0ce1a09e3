"""The commands of `thalweg` besides `run`, each in a process of its own."""

import subprocess
import sys

import pytest

from thalweg._src.formats import protos

pytest.importorskip("typer")


def thalweg(*words, **keywords):
    command = [sys.executable, "-m", "thalweg", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **keywords)


@pytest.fixture(scope="module")
def graph():
    """x: placeholder [?, 3] -> y = x * 2, by hand: a reader of files needs no graph of ours."""
    g = protos.GraphDef()
    g.versions.producer = 134
    x = g.node.add(name="x", op="Placeholder", device="/cpu:0")
    x.attr["dtype"].type = protos.DT_FLOAT
    x.attr["shape"].shape.dim.add(size=-1)
    x.attr["shape"].shape.dim.add(size=3)
    two = g.node.add(name="two", op="Const")
    two.attr["value"].tensor.dtype = protos.DT_FLOAT
    two.attr["value"].tensor.tensor_shape.dim.add(size=3)
    two.attr["value"].tensor.float_val.append(2.0)
    y = g.node.add(name="scope/y", op="Mul", input=["x", "two"])
    y.attr["T"].type = protos.DT_FLOAT
    y.attr["_class"].list.s.append(b"loc:@x")
    return g


def test_inspect_binary_text_and_meta_graph(graph, tmp_path):
    from google.protobuf import text_format

    meta = protos.MetaGraphDef()
    meta.graph_def.CopyFrom(graph)
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    (tmp_path / "g.pbtxt").write_text(text_format.MessageToString(graph))
    (tmp_path / "g.meta").write_bytes(meta.SerializeToString())
    for name in ("g.pb", "g.pbtxt", "g.meta"):
        ran = thalweg("inspect", tmp_path / name, env={"COLUMNS": "200", "PATH": ""})
        assert ran.returncode == 0, ran.stderr
        lines = {line.split()[0]: line for line in ran.stdout.splitlines() if line.strip()}
        assert "Placeholder" in lines["x"]
        assert "/cpu:0" in lines["x"]
        assert "shape=[?,3]" in lines["x"]
        assert "value=float[3]" in lines["two"]
        assert "T=float" in lines["scope/y"]
        assert "3 nodes, 3 kinds of op, made by version 134" in ran.stdout


def test_inspect_some_nodes(graph, tmp_path):
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    ran = thalweg("inspect", tmp_path / "g.pb", "--match", "scope", env={"COLUMNS": "200", "PATH": ""})
    assert "scope/y" in ran.stdout
    assert "two  " not in ran.stdout.splitlines()[2]
    ran = thalweg("inspect", tmp_path / "g.pb", "--limit", "1", env={"COLUMNS": "200", "PATH": ""})
    assert "2 more nodes" in ran.stdout


@pytest.mark.parametrize("content", [b"", b"\xff\xff not a graph", None])
def test_inspect_what_is_no_graph(content, tmp_path):
    if content is not None:
        (tmp_path / "g.pb").write_bytes(content)
    ran = thalweg("inspect", tmp_path / "g.pb")
    assert ran.returncode == 2
    assert ran.stderr.startswith("thalweg inspect: ")
    assert "Traceback" not in ran.stderr


def test_doctor():
    ran = thalweg("doctor")
    assert ran.returncode == 0, ran.stderr
    import jax

    for word in (jax.__version__, "cpu:0", "board", "TensorFlow 1.15", "Compiled programs: ", "Compiled steps"):
        assert word in ran.stdout


def test_board_refuses_what_is_no_folder(tmp_path):
    ran = thalweg("board", tmp_path / "nothing")
    assert ran.returncode == 2
    assert "is no folder" in ran.stderr


def test_board_starts_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    ran = thalweg("board", tmp_path, "--version_tb")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().startswith("2.")
    assert "no event file" in ran.stderr


def test_help_version_and_unknown_commands():
    assert "board" in thalweg("--help").stdout
    assert "usage: thalweg run" in thalweg("run", "--help").stdout
    assert thalweg("--version").stdout.startswith("thalweg ")


def test_commands_but_run_need_typer_and_say_so(tmp_path):
    """`thalweg run` is part of the core install: it starts without typer and rich, the others say what they lack."""
    blocked = tmp_path / "typer.py"
    blocked.write_text("raise ModuleNotFoundError('No module named typer', name='typer')\n")
    (tmp_path / "prog.py").write_text("import sys; print('rich' in sys.modules, 'typer' in sys.modules)\n")
    env = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    assert thalweg("run", tmp_path / "prog.py", env=env).stdout == "False False\n"
    ran = thalweg("doctor", env=env)
    assert ran.returncode == 1
    assert "pip install 'thalweg[demo]'" in ran.stderr
