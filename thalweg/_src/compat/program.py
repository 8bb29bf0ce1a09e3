"""Run a program as `python program.py` would, with the import hook in place.

The program gets its own `__main__`, `sys.argv` and `sys.path[0]`; what it raises ends the process with Python's exit
code and with a traceback that starts at its own first line.
"""

import io
import os
import pkgutil
import runpy
import sys
import traceback
from importlib.machinery import BuiltinImporter, ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any

from thalweg._src.compat import hook, notebooks, python2, scalars, watching
from thalweg._src.compiler import lower
from thalweg._src.runtime import placing

LARGE = 50  # operations of a step whose compilation is worth a word
HERE = os.path.dirname(__file__)
CHILDREN = os.path.join(HERE, "children")  # where processes that the program starts find a `tensorflow`
NO_SHIMS = "THALWEG_NO_SHIMS"  # tells them that the names of older libraries are not to be supplied
_kept: list[Any] = []  # the launcher's __main__: its globals live as long as its module object


def run_path(path: str, args: list[str]) -> None:
    """A script, or a folder or zip file that holds a `__main__.py`."""
    if pkgutil.get_importer(path) is not None:
        first_on_path(os.path.abspath(path))
        main = new_main()
        _, spec, code = runpy._get_main_module_details()  # type: ignore[attr-defined]
        describe(main, spec)
        execute(code, main, [path, *args])
        return
    full = os.path.abspath(path)
    try:
        with io.open_code(full) as f:
            source = f.read()
    except OSError as error:
        print(f"thalweg: can't open file {full!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        sys.exit(2)
    first_on_path(os.path.dirname(os.path.realpath(full)))
    main = new_main()
    main.__file__, main.__loader__ = full, SourceFileLoader("__main__", full)
    main.__dict__["__cached__"] = None
    if path.endswith(".ipynb"):
        run_notebook(full, main, [path, *args])
        return
    run_source(source, full, main, [path, *args])


def run_module(name: str, args: list[str]) -> None:
    """What `python -m name` runs."""
    first_on_path(os.getcwd())
    main = new_main()
    sys.argv[:] = ["-m", *args]
    try:
        _, spec, code = runpy._get_module_details(name, runpy._Error)  # type: ignore[attr-defined]
    except runpy._Error as error:  # type: ignore[attr-defined]
        sys.exit(f"thalweg: {error}")
    describe(main, spec)
    execute(code, main, [spec.origin, *args])


def run_command(source: str, args: list[str]) -> None:
    """What `python -c source` runs."""
    first_on_path("")
    run_source(source, "<string>", new_main(), ["-c", *args])


def run_stdin(args: list[str]) -> None:
    """What `python -` runs: the program comes on the standard input."""
    first_on_path("")
    run_source(sys.stdin.read(), "<stdin>", new_main(), ["-", *args])


def describe(main: ModuleType, spec: ModuleSpec) -> None:
    """What a module run by its name knows of itself."""
    main.__spec__, main.__package__, main.__loader__ = spec, spec.parent, spec.loader
    main.__file__ = spec.origin
    main.__dict__["__cached__"] = spec.cached


def first_on_path(folder: str) -> None:
    if not sys.flags.safe_path:
        sys.path[0] = folder


def new_main() -> ModuleType:
    """A fresh `__main__`, in the place of the launcher's."""
    main = ModuleType("__main__")
    main.__dict__["__builtins__"] = sys.modules["builtins"]
    main.__annotations__ = {}
    main.__loader__ = BuiltinImporter
    _kept.append(sys.modules["__main__"])
    sys.modules["__main__"] = main
    return main


def run_source(source: str | bytes, filename: str, main: ModuleType, argv: list[str]) -> None:
    try:
        rewritten = scalars.is_on() and filename != "<string>"
        code = scalars.compiled(source, filename) if rewritten else compile(source, filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        show_only_the_program(error)
        raise
    execute(code, main, argv)


def run_notebook(path: str, main: ModuleType, argv: list[str]) -> None:
    """A notebook: its cells one after the other, in the notebook's folder on `sys.path`."""
    sys.argv[:] = argv
    if sys.excepthook is sys.__excepthook__:  # which reads files; the lines of a cell are in linecache
        sys.excepthook = traceback.print_exception
    main.__dict__["__thalweg_shell__"] = notebooks.shell
    try:
        notebooks.execute(path, main)
    except SystemExit:
        raise
    except BaseException as error:
        show_only_the_program(error)
        raise


def execute(code: CodeType, main: ModuleType, argv: list[str]) -> None:
    sys.argv[:] = argv
    try:
        exec(code, main.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        show_only_the_program(error)
        raise


def show_only_the_program(error: BaseException) -> None:
    """When `error` ends the process, let sys.excepthook see a traceback without the launcher's frames or the hook's.

    The error goes on by itself, so the exit code, and the signal after a KeyboardInterrupt, are the interpreter's.
    """
    shown, display = trimmed(error.__traceback__), sys.excepthook

    def excepthook(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
        if value is error:
            value.__traceback__ = traceback = shown
        display(kind, value, traceback)

    sys.excepthook = excepthook


def trimmed(traceback: TracebackType | None) -> TracebackType | None:
    """`traceback` from the program's first frame to its last: ours and the import system's are cut off at both ends."""

    def ours(t: TracebackType) -> bool:
        name = t.tb_frame.f_code.co_filename
        return name.startswith((HERE, "<frozen importlib", "<frozen runpy"))

    frames: list[TracebackType] = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    while frames and ours(frames[0]):
        frames.pop(0)
    while frames and ours(frames[-1]):
        frames.pop()
    if not frames:
        return None
    frames[-1].tb_next = None
    return frames[0]


def prepare(*, shims: bool = True, py2: bool = False) -> None:
    """Serve `tensorflow` in this process and, unless told otherwise, what newer NumPys and Pythons removed.

    `py2`: the program is one for Python 2, and is mended as it is loaded.
    """
    hook.install()
    tell_children(shims)
    placing.allow_programs_without_gpu()
    if py2:
        python2.turn_on()
    if shims:
        watching.watch()
    if shims or py2:
        scalars.rewrite()
    if sys.stderr.isatty():
        lower.on_compile.append(announce)


def tell_children(shims: bool) -> None:
    """Let Python processes that the program starts find `tensorflow` too."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if CHILDREN not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([CHILDREN, *filter(None, paths)])
    if CHILDREN not in sys.path:
        sys.path.append(CHILDREN)  # which multiprocessing hands on to the processes that it spawns
    os.environ["THALWEG_ENVIRONMENT"] = sys.prefix
    if not shims:
        os.environ[NO_SHIMS] = "1"


def announce(ops: int, seconds: float) -> None:
    """Say, once, what a program's first large compilation took."""
    if ops >= LARGE and announce in lower.on_compile:
        lower.on_compile.remove(announce)
        print(f"thalweg: compiling step ({ops} ops) … {seconds:.1f} s; kept for the next start", file=sys.stderr)
