"""Assertions of tf.test.TestCase over Python's own values: each holds for one pair, and fails for another."""

import pytest

import thalweg as tf

CASES = [
    ("assertEmpty", ([],), ([1],)),
    ("assertNotEmpty", ([1],), ([],)),
    ("assertLen", ([1, 2], 2), ([1], 2)),
    ("assertBetween", (2, 1, 3), (4, 1, 3)),
    ("assertEndsWith", ("abc", "bc"), ("abc", "ab")),
    ("assertNotStartsWith", ("abc", "b"), ("abc", "a")),
    ("assertNotEndsWith", ("abc", "b"), ("abc", "c")),
    ("assertSameElements", ([1, 2, 2], (2, 1)), ([1, 2], [1, 3])),
    ("assertContainsSubset", ([1], [1, 2]), ([3], [1, 2])),
    ("assertNoCommonElements", ([1], [2]), ([1, 2], [2])),
    ("assertSequenceStartsWith", ([1], [1, 2]), ([2], [1, 2])),
    ("assertSequenceAlmostEqual", ([1.0], [1.0 + 1e-9]), ([1.0], [1.1])),
    ("assertTotallyOrdered", ([1, 1], [2], [3]), ([1, 2], [3])),
    ("assertContainsSubsequence", ([1, 2, 3], [1, 3]), ([1, 2, 3], [3, 1])),
    ("assertContainsExactSubsequence", ([1, 2, 3], [2, 3]), ([1, 2, 3], [1, 3])),
    ("assertContainsInOrder", (["a", "c"], "abc"), (["c", "a"], "abc")),
    ("assertRegexMatch", ("abc", ["x", "b."]), ("abc", ["x"])),
    ("assertJsonEqual", ('{"a": 1}', '{ "a":1 }'), ("[1]", "[2]")),
    ("assertUrlEqual", ("http://a/?x=1&y=2", "http://a/?y=2&x=1"), ("http://a/?x=1", "http://a/?x=2")),
    ("assertNotAllEqual", ([1, 2], [1, 3]), ([1, 2], [1, 2])),
]


@pytest.mark.parametrize(("name", "good", "bad"), CASES, ids=[c[0] for c in CASES])
def test_holds_and_fails(name, good, bad):
    check = getattr(tf.test.TestCase(), name)
    check(*good)
    with pytest.raises(AssertionError):
        check(*bad)


def test_the_whole_message_counts():
    case = tf.test.TestCase()

    def fail():
        raise ValueError("exactly this")

    case.assertRaisesWithLiteralMatch(ValueError, "exactly this", fail)
    with case.assertRaisesWithLiteralMatch(ValueError, "exactly this"):
        fail()
    with pytest.raises(AssertionError):
        case.assertRaisesWithLiteralMatch(ValueError, "exactly", fail)
