"""The commands, on typer. Each imports what it works with when it is called.

`run`, `check` and `demo` stand here for `thalweg --help` alone: main() starts the programs that they name without typer.
"""

from pathlib import Path
from typing import Annotated

import typer

from thalweg._src.cli.run import USAGE
from thalweg._src.version import __version__

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="TensorFlow's graphs and sessions, over XLA. [bold]thalweg run train.py[/bold] runs a program as it stands.",
)


def show_version(wanted: bool) -> None:
    if wanted:
        print(f"thalweg {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print it.")] = False,
) -> None:
    pass


@app.command(add_help_option=False, context_settings={"ignore_unknown_options": True, "help_option_names": []})
def run(words: Annotated[list[str] | None, typer.Argument(metavar="SCRIPT [ARGUMENTS]...")] = None) -> None:
    """Run a program that says `import tensorflow`, with thalweg in its place."""
    print(USAGE, end="")


@app.command(add_help_option=False, context_settings={"ignore_unknown_options": True, "help_option_names": []})
def check(words: Annotated[list[str] | None, typer.Argument(metavar="PROGRAM_OR_FOLDER...")] = None) -> None:
    """Read programs, and list each symbol and argument of TensorFlow that thalweg lacks, by line."""


@app.command()
def demo() -> None:
    """Train the three digit classifiers, and show what they learned. Its options: thalweg demo --help."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def board(context: typer.Context, logdir: Annotated[Path, typer.Argument(help="A folder with event files.")]) -> None:
    """Start TensorBoard on LOGDIR. What follows LOGDIR is TensorBoard's: --port 6007."""
    from thalweg._src.cli.board import serve

    raise typer.Exit(serve(logdir, context.args))


@app.command()
def doctor() -> None:
    """Say what is installed, which devices there are, and where compiled programs are kept."""
    from thalweg._src.cli.doctor import report

    report()


@app.command()
def inspect(
    graph: Annotated[Path, typer.Argument(help="A GraphDef: .pb, or .pbtxt for text. A MetaGraphDef will do.")],
    limit: Annotated[int, typer.Option(help="Show so many nodes at most; 0 for all.")] = 200,
    match: Annotated[str, typer.Option(help="Only nodes whose name or op has this in it.")] = "",
) -> None:
    """Show the nodes of a saved graph as a table, and count its ops."""
    from thalweg._src.cli.inspect import show

    raise typer.Exit(show(graph, limit=limit, match=match))
