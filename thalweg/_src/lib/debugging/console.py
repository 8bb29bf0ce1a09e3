"""The debugger's command line: one command a line, answers as text. It is asked before a run and after one."""

import ast
import re
import shlex
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.lib.debugging.dumps import DebugDumpDir, DebugTensorDatum, InconvertibleTensorProto

PROMPT = "tfdbg> "
HELP = """run (r)             the run, watched; -n without being watched, -t N that often, -f FILTER until a tensor passes the filter
list_tensors (lt)   tensors that were dumped; -f FILTER, -n NAME, -t TYPE (patterns), -s time|size|name|type, -r the other way round
print_tensor (pt)   the value of NAME, NAME:SLOT or NAME:SLOT[a:b, c]; -s how its numbers are spread
node_info (ni)      type, inputs and takers of NODE; -a its attributes, -d its dumps, -t where the program made it
list_inputs (li)    what NODE takes, list_outputs (lo) who takes what it gives; -c with control edges
list_filters (lf)   the filters
help (h), exit (quit)"""
ALIASES = {
    "r": "run",
    "lt": "list_tensors",
    "pt": "print_tensor",
    "ni": "node_info",
    "li": "list_inputs",
    "lo": "list_outputs",
    "lf": "list_filters",
    "h": "help",
    "quit": "exit",
    "q": "exit",
}


class Left(Exception):
    """The input has ended."""


class Console:
    """Reads commands by `ask(prompt)`, answers by `say(text)`. `filters` are functions of a dump and its value, by name."""

    def __init__(self, filters: dict[str, Callable[..., bool]], ask: Callable[[str], str] = input, say: Any = print):
        self.filters, self.ask, self.say = filters, ask, say

    def _commands(self) -> Any:
        while True:
            try:
                line = self.ask(PROMPT)
            except EOFError:
                raise Left from None
            words = shlex.split(line)
            if words:
                yield ALIASES.get(words[0], words[0]), words[1:]

    def before(self, what: str) -> dict[str, Any]:
        """How to go on with a run: {"watch": bool, "times": int, "filter": name or None}. Raises Left at the end of the input."""
        self.say(what)
        for name, words in self._commands():
            if name == "run":
                flags, _ = _flags(words, "tf")
                wanted = flags.get("-f")
                if wanted is not None and wanted not in self.filters:
                    self.say(f"There is no filter {wanted!r}; list_filters names them.")
                    continue
                return {"watch": "-n" not in flags, "times": int(flags.get("-t", 1)), "filter": wanted}
            self._other(name, words, None)
        raise AssertionError("commands end by Left")

    def after(self, what: str, dump: DebugDumpDir) -> None:
        """Answer questions about a run until the program is to go on. Raises Left at the end of the input."""
        self.say(what)
        for name, words in self._commands():
            if name == "run":
                return
            self._other(name, words, dump)

    def _other(self, name: str, words: list[str], dump: DebugDumpDir | None) -> None:
        if name == "exit":
            raise SystemExit(0)
        if name == "help":
            self.say(HELP)
        elif name == "list_filters":
            self.say("\n".join(sorted(self.filters)) or "none")
        elif name not in _ANSWERS:
            self.say(f"{name} is no command; help lists them.")
        elif dump is None:
            self.say(f"{name} is for after a run: there is nothing to look at yet.")
        else:
            try:
                self.say(_ANSWERS[name](self, dump, words))
            except (ValueError, LookupError, IndexError, SyntaxError, re.error) as error:
                self.say(f"{type(error).__name__}: {error}")

    def _list(self, dump: DebugDumpDir, words: list[str]) -> str:
        flags, _ = _flags(words, "fnts")
        rows = dump.dumped_tensor_data
        if "-f" in flags:
            rows = dump.find(self.filters[flags["-f"]])
        if "-n" in flags:
            rows = [d for d in rows if re.match(flags["-n"], d.node_name)]
        if "-t" in flags:
            rows = [d for d in rows if re.match(flags["-t"], _type(dump, d))]
        key = {"size": lambda d: d.dump_size_bytes, "name": lambda d: d.tensor_name, "type": lambda d: _type(dump, d)}
        rows = sorted(rows, key=key.get(flags.get("-s", ""), lambda d: d.timestamp), reverse="-r" in flags)
        lines = [f"{len(rows)} dumped tensor(s):", f"{'t (ms)':>10} {'bytes':>10}  {'op':20} tensor"]
        for d in rows:
            at = (d.timestamp - (dump.t0 or 0)) / 1000
            lines.append(f"{at:10.3f} {d.dump_size_bytes:10}  {_type(dump, d):20} {d.tensor_name}")
        return "\n".join(lines)

    def _print(self, dump: DebugDumpDir, words: list[str]) -> str:
        flags, names = _flags(words, "")
        found = re.fullmatch(r"([^\[]+?)(?::(\d+))?(\[.*\])?", "".join(names))
        if found is None:
            raise ValueError("print_tensor takes the name of a tensor")
        name, slot, part = found[1], int(found[2] or 0), found[3]
        lines = []
        for value in dump.get_tensors(name, slot, "DebugIdentity"):
            if value is None or isinstance(value, InconvertibleTensorProto):
                lines.append(str(value))
                continue
            shown = value[_part(part)] if part else value
            lines += [f"{name}:{slot}{part or ''}  dtype {value.dtype}  shape {value.shape}", str(shown)]
            if "-s" in flags:
                lines.append(_spread(np.asarray(shown)))
        return "\n".join(lines)

    def _node(self, dump: DebugDumpDir, words: list[str]) -> str:
        flags, names = _flags(words, "")
        name = names[0].partition(":")[0]
        lines = [f"{name}  op {dump.node_op_type(name)}  device {dump.node_device(name)}"]
        for what, found in (
            ("inputs", dump.node_inputs(name)),
            ("control inputs", dump.node_inputs(name, is_control=True)),
            ("taken by", dump.node_recipients(name)),
            ("waited for by", dump.node_recipients(name, is_control=True)),
        ):
            lines.append(f"{what}: {', '.join(found) or '-'}")
        if "-a" in flags:
            lines += [f"{k}: {str(v).strip()}" for k, v in sorted(dump.node_attributes(name).items())]
        if "-d" in flags:
            lines += [str(d) for key in dump.debug_watch_keys(name) for d in dump.watch_key_to_data(key)]
        if "-t" in flags:
            lines += [
                f"{file}:{line} in {function}: {text}" for file, line, function, text, *_ in dump.node_traceback(name)
            ]
        return "\n".join(lines)

    def _neighbours(self, neighbours: Callable[..., list[str]], words: list[str]) -> str:
        flags, names = _flags(words, "")
        name = names[0].partition(":")[0]
        found = neighbours(name) + ([f"^{n}" for n in neighbours(name, is_control=True)] if "-c" in flags else [])
        return "\n".join(found) or "none"


