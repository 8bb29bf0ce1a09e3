"""tf.autograph: rewritten functions give with tensors what they give with Python's numbers.

(`==` of tensors is that of objects, as in TensorFlow 1.x: conditions here are inequalities.)
"""

import numpy as np
import pytest

import thalweg as tf


def collatz(n):
    steps = 0
    while n > 1:
        if n % 2 < 1:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


def primes_below(n):
    found = 0
    k = 2
    while k < n:
        prime = True
        d = 2
        while d * d <= k:
            if k % d < 1:
                prime = False
                break
            d += 1
        k += 1
        if not prime:
            continue
        found += 1
    return found


def several_returns(x):
    if x > 10:
        if x > 20:
            return 3
        x = x - 5
    elif x < 0:
        return -1
    y = x * 2
    if (y > 8 and x > 7) or not y > 0:
        return y
    return 0 if x > 3 else y + 100


def swaps(n):
    a, b = 0, 1
    while n > 0:
        a, b = b, a + b
        n -= 1
    return a


def chained(x):
    y = 0
    for k in range(x):
        if k > 1 and k < 3:
            continue
        if not (k < 6):
            break
        y = y * 10 + k
    else:
        y = -y
    return y


def scoped(x):
    with tf.name_scope("inner"):
        if x > 2:
            x = x * 2
        return x + 1


@pytest.mark.parametrize("f", [collatz, primes_below, several_returns, swaps, chained, scoped])
@pytest.mark.parametrize("how", [tf.autograph.to_graph, tf.function])
def test_tensors_give_what_numbers_give(f, how):
    x = tf.placeholder(tf.int32, [])
    y = how(f)(x)
    converted = tf.autograph.to_graph(f)
    with tf.Session() as sess:
        for value in (0, 1, 2, 3, 5, 7, 9, 14, 27):
            expected = f(value)
            assert converted(value) == expected  # and the rewritten function leaves Python as it was
            assert sess.run(y, {x: value}) == expected, value


class Counter:
    __step = 2

    def __init__(self):
        self.total = 0

    def count(self, limit):
        self.total = tf.constant(0)
        while self.total < limit:
            self.total += self.__step
        return self.total

    def doubled(self, x):
        return x * 2


class Louder(Counter):
    def doubled(self, x):
        if x > 0:
            return super().doubled(x) + 1
        return x


def test_methods_attributes_private_names_and_super():
    count, loud = Counter(), Louder()
    results = [tf.autograph.to_graph(count.count)(tf.constant(7)), tf.autograph.to_graph(loud.doubled)(tf.constant(3))]
    with tf.Session() as sess:
        assert sess.run(results) == [8, 7]


def test_functions_that_are_called_are_rewritten_too():
    def inner(x):
        if x > 0:
            return "up"
        return "down"

    @tf.autograph.experimental.do_not_convert
    def left_alone(x):
        return not isinstance(x, int)  # `not` stays Python's

    def outer(x):
        pairs = [inner(v) for v in (x, -x)]
        assert left_alone(x)
        bigger = lambda v: v if v > 2 else 2
        return pairs, bigger(x)

    x = tf.placeholder(tf.int32, [])
    result = tf.autograph.to_graph(outer)(x)
    with tf.Session() as sess:
        assert sess.run(result, {x: 5}) == ([b"up", b"down"], 5)
        assert sess.run(result, {x: -1}) == ([b"down", b"up"], 2)


def test_closures_share_their_names():
    calls = 0

    def f(x):
        nonlocal calls
        calls += 1
        if x > 0:
            x = -x
        return x

    with tf.Session() as sess:
        assert sess.run(tf.function(f)(tf.constant(4))) == -4
    assert calls == 1


def test_rows_of_a_tensor_and_elements_of_a_dataset():
    def total(values):
        s = 0.0
        for v in values:
            if v < 0.0:
                break
            s += v
        return s

    rows = tf.autograph.to_graph(total)(tf.placeholder_with_default([1.0, 2.0, -1.0, 5.0], [None]))
    elements = tf.autograph.to_graph(total)(tf.data.Dataset.from_tensor_slices([1.0, 2.0, -1.0, 5.0]))

    def sums(data):
        s = 0.0
        for a, b in data:
            s += a * b
        return s

    pairs = tf.autograph.to_graph(sums)(tf.data.Dataset.from_tensor_slices(([1.0, 2.0], [3.0, 4.0])))
    with tf.Session() as sess:
        assert sess.run([rows, elements, pairs]) == [3.0, 3.0, 11.0]


