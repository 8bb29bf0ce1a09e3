"""`thalweg doctor`: what this environment has, in one screen."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from thalweg._src.version import TENSORFLOW, __version__

CORE = ("jax", "jaxlib", "numpy", "ml_dtypes", "protobuf", "google-crc32c", "absl-py")


def report() -> None:
    console = Console()
    console.print(f"[bold]thalweg {__version__}[/bold], with the names of TensorFlow {TENSORFLOW}")
    console.print(f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores")
    console.print(sys.executable, style="dim")
    console.print(grid("Installed", (("package", "version"), *((name, version(name)) for name in CORE))))
    console.print(grid("Extras", (("extra", "has", "lacks"), *extras())))
    console.print(grid("Devices", (("device", "kind"), *devices())))
    console.print(kernels())
    folder = xla_folder()
    console.print(f"Compiled programs: {size(folder)} in {folder}" if folder else "Compiled programs are not kept.")
    console.print(steps())
    if version("tensorflow") != "-":
        console.print(f"tensorflow {version('tensorflow')} is installed too: `thalweg run` serves ours in its place.")


def grid(title: str, rows: tuple[tuple[str, ...], ...]) -> Table:
    table = Table(*rows[0], title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for row in rows[1:]:
        table.add_row(*row)
    return table


def version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "-"


def extras() -> Iterator[tuple[str, str, str]]:
    """Each extra that a user may want, with the packages of it that are here and those that are not."""
    try:
        requirements = importlib.metadata.requires("thalweg") or []
    except importlib.metadata.PackageNotFoundError:
        return
    for extra in ("demo", "plot", "image", "board", "sklearn"):
        wanted = [r for r in requirements if r.replace("'", '"').endswith(f'extra == "{extra}"')]
        names = [r.partition(";")[0].strip().split(">")[0].split("=")[0].strip() for r in wanted]
        here = [f"{n} {version(n)}" for n in names if version(n) != "-"]
        lacks = [n for n in names if version(n) == "-"]
        yield extra, ", ".join(here), ", ".join(lacks)


def devices() -> Iterator[tuple[str, str]]:
    import jax

    for device in jax.devices():
        yield f"{device.platform}:{device.id}", device.device_kind


def kernels() -> str:
    """Which CPU kernels are in use, and why; they are made now if they have not been yet."""
    from thalweg._src.kernels.library import library

    found = library()
    if found.path is None:
        return f"CPU kernels: none, {found.reason}. Convolutions run on XLA's own."
    return f"CPU kernels: {found.level}, {found.reason}, {found.path}"


def xla_folder() -> Path | None:
    """Where XLA's results are kept; None where they are not."""
    import jax

    from thalweg._src.runtime import cache

    cache.enable()
    folder = jax.config.jax_compilation_cache_dir
    return Path(folder) if folder else None


def steps() -> str:
    """Where whole steps are kept, or why they are not."""
    from thalweg._src.core.folders import cache_folder
    from thalweg._src.runtime.stored_programs import why_not

    folder, reason = cache_folder("programs"), why_not()
    if folder is None or reason is not None:
        return f"Compiled steps are not kept: {reason}."
    return f"Compiled steps: {size(folder)} in {folder}"


def size(folder: Path) -> str:
    files = [f for f in folder.rglob("*") if f.is_file()] if folder.is_dir() else []
    return f"{len(files)} files, {sum(f.stat().st_size for f in files) / 1e6:.1f} MB"
