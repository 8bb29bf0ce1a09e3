"""Random Python functions of branches, loops and jumps: rewritten by tf.autograph they give what they gave."""

import linecache
import os

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

import thalweg as tf

EXAMPLES = 150 if os.environ.get("THALWEG_SLOW") else 6
CONDITIONS = ["a > b", "b > 2", "a < 7 and b > 0", "not a > 3", "a < 0 or b < 0", "(a if b > 1 else b) > 2"]
ACTIONS = ["a = a + 1", "b = b - a", "a, b = b, a", "b += 2", "c = a\nb = c - 1", "a = a * 2 if a < 9 else a - 9"]


def indented(text):
    return "\n".join("    " + line for line in text.split("\n"))


def blocks(depth, in_loop, returns):
    """Source texts of blocks; `returns`: whether a function over tensors may return here, which it may not inside of a loop."""
    jumps = [*(["break", "continue"] if in_loop else []), *(["return a", "return b + 1"] if returns else [])]
    one = st.sampled_from(ACTIONS)
    if jumps:
        one = st.one_of(one, one, st.sampled_from(jumps))
    if depth:
        inner, turn = blocks(depth - 1, in_loop, returns), blocks(depth - 1, True, False)
        condition = st.sampled_from(CONDITIONS)
        one = st.one_of(
            one,
            st.builds(lambda c, x: f"if {c}:\n{indented(x)}", condition, inner),
            st.builds(lambda c, x, y: f"if {c}:\n{indented(x)}\nelse:\n{indented(y)}", condition, inner, inner),
            st.builds(
                lambda n, c, x: f"n{n} = 0\nwhile n{n} < 5 and ({c}):\n    n{n} += 1\n{indented(x)}",
                st.integers(0, 10**6),
                condition,
                turn,
            ),
            st.builds(lambda x: f"for i in range(b % 4):\n    a += i\n{indented(x)}", turn),
        )
    return st.lists(one, min_size=1, max_size=3).map("\n".join)


def defined(body):
    source = f"def f(a, b):\n    c = 0\n{indented(body)}\n    return a * 100 + b + c\n"
    name = f"<random {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    names = {"tf": tf}
    exec(compile(source, name, "exec"), names)
    return names["f"]


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(blocks(3, False, True))
def test_with_numbers(body):
    f = defined(body)
    new = tf.autograph.to_graph(f)
    for a, b in ((0, 0), (1, 5), (6, 3), (-2, 4)):
        assert new(a, b) == f(a, b), body


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(blocks(2, False, True))
def test_with_tensors(body):
    f = defined(body)
    with tf.Graph().as_default():
        a, b = tf.placeholder(tf.int32, []), tf.placeholder(tf.int32, [])
        result = tf.autograph.to_graph(f)(a, b)
        with tf.Session() as sess:
            for x, y in ((0, 0), (1, 5), (6, 3)):
                assert sess.run(result, {a: x, b: y}) == f(x, y), body
