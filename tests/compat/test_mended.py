"""What other libraries changed since the era, as a program under `thalweg run` meets it. Each runs in a process of its own."""

import importlib.util
import subprocess
import sys
import types

import pytest

from thalweg._src.compat.mended import arrays, libraries


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
        "print(np.fromstring(b'\\1\\2', np.uint8).tolist(), np.fromstring('1 2', sep=' ').tolist())\n"
        "rows = [[1, 2], [3]]\nprint(np.shape(rows), np.take(rows, [1]), sorted(map(len, np.random.permutation(rows))))\n"
        "a, b, c = np.nan_to_num((np.ones((3, 2)), np.zeros(2), np.zeros(2)))\nprint(a.shape, b.shape)\n",
    )
    assert out[:2] == ["object (2, 1) [1, 2]", "[1, 2] [1.0, 2.0]"], err
    assert out[2:] == ["(2,) [list([3])] [1, 2]", "(3, 2) (2,)"], err


def test_scipy(tmp_path):
    need("scipy", "PIL")
    out, err = run(
        tmp_path,
        "import numpy as np, scipy.misc, scipy.ndimage\nfrom scipy.misc import imread, imsave\n"
        "from scipy.sparse.linalg.eigen.arpack import eigsh\n"
        f"path = {str(tmp_path / 'a.png')!r}\n"
        "picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)\nimsave(path, picture)\n"
        "print((scipy.ndimage.imread(path) == picture).all(), scipy.misc.imresize(picture, (2, 8)).shape)\n"
        "print(scipy.misc.imresize(picture, 50).shape, imread(path, flatten=True).shape, scipy.misc.logsumexp([0.0]))\n"
        "from scipy import interpolate\n"
        "f = interpolate.interp1d([0.0, 0.0, 1.0, 1.0, 2.0], [0.0, 1.0, 3.0, 5.0, 7.0], kind='slinear')\n"
        "print([float(f(x)) for x in (0.5, 1.5)])\n",
    )
    assert out == ["True (2, 8, 3)", "(2, 2, 3) (4, 4) 0.0", "[2.0, 6.0]"], err


def test_scikit_learn_and_pandas(tmp_path):
    need("sklearn", "pandas", "joblib")
    out, err = run(
        tmp_path,
        "from sklearn.externals import joblib\nfrom sklearn.cross_validation import train_test_split\nimport pandas as pd\n"
        "frame = pd.DataFrame({'a': [1, 2]})\nprint(len(train_test_split([1, 2, 3], [1, 2, 3], test_size=1)))\n"
        "print(frame.as_matrix().tolist(), frame.ix[1, 'a'], len(frame.append({'a': 3}, ignore_index=True)))\n",
    )
    assert out == ["4", "[[1], [2]] 2 3"], err


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


def test_more_of_numpy(tmp_path):
    out, err = run(
        tmp_path,
        "import numpy as np, numpy.testing.utils\n"
        "print(np.vstack(a for a in [[1, 2], [3, 4]]).shape, np.stack(zip([1], [2])).tolist(), np.hstack([[1], [2]]).tolist())\n"
        "print(np.reshape(np.arange(4), newshape=(2, 2)).shape, np.histogram([1.0, 3.0], 2, normed=True)[0].tolist())\n"
        "print(np.array([300, -1], dtype=np.uint8).tolist(), np.array([300], 'uint8').tolist(), np.lib.pad([1], 1, 'constant').tolist())\n"
        f"np.save({str(tmp_path / 'r.npy')!r}, [[1, 2], [3]])\n"
        "np.set_printoptions(threshold=np.nan)\nprint('...' in str(np.zeros(3000)))\n"
        "try:\n    np.array([2 ** 70], dtype=np.int64)\nexcept OverflowError:\n    print('too large')\n",
    )
    assert out == ["(2, 2) [[1, 2]] [1, 2]", "(2, 2) [0.5, 0.5]", "[44, 255] [44] [0, 1, 0]", "False", "too large"], err


def test_python(tmp_path):
    out, err = run(
        tmp_path,
        "import random, threading, unittest, json\n"
        "print(random.sample({7}, 1), threading.Thread().isAlive(), json.loads('[1]', encoding='utf-8'))\n"
        "x = [1, 2, 3]\nrandom.shuffle(x, lambda: 0.0)\nprint(x)\n"
        "class T(unittest.TestCase):\n    def runTest(self):\n        self.assertEquals(1, 1)\n"
        "        self.assertItemsEqual([1, 2], [2, 1])\n"
        "print(T().run().wasSuccessful())\n"
        "import re\nprint(re.split(r'(\\W+)?', 'Where is it?'))\n"
        "print(re.split(r'(,)|;', 'a,b;c'), re.split(r'x*', 'axb'), re.split(r'( )?', 'a b', 1))\n",
    )
    assert out[:3] == ["[7] False [1]", "[2, 3, 1]", "True"], err
    assert out[3:] == [  # the last line as Python 3.7 and later give it
        "['Where', ' ', 'is', ' ', 'it', '?', '']",
        "['a', ',', 'b', None, 'c'] ['', 'a', '', 'b', ''] ['', None, 'a b']",
    ], err


