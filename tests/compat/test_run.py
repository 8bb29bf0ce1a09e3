"""`thalweg run` against `python`: the same program under both must see, print and return the same."""

import re
import subprocess
import sys
import textwrap

import pytest

SEEN = """
import sys
print(__name__, __file__, sys.argv, sys.path[0], __spec__, __package__, __doc__, __loader__ is None or "loader")
print(sys.modules["__main__"].__dict__ is globals(), sorted(set(globals()) - {"__cached__"}))
import pickle
class C: pass
print(type(pickle.loads(pickle.dumps(C()))) is C)
"""
FAILS = """
def ratio(a, b):
    return a / b

def main():
    try:
        ratio(1, 0)
    except ZeroDivisionError as error:
        raise ValueError("no ratio") from error

main()
"""
HOOKED = """
import sys
def hook(kind, value, traceback):
    names = []
    while traceback:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    print(kind.__name__, value, names)
sys.excepthook = hook
def inner(): raise KeyError("x")
inner()
"""
ENDS = {
    "exit code": "import sys; sys.exit(3)",
    "exit text": "raise SystemExit('bad luck')",
    "exit none": "import atexit; atexit.register(print, 'at exit'); raise SystemExit",
    "syntax error": "x = 1\nif x\n    pass\n",
    "own traceback": FAILS,
    "own excepthook": HOOKED,
    "what it sees": SEEN,
    "interrupted": "raise KeyboardInterrupt",
    "a thread that ends later": "import threading, time\nthreading.Timer(0.1, print, ['late']).start()",
    "latin-1": "# -*- coding: latin-1 -*-\nprint(ascii('caf\xe9'))\n",
}


def python(*words, cwd, stdin=""):
    return subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True, input=stdin, timeout=60)


def same(ours, theirs):
    assert ours.stdout == theirs.stdout
    assert ours.stderr == theirs.stderr
    assert ours.returncode == theirs.returncode


@pytest.mark.parametrize("case", ENDS)
def test_ends_as_under_python(case, tmp_path):
    (tmp_path / "prog.py").write_bytes(ENDS[case].encode("latin-1"))
    same(
        python("-m", "thalweg", "run", "prog.py", "--flag", "a b", cwd=tmp_path),
        python("prog.py", "--flag", "a b", cwd=tmp_path),
    )


def test_script_in_another_folder_sees_its_neighbours(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "neighbour.py").write_text("value = 7\n")
    (tmp_path / "lib" / "prog.py").write_text(SEEN + "import neighbour; print(neighbour.value)\n")
    same(python("-m", "thalweg", "lib/prog.py", "x", cwd=tmp_path), python("lib/prog.py", "x", cwd=tmp_path))


