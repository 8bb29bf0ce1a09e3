"""tf.app, tf.flags, tf.logging, tf.resource_loader: each in a program of its own, since flags belong to a process."""

import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import thalweg as tf


def ran(source, *words, folder):
    path = folder / "prog.py"
    path.write_text(textwrap.dedent(source))
    return subprocess.run([sys.executable, path, *words], capture_output=True, text=True, timeout=60)


def test_flags_by_app_run(tmp_path):
    source = """
        import thalweg as tf
        flags = tf.app.flags
        flags.DEFINE_integer("steps", 100, "how many")
        flags.DEFINE_string("name", default_value="a", docstring="older names of the arguments")
        flags.DEFINE_boolean("fast", False, "how")
        flags.DEFINE_float("rate", 0.5, "rate")
        FLAGS = flags.FLAGS
        def main(argv):
            print(FLAGS.steps, FLAGS.name, FLAGS.fast, FLAGS.rate, argv[1:])
            FLAGS.steps = 7
            print(FLAGS.steps, FLAGS["steps"].value, "steps" in FLAGS)
            return 3
        tf.app.run()
    """
    end = ran(source, "--steps=5", "--fast", "--rate", "1e-3", "rest", folder=tmp_path)
    assert end.stdout == "5 a True 0.001 ['rest']\n7 7 True\n", end.stderr
    assert end.returncode == 3
    end = ran(source, "--steps=5", "--unknown=1", "rest", folder=tmp_path)
    assert end.stdout.startswith("5 a False 0.5 ['--unknown=1', 'rest']")
    end = ran(source, "--steps=many", folder=tmp_path)
    assert end.returncode == 1
    assert "flag --steps=many" in end.stderr


def test_a_boolean_flag_takes_the_word_behind_it(tmp_path):
    source = """
        import thalweg as tf
        tf.flags.DEFINE_boolean("train", True, "as until 1.4: --train False")
        tf.flags.DEFINE_boolean("fast", False, "")
        tf.flags.DEFINE_string("name", "", "takes its own word")
        FLAGS = tf.flags.FLAGS
        def main(argv):
            print(FLAGS.train, FLAGS.fast, FLAGS.name, argv[1:])
        tf.app.run()
    """
    assert ran(source, "--train", "False", "--fast", "True", folder=tmp_path).stdout == "False True  []\n"
    assert ran(source, "--notrain", "--name", "true", "x", folder=tmp_path).stdout == "False False true ['x']\n"
    assert ran(source, "--fast", "False.txt", folder=tmp_path).stdout == "True True  ['False.txt']\n"


def test_flags_that_absl_has_too(tmp_path):
    source = """
        import thalweg as tf
        flags = tf.app.flags
        flags.DEFINE_string("log_dir", "logs", "where to")
        flags.DEFINE_string("verbosity", "INFO", "how much")
        flags.DEFINE_integer("v", 3, "version")
        def main(_):
            print(flags.FLAGS.log_dir, flags.FLAGS.verbosity, flags.FLAGS.v)
        tf.app.run()
    """
    end = ran(source, folder=tmp_path)
    assert end.stdout == "logs INFO 3\n", end.stderr
    end = ran(source, "--log_dir=here", "--verbosity", "WARN", "--v=5", folder=tmp_path)
    assert end.stdout == "here WARN 5\n", end.stderr
    end = ran(source, "--help", folder=tmp_path)
    assert "--log_dir: where to" in end.stdout, end.stderr


def test_flags_are_parsed_when_they_are_read(tmp_path):
    source = """
        import numpy as np
        import thalweg as tf
        tf.flags.DEFINE_integer("steps", np.power(10, 2), "how many")
        print(tf.flags.FLAGS.steps)
        print(tf.flags.FLAGS.flag_values_dict()["steps"])
    """
    assert ran(source, "--steps", "3", folder=tmp_path).stdout == "3\n3\n"