def test_more_of_pandas(tmp_path):
    need("pandas")
    out, err = run(
        tmp_path,
        "import io, pandas as pd\n"
        "f = pd.read_csv(io.StringIO('a b\\n1 4\\n2 3'), ' ')\n"
        "print(f.drop('a', 1).columns.tolist(), f.sort('b')['a'].tolist(), pd.concat([f, f], 1).shape, f.get_value(0, 'b'))\n"
        "print(pd.read_csv(io.StringIO('a  b\\n1  4'), delim_whitespace=True).shape, [n for n, _ in f.iteritems()])\n"
        "print(pd.get_dummies(pd.Series(['u', 'v'])).values.dtype, pd.rolling_mean(pd.Series([1.0, 3.0]), 2).tolist()[1])\n"
        "print(pd.Series([1.0, None]).fillna(method='ffill').tolist(), f['a'].mad())\n",
    )
    assert out == ["['b'] [2, 1] (2, 4) 4", "(1, 2) ['a', 'b']", "uint8 2.0", "[1.0, 1.0] 0.5"], err


def test_more_of_scikit_learn(tmp_path):
    need("sklearn")
    out, err = run(
        tmp_path,
        "import numpy as np\nfrom sklearn.manifold import TSNE\nfrom sklearn.preprocessing import Imputer, OneHotEncoder, scale\n"
        "from sklearn.metrics import confusion_matrix, mean_squared_error\nfrom sklearn.model_selection import KFold\n"
        "from sklearn.cluster import KMeans\nfrom sklearn.feature_extraction.text import CountVectorizer\n"
        "print(TSNE(n_iter=300).max_iter, OneHotEncoder(sparse=False).fit_transform([[0], [1]]).tolist(), KFold(3, True, 0).n_splits)\n"
        "print(confusion_matrix([0, 1], [0, 1], [0, 1]).tolist(), mean_squared_error([0.0], [2.0], squared=False))\n"
        "print(KMeans(2, n_jobs=1).n_clusters)\n"
        "print(Imputer().fit_transform([[1.0], [np.nan]]).tolist(), CountVectorizer().fit(['b a1']).get_feature_names())\n",
    )
    assert out == ["300 [[1.0, 0.0], [0.0, 1.0]] 3", "[[1, 0], [0, 1]] 2.0", "2", "[[1.0], [1.0]] ['a1']"], err


def test_matplotlib(tmp_path):
    need("matplotlib")
    out, err = run(
        tmp_path,
        "import numpy as np, matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt, matplotlib.mlab as mlab\n"
        "from mpl_toolkits.mplot3d import Axes3D\n"
        "plt.style.use('seaborn')\nplt.hold(True)\nplt.hist([1, 2], normed=True)\nplt.grid(b=True)\nplt.annotate(s='x', xy=(0, 0))\n"
        "print(plt.figure().gca(projection='3d').name, matplotlib.cm.get_cmap('spectral').name, plt.cm.Vega10.name)\n"
        "a = plt.subplot(111, axisbg='r')\na.set_color_cycle(['b'])\nlines = a.plot([1, 2])\na.lines.pop(0)\n"
        "print(a.get_facecolor()[:3], lines[0].get_color(), len(a.lines), len(plt.contour(np.eye(3)).collections))\n"
        f"plt.savefig({str(tmp_path / 'a.png')!r}, frameon=False)\nplt.show(plt.gcf())\nplt.gcf().canvas.set_window_title('t')\n"
        "print(round(float(mlab.bivariate_normal(0.0, 0.0)), 4), round(float(mlab.normpdf(0, 0, 1)), 4))\n"
        "b = plt.figure().gca()\nb.plot([1, 2], label='c')\nlegend = b.legend()\nlegend.draggable(False)\n"
        "b.xaxis.get_major_ticks()[0].label.set_fontsize(7)\n"
        "plt.xticks(rotation='40')\nturned = [b.xaxis.get_major_ticks()[0].label, b.text(0, 0, 'd', rotation='vertical')]\n"
        "print(*[t.get_rotation() for t in turned])\n"
        "print(legend.draggable() is not None, legend.get_draggable(), len(legend.legendHandles))\n",
    )
    assert out == ["3d nipy_spectral tab10", "(1.0, 0.0, 0.0) b 0 1", "0.1592 0.3989", "40.0 90.0", "True True 1"], err


