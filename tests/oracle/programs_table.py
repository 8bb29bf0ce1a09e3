"""Print docs/programs.md's table: `programs_table.py dev.json LOG...`, with what the runner of ../shared/programs printed.

A later log replaces what an earlier one says of a program.
"""

import json
import re
import sys
from pathlib import Path

LINE = re.compile(r"(\w+)\s+(ok|exit \S+|setup failed)\s+(\d+) s \(TensorFlow (\{.*?\})\)\s*(.*)")


def main(listing, *logs):
    programs = {p["id"]: p for p in json.loads(Path(listing).read_text())}
    found = {}
    for log in logs:
        for line in Path(log).read_text(errors="replace").splitlines():
            match = LINE.match(line)
            if match:
                found[match[1]] = match.groups()[1:]
    good = sum(f[0] == "ok" for f in found.values())
    print(f"{good} of {len(found)} end well.\n")
    print("| repository | program | seconds, thalweg | seconds, TensorFlow | end |\n|---|---|---:|---:|---|")
    for name, program in programs.items():
        if name not in found:
            continue
        end, seconds, theirs, message = found[name]
        script = next(
            (w for w in re.findall(r'"[^"]+"|\S+', program["cmd"]) if ".py" in w), program["cmd"].split("&&")[0]
        )
        theirs = " ".join(str(v) for v in json.loads(theirs.replace("'", '"')).values())
        why = "well" if end == "ok" else f"{end}: {message[:90]}".replace("|", "/")
        print(
            f"| {program['repo'].replace('+', '/')} | `{script.strip(chr(34))}` ({name}) | {seconds} | {theirs} | {why} |"
        )


main(*sys.argv[1:])
