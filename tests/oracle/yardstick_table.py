"""The results of TensorFlow's own unit tests against thalweg, as the table of docs/yardstick.md.

    python tests/oracle/yardstick_table.py RESULT.json [RESULT.json ...]

A result is what the yardstick's runner writes (`run.py --target thalweg --out RESULT.json`); later files replace the tests of earlier ones.
"""

import collections
import json
import sys
from pathlib import Path

NOT_RUN = {"skip"}


def read(paths):
    """{(version, file): (category, {test: result})} of all results."""
    out = {}
    for path in paths:
        files = json.loads(Path(path).read_text())["files"]
        for entry in files.values() if isinstance(files, dict) else files:
            key = entry["version"], entry["file"]
            category, tests = out.setdefault(key, (entry["category"], {}))
            tests.update(entry.get("tests", {}))
    return out


def table(results):
    """Lines of markdown: a row per category."""
    count = collections.defaultdict(collections.Counter)
    for category, tests in results.values():
        for test in tests.values():
            if test["status"] not in NOT_RUN:
                count[category]["all"] += 1
                count[category][test["status"]] += 1
    lines = ["| category | tests | pass | fail | not public | percent |", "|---|---|---|---|---|---|"]
    total = collections.Counter()
    for category in sorted(count):
        total.update(count[category])
        lines.append(_row(category, count[category]))
    return [*lines, _row("all", total)]


def _row(name, c):
    bad = c["all"] - c["pass"] - c["internal"]
    return f"| {name} | {c['all']} | {c['pass']} | {bad} | {c['internal']} | {100 * c['pass'] / c['all']:.1f} |"


def groups(results, limit=40):
    """Lines of markdown: the failures that begin alike, most frequent first."""
    seen = collections.Counter()
    for category, tests in results.values():
        for test in tests.values():
            if test["status"] not in NOT_RUN | {"pass"}:
                text = " ".join((test.get("msg") or "").split())[:90]
                seen[category, test["status"], test.get("etype") or "", text] += 1
    return [f"- {n} × {category}: {etype} {text}" for (category, _, etype, text), n in seen.most_common(limit)]


if __name__ == "__main__":
    found = read(sys.argv[1:])
    print("\n".join([*table(found), "", *groups(found)]))