def test_a_linked_script_finds_what_is_beside_its_target(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "neighbour.py").write_text("value = 7\n")
    (tmp_path / "real" / "prog.py").write_text("import neighbour; print(neighbour.value, __file__)\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "real" / "prog.py")
    same(python("-m", "thalweg", "link.py", cwd=tmp_path), python("link.py", cwd=tmp_path))


def test_module_package_and_folder(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("print('init')\n")
    (tmp_path / "package" / "part.py").write_text("import sys; print(__name__, __spec__.name, __package__, sys.argv)\n")
    (tmp_path / "package" / "__main__.py").write_text("import sys; print('main', __package__, sys.argv, sys.path[0])\n")
    for words in (["-m", "package.part", "a"], ["-m", "package", "a"], ["package", "a"]):
        same(python("-m", "thalweg", "run", *words, cwd=tmp_path), python(*words, cwd=tmp_path))


def test_command_and_standard_input(tmp_path):
    source = "import sys; print(sys.argv, repr(sys.path[0]), __name__)"
    for words, stdin in ((["-c", source, "a"], ""), (["-", "a"], source)):
        ours = python("-m", "thalweg", "run", *words, cwd=tmp_path, stdin=stdin)
        same(ours, python(*words, cwd=tmp_path, stdin=stdin))


def test_options_of_python_reach_the_interpreter(tmp_path):
    (tmp_path / "prog.py").write_text(
        "import sys; print(sys.flags.optimize, sys.flags.dont_write_bytecode, sys.argv)\n"
    )
    words = ["-O", "-B", "-W", "error", "-u", "prog.py", "-O"]
    same(python("-m", "thalweg", "run", *words, cwd=tmp_path), python(*words, cwd=tmp_path))


def test_what_cannot_be_started(tmp_path):
    ran = python("-m", "thalweg", "run", "nosuch.py", cwd=tmp_path)
    assert ran.returncode == 2
    assert "nosuch.py" in ran.stderr
    assert "No such file" in ran.stderr
    ran = python("-m", "thalweg", "run", "-m", "nosuch", cwd=tmp_path)
    assert ran.returncode == 1
    assert "No module named nosuch" in ran.stderr
    ran = python("-m", "thalweg", "run", "--nosuch", "prog.py", cwd=tmp_path)
    assert ran.returncode == 2
    assert "unknown option --nosuch" in ran.stderr


def test_a_missing_symbol_stops_the_program_at_its_line(tmp_path):
    (tmp_path / "prog.py").write_text("import tensorflow as tf\nx = tf.plcaeholder(tf.float32)\n")
    ran = python("-m", "thalweg", "run", "prog.py", cwd=tmp_path)
    assert ran.returncode == 1
    assert 'prog.py", line 2' in ran.stderr
    assert ran.stderr.rstrip().endswith(
        "AttributeError: thalweg has no tf.plcaeholder; the nearest is tf.placeholder"
    ) or re.search(r"nearest is tf\.placeholder or ", ran.stderr)
    assert "_src" not in ran.stderr


def test_a_program_that_computes(tmp_path):
    program = """
        import numpy as np
        import tensorflow as tf
        from tensorflow.python.ops import math_ops

        x = tf.placeholder(tf.float32, [None, 2], name="x")
        w = tf.Variable(np.ones((2, 1), dtype=np.float32))
        y = math_ops.matmul(x, w)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            print(sess.run(y, {x: [[1, 2], [3, 4]]}).ravel().tolist(), np.float is float)
    """
    (tmp_path / "prog.py").write_text(textwrap.dedent(program))
    ran = python("-m", "thalweg", "run", "prog.py", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "[3.0, 7.0] True\n"


def test_no_shims_leaves_numpy_alone(tmp_path):
    (tmp_path / "prog.py").write_text("import numpy as np\nprint(hasattr(np, 'float'), hasattr(np, 'asscalar'))\n")
    assert python("-m", "thalweg", "run", "prog.py", cwd=tmp_path).stdout == "True True\n"
    assert python("-m", "thalweg", "run", "--no-shims", "prog.py", cwd=tmp_path).stdout == "False False\n"


def test_a_program_for_a_gpu_runs_without_one(tmp_path):
    (tmp_path / "prog.py").write_text(
        "import tensorflow as tf\nwith tf.device('/gpu:0'):\n    a = tf.constant(1.0)\n"
        "with tf.device('/gpu:1'):\n    b = a + 1.0\nprint(tf.Session().run(b))\n"
    )
    ran = python("-m", "thalweg", "run", "prog.py", cwd=tmp_path)
    assert (ran.returncode, ran.stdout.strip()) == (0, "2.0")
    assert ran.stderr.count("There is no /device:GPU:0 here") == 1
    assert "GPU:1" not in ran.stderr


def test_files_beside_a_program_by_their_place_in_tensorflow_s_tree(tmp_path):
    (tmp_path / "data_utils.py").write_text("import tensorflow as tf\nsize = tf.constant(3).dtype.size\n")
    (tmp_path / "cifar10.py").write_text("name = __name__\n")
    (tmp_path / "prog.py").write_text(
        "from tensorflow.models.image.cifar10 import cifar10\nassert cifar10.name == 'tensorflow.models.image.cifar10.cifar10'\n"
        "from tensorflow.models.rnn.translate import data_utils\nimport tensorflow.models.rnn.translate.data_utils as again\n"
        "print(data_utils.size, again is data_utils)\n"
        "try:\n    from tensorflow.models.rnn.translate import other\nexcept ImportError as e:\n    print('other' in str(e))\n"
    )
    ran = python("-m", "thalweg", "run", "prog.py", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "4 True\nTrue\n"), ran.stderr


def test_the_first_large_compilation_is_told_once(capsys, monkeypatch):
    from thalweg._src.compat import program
    from thalweg._src.compiler import lower

    monkeypatch.setattr(lower, "on_compile", [program.announce])
    for told in list(lower.on_compile):
        told(3, 0.1)
    assert lower.on_compile == [program.announce]
    program.announce(412, 0.84)
    program.announce(412, 0.84)
    assert capsys.readouterr().err == "thalweg: compiling step (412 ops) … 0.8 s; kept for the next start\n"


def test_processes_that_a_program_starts_find_tensorflow(tmp_path):
    (tmp_path / "program.py").write_text(
        textwrap.dedent("""
        import multiprocessing, subprocess, sys

        def number(queue):
            import tensorflow as tf
            queue.put(tf.constant(3.0).shape.ndims)

        if __name__ == "__main__":
            child = "import tensorflow.contrib.slim as slim, tensorflow as tf; print(slim.conv2d is tf.contrib.slim.conv2d)"
            print(subprocess.check_output([sys.executable, "-c", child], text=True).strip())
            context = multiprocessing.get_context("spawn")
            queue = context.Queue()
            process = context.Process(target=number, args=(queue,))
            process.start()
            print(queue.get(timeout=60))
            process.join()
        """)
    )
    done = subprocess.run(
        [sys.executable, "-m", "thalweg", "run", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == ["True", "0"], done.stderr


def test_arguments_that_the_program_made_numbers(tmp_path):
    (tmp_path / "prog.py").write_text(
        "import sys\nimport numpy as np\nimport tensorflow as tf\nsys.argv[1] = int(sys.argv[1])\n"
        "v = tf.get_variable('v', [300, 300])\n"
        "train = tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(tf.square(v)))\n"
        "with tf.Session() as session:\n"
        "    session.run(tf.global_variables_initializer())\n    session.run(train)\nprint(sys.argv[1] + 1)\n"
    )
    done = python("-m", "thalweg", "run", "prog.py", "2", cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("3\n", 0), done.stderr
