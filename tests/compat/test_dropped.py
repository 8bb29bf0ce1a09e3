"""What Python 3.9 to 3.11, NumPy 2, scikit-image and Matplotlib dropped, as a program under `thalweg run` meets it."""

import math

import numpy as np
import pytest

from tests.compat.test_mended import need, run
from thalweg._src.compat import picture_measures

PROGRAM = """
import math, array, io, os, sys
import xml.etree.ElementTree as ET
import numpy as np
from html.parser import HTMLParser
print(math.sqrt(np.array([4.0])), math.floor(np.array([[1.5]])), math.pow(np.array([2.0]), 3))
try:
    math.sqrt(np.zeros(2))
except TypeError:
    print('refused')
open('t.txt', 'w').write('a')
print(open('t.txt', 'rU').read(), io.open('t.txt', mode='U').read())
root = ET.fromstring('<a><b/><c><b/></c></a>')
print([e.tag for e in root.getchildren()], len(list(root.getiterator('b'))))
print(array.array('b', [1]).tostring(), np.ones(2, 'u1').tostring())
print([np.float32(0.5), np.int64(2)], {'a': np.float64(1.5)})
print(np.sum(x for x in [1, 2]), np.sum([1, 2], axis=0))
print(HTMLParser().unescape('&lt;'), os.errno.ENOENT)
sys.setcheckinterval(100)
print([c for c in 'a_b' if c is not '_'], ['a_b'[i:3] is '' for i in (2, 3)], 'a_b'.split('a') is '_', b'_' is '_')
"""


def test_python_and_numpy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out, err = run(tmp_path, PROGRAM)
    assert out == [
        "2.0 1 8.0",
        "refused",
        "a a",
        "['b', 'c'] 2",
        "b'\\x01' b'\\x01\\x01'",
        "[0.5, 2] {'a': 1.5}",
        "3 3",
        "< 2",
        "['a', 'b'] [False, True] False False",
    ], err


def test_pictures_are_compared_under_the_old_names(tmp_path):
    need("skimage")
    a = np.tile(np.arange(16, dtype=np.uint8) * 8, (16, 1))
    b = a + np.uint8(4)
    assert picture_measures.compare_mse(a, b) == 16
    assert picture_measures.compare_psnr(a, b) == pytest.approx(10 * math.log10(255**2 / 16))
    colours = np.stack([a] * 3, -1)
    assert picture_measures.compare_ssim(colours, colours, multichannel=True) == pytest.approx(1)
    assert 0.9 < picture_measures.compare_ssim(a / 255.0, b / 255.0) < 1
    assert picture_measures.compare_nrmse(a, b, "min-max") == pytest.approx(4 / 120)
    out, err = run(tmp_path, "from skimage.measure import compare_ssim, compare_psnr\nprint(compare_ssim.__name__)\n")
    assert out == ["compare_ssim"], err


def test_a_figure_gives_its_bytes(tmp_path):
    need("matplotlib")
    out, err = run(
        tmp_path,
        "import matplotlib\nmatplotlib.use('Agg', warn=False)\nimport matplotlib.pyplot as plt\n"
        "figure = plt.figure(figsize=(1, 1), dpi=10)\nfigure.canvas.draw()\nprint(len(figure.canvas.tostring_rgb()))\n",
    )
    assert out == ["300"], err