def test_networkx_and_sparse_matrices(tmp_path):
    need("networkx", "scipy")
    out, err = run(
        tmp_path,
        "import numpy as np, scipy.ndimage\nprint(scipy.ndimage.rotate(np.eye(3), np.array([90]), reshape=False).shape)\n"
        "import networkx as nx\ng = nx.Graph()\ng.add_path([1, 2, 3])\n"
        "print(list(g.nodes_iter()), len(list(g.edges_iter(data=True))), g.number_of_selfloops(), g.node[1])\n"
        "print(nx.adjacency_matrix(g).A[0].tolist(), nx.adjacency_matrix(g).H.shape)\n",
    )
    assert out == ["(3, 3)", "[1, 2, 3] 2 0 {}", "[0, 1, 0] (3, 3)"], err


def test_pydoc_finds_what_is_no_module(tmp_path):
    out, err = run(
        tmp_path,
        "import pydoc\nimport tensorflow as tf\n"
        "print(pydoc.locate('tensorflow.train.AdamOptimizer') is tf.train.AdamOptimizer, pydoc.locate('tensorflow.nothing'))\n",
    )
    assert out == ["True None"], err


def test_marks_of_pytest(tmp_path):
    (tmp_path / "test_own.py").write_text(
        "import pytest\n\n@pytest.mark.skip(message='later')\ndef test_it():\n    assert False\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "thalweg", "run", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "1 skipped" in done.stdout, done.stdout + done.stderr
    assert "later" in done.stdout


def test_yaml_reads_tuples_and_makes_no_objects():
    yaml = pytest.importorskip("yaml")
    module = types.SimpleNamespace(load=yaml.load, FullLoader=yaml.FullLoader)
    libraries.yaml(module)
    assert module.load("a: !!python/tuple [1, 2]") == {"a": (1, 2)}
    with pytest.raises(yaml.YAMLError):
        module.load("!!python/object/apply:os.getcwd []")


@pytest.fixture
def numpy_of_before():
    import numpy as np

    module = types.ModuleType("numpy")
    vars(module).update({k: v for k, v in vars(np).items() if k != "random"})
    module.random, module.lib = types.SimpleNamespace(**vars(np.random)), types.SimpleNamespace(pad=np.pad)
    arrays.numpy(module)
    return module


def test_an_axis_beyond_the_last_is_the_last(numpy_of_before):
    import numpy as np

    assert numpy_of_before.expand_dims(np.ones((2, 3)), 4).shape == (2, 3, 1)
    assert numpy_of_before.expand_dims(np.ones((2, 3)), -4).shape == (1, 2, 3)
    assert numpy_of_before.expand_dims(np.ones((2, 3)), 1).shape == (2, 1, 3)


def test_how_many_numbers_to_make_may_be_a_float(numpy_of_before):
    assert numpy_of_before.linspace(0, 2, num=7 / 2).tolist() == [0, 1, 2]
    assert numpy_of_before.linspace(0, 2, 6 / 2, True).tolist() == [0, 1, 2]
    assert numpy_of_before.logspace(0, 2, num=3.0).tolist() == [1, 10, 100]
    assert numpy_of_before.linspace(0, 49).shape == (50,)


def test_several_results_are_a_list(numpy_of_before):
    grid = numpy_of_before.meshgrid([1, 2], [3, 4, 5])
    grid.append(grid[0])  # a tuple has no such method
    assert len(grid) == 3
    assert isinstance(numpy_of_before.atleast_1d(1, 2), list)
    assert numpy_of_before.atleast_1d(1).shape == (1,)


def test_a_type_that_stands_for_many_is_the_usual_one(numpy_of_before):
    """As NumPy 1.18 makes them."""
    import numpy as np

    kinds = (np.integer, np.signedinteger, np.unsignedinteger, np.number, np.floating, np.complexfloating)
    names = ["int64", "int64", "uint64", "float64", "float64", "complex128"]
    assert [numpy_of_before.zeros(2, dtype=kind).dtype.name for kind in kinds] == names
    assert numpy_of_before.empty((2, 3), np.integer).dtype == np.int64
    assert numpy_of_before.full(2, 7, np.floating).tolist() == [7.0, 7.0]
    with pytest.raises(TypeError):
        numpy_of_before.zeros(2, dtype=np.floating, places=3)


def test_a_number_type_of_python_stands_for_its_kind(numpy_of_before):
    """As NumPy 1.18 answers."""
    import numpy as np

    answers = {
        kind: [numpy_of_before.issubdtype(kind, python) for python in (float, int, complex)]
        for kind in (np.float32, np.float64, np.int32, np.int64, np.uint8, np.complex64, np.bool_)
    }
    assert answers == {
        np.float32: [True, False, False],
        np.float64: [True, False, False],
        np.int32: [False, True, False],
        np.int64: [False, True, False],
        np.uint8: [False, False, False],
        np.complex64: [False, False, True],
        np.bool_: [False, False, False],
    }
    assert not numpy_of_before.issubdtype(np.float32, np.float64)
