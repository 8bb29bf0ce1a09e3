"""Names that NumPy and Python dropped, as a program under `thalweg run` finds them."""

import importlib

import numpy as np
import pytest

from thalweg._src.compat import removed, watching


@pytest.fixture
def supplied():
    watching.watch()
    yield
    watching.unwatch()


@pytest.mark.filterwarnings("ignore:.*thalweg run:DeprecationWarning")
@pytest.mark.parametrize("module", removed.REMOVED)
def test_every_name_can_be_had(supplied, module):
    pytest.importorskip(module)
    for name in removed.REMOVED[module]:
        if module == "scipy.misc" and removed.REMOVED[module][name] == "scipy.datasets":
            continue  # needs a download
        assert getattr(importlib.import_module(module), name) is not None


@pytest.mark.filterwarnings("ignore:.*thalweg run:DeprecationWarning")
def test_they_are_what_they_were(supplied):
    assert np.float is float
    assert np.object is object
    assert np.float_ is np.float64
    assert np.NINF == -np.inf
    assert np.asscalar(np.array([2.5])) == 2.5
    assert np.rank(np.zeros((2, 3))) == 2
    assert np.in1d([[1, 2], [3, 4]], [2, 3]).tolist() == [False, True, True, False]
    assert np.find_common_type([np.float32], [np.int64, np.float64]) == np.float32
    assert np.find_common_type([np.int32], [np.float32]) == np.float32
    assert np.asfarray([1, 2]).dtype == np.float64
    assert np.float32 in np.sctypes["float"]
    assert np.cast[np.int32]([1.7]).tolist() == [1]
    assert np.issctype(np.int8)
    assert np.obj2sctype(np.zeros(1, np.float32)) is np.float32
    assert np.maximum_sctype(np.int8) is np.int64
    assert np.nbytes[np.float64] == 8
    import collections
    import inspect
    import time

    assert collections.Mapping is collections.abc.Mapping
    assert inspect.getargspec(lambda a, b=1, *c, **d: 0) == (["a", "b"], "c", "d", (1,))
    assert time.clock() <= time.clock()


def test_a_use_is_announced(supplied):
    with pytest.warns(DeprecationWarning, match=r"numpy\.float is gone"):
        np.float  # noqa: B018


def test_what_never_was_is_still_missing(supplied):
    with pytest.raises(AttributeError):
        np.no_such_name  # noqa: B018
    with pytest.raises(AttributeError, match="'time' has no attribute 'no_such_name'"):
        importlib.import_module("time").no_such_name  # noqa: B018


def test_withdraw_restores():
    before = np.__dict__.get("__getattr__")
    removed.supply()
    removed.supply()
    removed.withdraw()
    assert np.__dict__.get("__getattr__") is before
    assert not hasattr(np, "float")
