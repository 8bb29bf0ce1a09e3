"""`thalweg check program.py folder …`: what programs ask of TensorFlow that thalweg lacks, by line, without running them."""

import argparse
import sys
from itertools import groupby


def start(words: list[str]) -> None:
    """Print the findings and exit: 0 where there are none, 1 where there are, 2 where a path is wrong."""
    parser = argparse.ArgumentParser(
        prog="thalweg check",
        description="Read programs and notebooks, and list each symbol and argument of TensorFlow that thalweg lacks.",
    )
    parser.add_argument("paths", nargs="+", metavar="PROGRAM_OR_FOLDER")
    parser.add_argument(
        "--by-symbol", action="store_true", help="each missing symbol once, with how many places use it"
    )
    options = parser.parse_args(words)
    from thalweg._src.compat import check

    try:
        report = check.check(options.paths)
    except FileNotFoundError as error:
        print(f"thalweg check: {error}", file=sys.stderr)
        sys.exit(2)
    if options.by_symbol:
        ordered = sorted(report.findings, key=lambda f: f.message)
        groups = [(message, len(list(places))) for message, places in groupby(ordered, lambda f: f.message)]
        for message, count in sorted(groups, key=lambda g: (-g[1], g[0])):
            print(f"{count:5}  {message}")
    else:
        for finding in report.findings:
            print(f"{finding.path}:{finding.line}: {finding.message}")
    read = f"{report.files} file{'s' * (report.files != 1)}, {report.symbols} symbols of TensorFlow"
    print(
        f"{read}: "
        + (f"{len(report.findings)} places ask for what is missing" if report.findings else "nothing is missing")
    )
    sys.exit(1 if report.findings else 0)
