"""`thalweg run`: the options, which are Python's own and a few of ours, and the program that they start."""

import os
import sys
from dataclasses import dataclass

USAGE = """\
usage: thalweg run [OPTIONS] SCRIPT [ARGUMENTS]...        (a program, or a notebook: NAME.ipynb)
       thalweg run [OPTIONS] -m MODULE [ARGUMENTS]...
       thalweg run [OPTIONS] -c SOURCE [ARGUMENTS]...
       thalweg run [OPTIONS] - [ARGUMENTS]...            (the program comes on the standard input)

Runs a Python program as `python` would, with `import tensorflow` served by thalweg.

  --no-shims   do not supply the names that NumPy and Python have removed since the program was written
  --py2        the program is for Python 2: mend it in memory (needs fissix: pip install 'thalweg[py2]')
  Python's own options (-u -O -B -W ARG -X ARG and the like) are given to the interpreter.
"""

PYTHON_FLAGS = set("bBdEiIOPqsSuvx")  # interpreter options without a value; -W and -X take one
PYTHON_VALUES = set("WX")


@dataclass
class Request:
    """What a command line asks for: `kind` is path, module, command or stdin."""

    kind: str
    target: str
    args: list[str]
    shims: bool
    interpreter: list[str]
    py2: bool = False


def parse(argv: list[str]) -> Request | str:
    """The request, or the text of an error. Everything after the program's name is the program's."""
    shims, py2, rest = True, False, list(argv)
    interpreter: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--no-shims":
            shims = False
        elif word == "--py2":
            py2 = True
        elif word in ("-m", "-c"):
            if not rest:
                return f"{word} needs a value"
            return Request("module" if word == "-m" else "command", rest[0], rest[1:], shims, interpreter, py2)
        elif word == "-":
            return Request("stdin", "-", rest, shims, interpreter, py2)
        elif word[0:1] != "-":
            return Request("path", word, rest, shims, interpreter, py2)
        elif word[1:2] in PYTHON_VALUES:
            if len(word) == 2 and not rest:
                return f"{word} needs a value"
            interpreter += [word] if len(word) > 2 else [word, rest.pop(0)]
        elif word[1:] and set(word[1:]) <= PYTHON_FLAGS:
            interpreter.append(word)
        else:
            return f"unknown option {word}"
    return "no program given"


def start(argv: list[str]) -> None:
    """Run the program that `argv` names. Ends with the program: by its exit code, or by returning."""
    if "-h" in argv[:1] or "--help" in argv[:1]:
        print(USAGE, end="")
        return
    request = parse(argv)
    if isinstance(request, str):
        print(f"thalweg run: {request}\n\n{USAGE}", file=sys.stderr, end="")
        sys.exit(2)
    if request.interpreter:
        restart_with(request)
    from thalweg._src.compat import program

    program.prepare(shims=request.shims, py2=request.py2)
    if request.kind == "path":
        program.run_path(request.target, request.args)
    elif request.kind == "module":
        program.run_module(request.target, request.args)
    elif request.kind == "command":
        program.run_command(request.target, request.args)
    else:
        program.run_stdin(request.args)


def restart_with(request: Request) -> None:
    """Replace this process by one whose interpreter has the options asked for."""
    selector = {"path": [], "module": ["-m"], "command": ["-c"], "stdin": []}[request.kind]
    ours = ([] if request.shims else ["--no-shims"]) + (["--py2"] if request.py2 else [])
    command = [
        sys.executable,
        *request.interpreter,
        "-m",
        "thalweg",
        "run",
        *ours,
        *selector,
        request.target,
        *request.args,
    ]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, command)
