"""What other libraries changed since the era, as a program under `thalweg run` meets it. Each runs in a process of its own."""

import importlib.util
import subprocess
import sys

import pytest


def run(tmp_path, source, *options):
    path = tmp_path / "program.py"
    path.write_text(source)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "thalweg", "run", *options, str(path)], capture_output=True, text=True
    )
    return done.stdout.split("\n")[:-1], done.stderr


def need(*names):
    for name in names:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")


def test_one_element_arrays_are_numbers(tmp_path):
    (tmp_path / "own.py").write_text("def half(x):\n    return float(x) / 2\n")
    out, err = run(
        tmp_path,
        "import numpy as np\nimport own\nx = np.array([3])\n"
        "print(int(x), float(np.array([[2.5]])), '%d %s' % (x, 'a'), '%.1f' % np.array([2.0]), own.half(x))\n"
        "a = np.zeros(3)\na[1] = np.array([4.0])\na[0:2] = [1, 2]\nd = {}\nd['k'] = x\nprint(a.tolist(), d['k'] is x)\n"
        "print(int('7'), isinstance(1, int), '%(a)d' % {'a': 1})\n"
        "try:\n    int(np.array([1, 2]))\nexcept TypeError:\n    print('refused')\n",
    )
    assert out == ["3 2.5 3 a 2.0 1.5", "[1.0, 2.0, 0.0] True", "7 True 1", "refused"], err


def test_methods_that_arrays_lost(tmp_path):
    out, err = run(
        tmp_path,
        "import numpy as np\nx = np.array([1, 5], np.uint8)\n"
        "print(x.tostring(), x.ptp(), x.reshape(1, 2).ptp(axis=1))\nx.itemset(1, 7)\nprint(x.tolist())\n"
        "class Own:\n    def tostring(self):\n        return 'own'\nprint(Own().tostring())\n",
    )
    assert out == ["b'\\x01\\x05' 4 [4]", "[1, 7]", "own"], err


def test_a_program_with_its_own_int_keeps_it(tmp_path):
    out, err = run(tmp_path, "int = lambda x: 'own'\nprint(int(3))\n")
    assert out == ["own"], err


def test_numpy(tmp_path):
    out, err = run(
        tmp_path,
        "import numpy as np\n"
        "print(np.array([[1, 2], [3]]).dtype, np.asarray([[1], [2]]).shape, np.array([1, 2], copy=False).tolist())\n"
        "print(np.fromstring(b'\\1\\2', np.uint8).tolist(), np.fromstring('1 2', sep=' ').tolist())\n",
    )
    assert out == ["object (2, 1) [1, 2]", "[1, 2] [1.0, 2.0]"], err


def test_scipy(tmp_path):
    need("scipy", "PIL")
    out, err = run(
        tmp_path,
        "import numpy as np, scipy.misc\nfrom scipy.misc import imread, imsave\n"
        "from scipy.sparse.linalg.eigen.arpack import eigsh\n"
        f"path = {str(tmp_path / 'a.png')!r}\n"
        "picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)\nimsave(path, picture)\n"
        "print((imread(path) == picture).all(), scipy.misc.imresize(picture, (2, 8)).shape)\n"
        "print(scipy.misc.imresize(picture, 50).shape, imread(path, flatten=True).shape, scipy.misc.logsumexp([0.0]))\n",
    )
    assert out == ["True (2, 8, 3)", "(2, 2, 3) (4, 4) 0.0"], err


def test_scikit_learn_and_pandas(tmp_path):
    need("sklearn", "pandas", "joblib")
    out, err = run(
        tmp_path,
        "from sklearn.externals import joblib\nfrom sklearn.cross_validation import train_test_split\nimport pandas as pd\n"
        "frame = pd.DataFrame({'a': [1, 2]})\n"
        "print(frame.as_matrix().tolist(), frame.ix[1, 'a'], len(frame.append({'a': 3}, ignore_index=True)))\n",
    )
    assert out == ["[[1], [2]] 2 3"], err


def test_without_shims(tmp_path):
    out, err = run(tmp_path, "import numpy as np\nprint(np.array([[1, 2], [3]]))\n", "--no-shims")
    assert out == []
    assert "inhomogeneous" in err


def test_imp(tmp_path):
    (tmp_path / "other.py").write_text("x = 5\n")
    out, err = run(
        tmp_path,
        f"import imp\nprint(imp.load_source('o', {str(tmp_path / 'other.py')!r}).x, imp.new_module('n').__name__)\n",
    )
    assert out == ["5 n"], err