def test_a_loop_can_be_differentiated():
    def power(x, n):
        y = 1.0
        for _ in tf.range(n):
            y *= x
        return y

    x = tf.constant(3.0)
    y = tf.autograph.to_graph(power)(x, tf.constant(4))
    with tf.Session() as sess:
        assert sess.run([y, tf.gradients(y, x)[0]]) == [81.0, 108.0]


def test_items_of_a_tensor_are_set_by_replacing_it():
    def f(x):
        for i in tf.range(3):
            x[i] += 10 * i
        return x

    with tf.Session() as sess:
        np.testing.assert_array_equal(sess.run(tf.autograph.to_graph(f)(tf.constant([1, 2, 3]))), [1, 12, 23])
    assert tf.autograph.to_graph(lambda d: d.update(a=1))({}) is None


def test_builtins_take_tensors(capfd):
    def f(x):
        print("now", x)
        return len(x), abs(x), float(x[0]), int("7"), list(range(2))

    x = tf.placeholder(tf.int32, [None])
    result = tf.autograph.to_graph(f)(x)
    with tf.Session() as sess:
        n, size, first, seven, pair = sess.run(
            [*result[:3], tf.constant(result[3]), tf.constant(result[4])], {x: [-3, 4]}
        )
    assert (n, first, seven, list(pair)) == (2, -3.0, 7, [0, 1])
    assert list(size) == [3, 4]


def test_loop_options_are_passed_on():
    def f(x):
        while x < 100:
            tf.autograph.experimental.set_loop_options(maximum_iterations=2)
            x *= 2
        return x

    with tf.Session() as sess:
        assert sess.run(tf.autograph.to_graph(f)(tf.constant(1))) == 4


def test_the_older_name_has_a_decorator():
    @tf.contrib.autograph.convert()
    def f(x):
        if x > 0:
            x = -x
        return tf.contrib.autograph.stack([x, x])

    with tf.Session() as sess:
        assert sess.run(f(tf.constant(2))).tolist() == [-2, -2]
    with pytest.raises(TypeError, match="A list is needed"):
        tf.contrib.autograph.stack(tf.constant(1))


def one_branch(x):
    if x > 1:
        y = 1
    return y


def one_return(x):
    if x > 1:
        return 1


def other_type(x):
    y = 1
    if x > 1:
        y = 2.5
    return y


def before_loop(x):
    while x < 3:
        z = x
        x += 1
    return z


def return_in_loop(x):
    for i in tf.range(x):
        if i > 3:
            return i
    return x


@pytest.mark.parametrize(
    ("f", "kind", "text"),
    [
        (one_branch, ValueError, r"symbols must also be initialized in the else branch: \('y',\)"),
        (one_return, ValueError, "A value must also be returned from the else branch"),
        (other_type, TypeError, '"y" has dtype float32 in the TRUE branch, but dtype=int32 in the FALSE branch'),
        (before_loop, ValueError, r"symbols must be defined before the loop: \('z',\)"),
        (return_in_loop, ValueError, "return statements are not supported within a TensorFlow loop"),
    ],
)
def test_what_tensors_forbid_is_said_as_by_tensorflow(f, kind, text):
    with pytest.raises(kind, match=text):
        tf.autograph.to_graph(f)(tf.placeholder(tf.int32, []))


def test_an_error_names_the_line_of_the_program():
    def f(x):
        if x > 1:
            x = tf.matmul(x, x)
        return x

    with pytest.raises(ValueError, match="rank") as caught:
        tf.autograph.to_graph(f)(tf.placeholder(tf.float32, []))
    lines = [entry.lineno + 1 for entry in caught.traceback if str(entry.path) == __file__]
    assert f.__code__.co_firstlineno + 2 in lines


def test_what_has_no_source_or_is_no_function():
    made = {}
    exec("def f(x): return x", made)
    with pytest.raises(ValueError, match="source of f"):
        tf.autograph.to_graph(made["f"])
    with pytest.raises(NotImplementedError, match="Counter is a class"):
        tf.autograph.to_graph(Counter)
    with pytest.raises(ValueError, match="generator"):
        tf.autograph.to_graph(generator)
    assert "while_stmt" in tf.autograph.to_code(collatz)


def generator():
    yield 1
