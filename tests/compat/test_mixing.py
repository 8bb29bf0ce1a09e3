"""Arithmetic of a program under `thalweg run`: the types that NumPy 1.18 gives."""

import numpy as np
import pytest

from thalweg._src.compat import scalars

f, h, u, i8 = (np.ones(3, t) for t in (np.float32, np.float16, np.uint8, np.int8))

NUMPY_1 = """
f*np.float64(2) float32
f*np.int64(2) float32
f*np.float64(1e300) float64
f*np.int64(100000) float64
f*np.array(2.) float32
f*np.float64('nan') float32
f*1j complex64
f*np.complex128(1) complex64
f**np.float64(2) float32
f/np.int64(3) float32
f//np.float64(2) float32
f*np.longdouble(2) float32
True*f float32
h*np.int64(300) float32
h*np.float64(70000) float32
np.sqrt(2.0)*(2*f-1) float32
u*np.int64(2) uint8
u*-1 int16
-1*u int16
u+300 uint16
u+np.int64(255) uint8
u+np.int64(-3) int16
u-np.int64(300) uint16
u*np.float64(2) float64
u*np.float32(2) float32
u/np.int64(3) float64
u%np.int64(2) uint8
u<<np.int64(2) uint8
u*True uint8
np.bool_(True)*u uint8
i8+5 int8
i8+np.int64(5) int8
i8+200 int16
np.ones(3,np.int32)*np.int64(2) int32
np.ones(3,np.int32)+2**40 int64
np.ones(3,np.int32)*np.int64(2**40) int64
np.ones(3,np.int32)*np.float32(2) float64
np.ones(3,np.uint32)-np.int64(1) uint32
np.ones(3,np.int64)*np.uint64(3) int64
np.ones(2,bool)*np.int64(2) int64
np.ones(2,bool)+1 int64
np.uint8(200)+100 int64
np.uint8(3)<<8 int64
np.uint8(3)**2 int64
np.uint8(7)//2 int64
np.uint8(7)%2 int64
np.uint64(3)+1 float64
np.int32(3)+1 int64
np.float32(3)*2. float64
np.float32(3)*2 float64
np.float32(3)*np.float64(2) float64
np.float32(2)*np.int32(3) float64
np.array(2,np.uint8)+300 int64
np.array(2,np.float32)*2. float64
"""


def run_as_program(source, tmp_path):
    """The names that `source` binds, as a module of a program."""
    scalars.rewrite()
    try:
        bound = {"np": np, "f": f, "h": h, "u": u, "i8": i8}
        exec(scalars.compiled(source, str(tmp_path / "program.py")), bound)
        return bound
    finally:
        scalars.stop()


@pytest.mark.parametrize("line", NUMPY_1.split("\n")[1:-1])
def test_the_type_is_the_one_before_numpy_2(line, tmp_path):
    expression, dtype = line.rsplit(" ", 1)
    assert run_as_program(f"x = {expression}", tmp_path)["x"].dtype == np.dtype(dtype)


def test_numbers_hold_what_they_come_to(tmp_path):
    program = "a = np.uint8(3) - 5\npixel = np.uint8(200)\nc = pixel * 256\nfor d in [pixel]: d = d + 100\n"
    bound = run_as_program(program, tmp_path)
    assert (bound["a"], bound["c"], bound["d"]) == (-2, 51200, 300)
    assert run_as_program("b = (u + 300).tolist()", tmp_path)["b"] == [301, 301, 301]


def test_sums_of_numbers_are_as_exact_as_they_were(tmp_path):
    program = """
class Meter: pass
meter, total, count = Meter(), 0.0, 0
meter.sum = 0
pixels, losses, kept = np.full(3, 200, np.uint8), [np.float32(0.1)] * 2, f
for loss in losses:
    total += loss
for pixel in pixels:
    count += pixel
    meter.sum += pixel
same = kept
same += np.float64(1)
words = more = [1]
words += [2]
words += more
"""
    bound = run_as_program(program.replace("kept = ", "kept = 1 * "), tmp_path)
    assert bound["total"] == float(np.float32(0.1)) * 2
    assert (bound["count"], bound["meter"].sum) == (600, 600)
    assert bound["same"] is bound["kept"]
    assert bound["same"].dtype == np.float32
    assert bound["words"] is bound["more"]
    assert bound["words"] == [1, 2, 1, 2]


def test_what_is_no_number_is_added_as_before(tmp_path):
    program = """
a = [1] + [2]
b = "x" + "y" * 2
c = (lambda x, y: x + y)([1], [2])
class Odd:
    def __radd__(self, other): return "right"
d = 1 + Odd()
e = np.array(["a"], dtype=object) + "b"
g = np.datetime64("2020-01-01") + 1
"""
    bound = run_as_program(program, tmp_path)
    assert (bound["a"], bound["b"], bound["c"], bound["d"]) == ([1, 2], "xyy", [1, 2], "right")
    assert bound["e"].tolist() == ["ab"]
    assert str(bound["g"]) == "2020-01-02"