_ANSWERS: dict[str, Callable[[Console, DebugDumpDir, list[str]], str]] = {
    "list_tensors": Console._list,
    "print_tensor": Console._print,
    "node_info": Console._node,
    "list_inputs": lambda self, dump, words: self._neighbours(dump.node_inputs, words),
    "list_outputs": lambda self, dump, words: self._neighbours(dump.node_recipients, words),
}


def _flags(words: list[str], valued: str) -> tuple[dict[str, str], list[str]]:
    """({flag: its value, or ""}, the other words); the flags in `valued` take the next word."""
    flags, rest = {}, []
    at = iter(words)
    for word in at:
        if re.fullmatch(r"-[a-z]", word):
            flags[word] = next(at, "") if word[1] in valued else ""
        else:
            rest.append(word)
    return flags, rest


def _type(dump: DebugDumpDir, datum: DebugTensorDatum) -> str:
    return dump.node_op_type(datum.node_name) if dump.loaded_partition_graphs() else "?"


def _part(text: str) -> Any:
    """'[1:3, -1]' as an index; only numbers, colons and an ellipsis are understood."""
    out: list[Any] = []
    for word in text.strip("[]").split(","):
        word = word.strip()
        if word == "...":
            out.append(...)
        elif ":" in word:
            out.append(slice(*(ast.literal_eval(w) if w.strip() else None for w in word.split(":"))))
        else:
            out.append(int(word))
    return tuple(out)


def _spread(value: np.ndarray) -> str:
    """How many entries are of which kind, and measures of those that are finite."""
    if value.dtype.kind not in "fiub":
        return f"{value.size} entries"
    x = value.astype(np.float64)
    usual = x[np.isfinite(x)]
    kinds = {
        "nan": np.isnan(x),
        "-inf": np.isneginf(x),
        "-": usual < 0,
        "0": usual == 0,
        "+": usual > 0,
        "+inf": np.isposinf(x),
    }
    lines = ["  ".join(f"{kind} {int(of.sum())}" for kind, of in kinds.items()) + f"  total {x.size}"]
    if usual.size:
        lines.append(f"min {usual.min():g}  max {usual.max():g}  mean {usual.mean():g}  std {usual.std():g}")
    return "\n".join(lines)