def test_flags_as_0_12_read_them(tmp_path):
    source = """
        import thalweg as tf
        tf.flags.DEFINE_integer("steps", 100, "how many")
        FLAGS = tf.flags.FLAGS
        print(FLAGS._parse_flags())
        print([name for name, value in sorted(FLAGS.__flags.items()) if name == "steps"])
    """
    assert ran(source, "--steps", "3", "rest", folder=tmp_path).stdout == "['rest']\n['steps']\n"


def test_settings_that_are_no_flags(tmp_path):
    source = """
        import thalweg as tf
        tf.flags.DEFINE_integer("steps", 100, "how many")
        FLAGS = tf.flags.FLAGS
        FLAGS.sources = 2
        FLAGS.steps = 5
        values = FLAGS.__dict__["__flags"]
        print(FLAGS.sources, "sources" in FLAGS, values["steps"], values["sources"])
        del FLAGS.sources
        print(hasattr(FLAGS, "sources"), hasattr(FLAGS, "steps"))
    """
    assert ran(source, folder=tmp_path).stdout == "2 True 5 2\nFalse True\n"


def test_log_lines(tmp_path):
    source = """
        import thalweg as tf
        tf.logging.info("not yet %d", 1)
        tf.logging.warn("careful %d", 2)
        tf.logging.set_verbosity(tf.logging.INFO)
        tf.logging.info("now %s", "x")
        for i in range(5):
            tf.logging.log_every_n(tf.logging.INFO, "every %d", 2, i)
            tf.logging.log_first_n(tf.logging.INFO, "first %d", 2, i)
        tf.logging.log_if(tf.logging.ERROR, "never", False)
        tf.logging.flush()
        print(tf.logging.get_verbosity())
    """
    end = ran(source, folder=tmp_path)
    assert end.stdout == "20\n", end.stderr
    prefix = "INFO:tensorflow:"
    loop = [f"{prefix}every 0", f"{prefix}first 0", f"{prefix}first 1", f"{prefix}every 2", f"{prefix}every 4"]
    assert end.stderr.splitlines() == ["WARNING:tensorflow:careful 2", f"{prefix}now x", *loop]


def test_a_record_names_the_program_s_line(caplog):
    with caplog.at_level(logging.INFO, logger="tensorflow"):
        tf.logging.info("here")
        tf.logging.log_if(tf.logging.ERROR, "here", True)
        tf.logging.log_first_n(tf.logging.ERROR, "here", 1)
    assert [Path(r.pathname).name for r in caplog.records] == ["test_platform.py"] * 3
    assert tf.get_logger().name == "tensorflow"


def test_files_beside_the_program(tmp_path):
    here = str(Path(__file__).parent)
    assert tf.resource_loader.get_data_files_path() == here
    assert tf.resource_loader.get_path_to_datafile("x.txt") == here + "/x.txt"
    assert tf.resource_loader.get_root_dir_with_all_resources() == here
    assert tf.resource_loader.load_resource("test_platform.py").startswith(b'"""tf.app')
    (tmp_path / "job.runfiles" / "repo" / "deep").mkdir(parents=True)
    source = "import thalweg as tf; print(tf.resource_loader.get_root_dir_with_all_resources())"
    end = ran(source, folder=tmp_path / "job.runfiles" / "repo" / "deep")
    assert end.stdout.strip() == str(tmp_path / "job.runfiles" / "repo")


def test_the_content_of_a_file_is_plain_bytes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"One\na\n")
    seen = []
    with tf.Graph().as_default(), tf.Session() as sess:
        content = tf.read_file(str(path))
        told = tf.py_func(lambda text: seen.append(np.array(text)) or np.int64(len(text)), [content], tf.int64)
        one, both, size = sess.run([content, tf.stack([content, content]), told])
    assert type(one) is bytes
    assert np.array(one) == b"One\na\n"  # NumPy makes no array of a class of one's own
    assert [type(x) for x in both] == [bytes, bytes]
    assert size == 6
    assert seen[0] == b"One\na\n"


def test_places_outside_of_a_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("four")
    with tf.gfile.GFile(str(path)) as f:
        with pytest.raises(tf.errors.InvalidArgumentError):
            f.seek(-1)
        with pytest.raises(tf.errors.OutOfRangeError):
            f.seek(5)
