"""Writes docs/coverage.md: what share of the symbols that public programs used exists here.

    python tests/oracle/coverage_report.py [FOLDER WITH usage.tsv AND signatures-1.15.tsv]

The tables of usage lie beside the checkout, in ../shared/api; without them there is nothing to do.
"""

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "coverage.md"

# What stays out, by the symbol, and why. The first that fits counts.
REASONS = [
    (r"tf\.examples\.tutorials\.mnist\.fully_connected", "a program, not a module"),
    (r"tf\.examples\.(adding_an_op|get_started|image_retraining|speech_commands)", "a program of TensorFlow's examples, not a library"),
    (r"tf\.models\.", "a program of the models repository, not a library"),
    (r"tf\.core\..*(DESCRIPTOR|_[A-Z]+)$", "the inside of generated protobuf code"),
    (r"tf\.(lite|tpu|compiler|autograph)\b", "another product: mobile devices, TPU pods, Python to graphs"),
    (r"tf\.(keras|python\.keras)\b", "Keras: it has an issue of its own"),
    (r"tf\.estimator\b", "estimators: they have an issue of their own"),
    (r"tf\.distribute\b", "there is one replica"),
    (r"tf\.(contrib|python\.tpu|python\.eager)\b", "contrib and internals: their issues tell"),
    (r"tf\.python\b", "an internal module that nobody else imports"),
]  # fmt: skip
GROUPS = [
    ("contrib", r"tf\.contrib\b"),
    ("internal modules (tensorflow.python)", r"tf\.python\b"),
    ("Keras", r"tf\.keras\b"),
    ("estimators", r"tf\.estimator\b"),
    ("examples and models", r"tf\.(examples|models)\b"),
    ("everything else", r""),
]


def exists(tf, symbol):
    value = tf
    for part in symbol.split(".")[1:]:
        try:
            value = getattr(value, part)
        except (AttributeError, ImportError):
            return False
    return True


def group_of(symbol):
    return next(name for name, pattern in GROUPS if re.match(pattern, symbol))


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"


def page(usage, signatures, tf):
    """The page's text."""
    rows = [(r["symbol"], int(r["repos"]), int(r["files"])) for r in usage if r["symbol"].startswith("tf.")]
    there = {symbol: exists(tf, symbol) for symbol, _, _ in rows}
    lines = [
        "# What programs use, and what exists",
        "",
        "Measured by `make coverage-report` against what 111 public repositories of 2016 to 2020 use: each dotted name under",
        "`tensorflow`, looked up in what `thalweg run` serves. A pair is one name in one file.",
        "",
        "| names | used by 2 repositories or more | of these exist | pairs (file, name) of all | in files |",
        "|---|---|---|---|---|",
    ]
    counts = defaultdict(lambda: [0, 0, 0, 0])
    for symbol, repos, files in rows:
        for key in (group_of(symbol), "all"):
            c = counts[key]
            c[2] += files
            c[3] += files * there[symbol]
            if repos > 1:
                c[0] += 1
                c[1] += there[symbol]
    for name in [*[g for g, _ in GROUPS][::-1], "all"]:
        common, found, pairs, have = counts[name]
        lines.append(f"| {name} | {common} | {found} ({percent(found, common)}) | {pairs} | {percent(have, pairs)} |")
    lines += ["", "By how many repositories use a name, outside of contrib, internals, Keras and estimators:", ""]
    lines += ["| repositories | names | exist |", "|---|---|---|"]
    core = [(s, r) for s, r, _ in rows if group_of(s) in ("everything else", "examples and models")]
    for low, high in ((20, 999), (10, 19), (5, 9), (2, 4), (1, 1)):
        names = [s for s, r in core if low <= r <= high]
        have = sum(there[s] for s in names)
        label = f"{low} or more" if high == 999 else str(low) if low == high else f"{low} to {high}"
        lines.append(f"| {label} | {len(names)} | {percent(have, len(names))} |")
    public = [
        r["symbol"] for r in signatures if r["kind"] in ("function", "class", "constant") and "." in r["symbol"] + "."
    ]
    public = [
        s
        for s in public
        if not re.match(r"(contrib|keras|estimator|pywrap_tensorflow|raw_ops|compat\.v[12]|lite|tpu)\b", s)
    ]
    have = sum(exists(tf, "tf." + s) for s in public)
    lines += [
        "",
        f"Of the {len(public)} public functions, classes and constants of TensorFlow 1.15 outside of contrib, Keras and",
        f"estimators, {percent(have, len(public))} exist.",
        "",
    ]
    lines += missing(rows, there)
    return "\n".join(lines) + "\n"


def missing(rows, there):
    """What two repositories or more use and is not there, by the reason."""
    by_reason = defaultdict(list)
    for symbol, repos, _ in rows:
        if repos > 1 and not there[symbol]:
            reason = next((why for pattern, why in REASONS if re.match(pattern, symbol)), "to come")
            by_reason[reason].append((repos, symbol))
    lines = ["## What two repositories or more use and is not there", ""]
    lines += [
        "`thalweg check` tells which of these a program asks for. A program that reaches one stops with its name and the",
        "nearest that exists.",
        "",
    ]
    for reason, found in sorted(by_reason.items(), key=lambda item: -sum(r for r, _ in item[1])):
        names = ", ".join(f"`{s}` ({r})" for r, s in sorted(found, key=lambda f: (-f[0], f[1]))[:40])
        more = f", and {len(found) - 40} more" if len(found) > 40 else ""
        lines.append(f"- **{reason}**: {names}{more}")
    return lines


def main(folder):
    usage, signatures = folder / "usage.tsv", folder / "signatures-1.15.tsv"
    if not usage.exists():
        print(f"no {usage}: nothing to report")
        return
    sys.path.insert(0, str(ROOT))
    from thalweg._src.compat import hook

    def table(path):
        with open(path, encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f, delimiter="\t"))

    PAGE.write_text(page(table(usage), table(signatures), hook.install()), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "api")
