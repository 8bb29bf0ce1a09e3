"""Build the documentation into docs/_site: README and the pages of docs/ as HTML, and an index of the public names.

    python docs/build.py [folder]

Every page is plain Markdown; the links between pages are rewritten, and a link to a file that is not there is an error.
"""

import html
import importlib
import inspect
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import markdown

ROOT = Path(__file__).parents[1]
STYLE = """
body { font: 16px/1.55 system-ui, sans-serif; color: #1b2a33; margin: 0; display: flex; flex-wrap: wrap; }
nav { flex: 0 0 13rem; padding: 2rem 1.5rem; background: #eef4f6; } nav a { display: block; padding: .15rem 0; }
main { flex: 1 1 30rem; max-width: 52rem; padding: 1.5rem 2.5rem; min-width: 0; }
a { color: #0b6a88; text-decoration: none; } a:hover { text-decoration: underline; }
pre { background: #f4f7f8; padding: .8rem 1rem; overflow-x: auto; border-left: 3px solid #9cc3d0; }
code { font: .88em ui-monospace, monospace; } table { border-collapse: collapse; } img { max-width: 100%; }
td, th { border: 1px solid #cfdde2; padding: .25rem .6rem; text-align: left; vertical-align: top; }
"""


def main(out: Path) -> None:
    pages = {"index": ROOT / "README.md", "changelog": ROOT / "CHANGELOG.md"}
    pages |= {p.stem: p for p in sorted((ROOT / "docs").glob("*.md"))}
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    if (ROOT / "docs" / "images").is_dir():
        shutil.copytree(ROOT / "docs" / "images", out / "images")
    titles = {"index": "thalweg", "api": "Public names", **{n: title(p) for n, p in pages.items() if n != "index"}}
    for name, path in pages.items():
        body = markdown.markdown(path.read_text("utf-8"), extensions=["fenced_code", "tables", "toc"])
        write(out, name, relinked(body, path, pages), titles)
    write(out, "api", names_of_faces(), titles)
    print(f"{len(pages) + 1} pages in {out}")


def title(path: Path) -> str:
    found = re.search(r"^# (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else path.stem


def write(out: Path, name: str, body: str, titles: dict[str, str]) -> None:
    links = "".join(f'<a href="{n}.html">{html.escape(t)}</a>' for n, t in titles.items())
    head = f'<meta charset="utf-8"><title>{html.escape(titles[name])}</title><style>{STYLE}</style>'
    page = f"<!doctype html><html lang=en><head>{head}</head><body><nav>{links}</nav><main>{body}</main></body></html>"
    (out / f"{name}.html").write_text(page, "utf-8")


def relinked(body: str, page: Path, pages: dict[str, Path]) -> str:
    """`body` with links to Markdown files turned into links to their pages. SystemExit for one that leads nowhere."""
    by_path = {path.resolve(): name for name, path in pages.items()}

    def new(match: re.Match[str]) -> str:
        attribute, target = match[1], html.unescape(match[2])
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve()
        if not path.exists():
            sys.exit(f"{page.relative_to(ROOT)}: the link to {target} leads nowhere")
        if path in by_path:
            return f'{attribute}="{by_path[path]}.html{"#" + anchor if anchor else ""}"'
        return f'{attribute}="{path.relative_to(ROOT / "docs") if "images" in path.parts else path.name}"'

    return re.sub(r'(href|src)="([^"]*)"', new, body)


def names_of_faces() -> str:
    """Every public name, with the first line of what it says of itself."""
    sections = []
    for path in sorted((ROOT / "thalweg").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "_src" in parts or parts[-1] in ("__main__", "tensorflow"):
            continue
        module = importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        shown = module.__name__.replace("thalweg", "tf", 1)
        sections.append(f"<h2>{shown}</h2><p>{first_line(module)}</p><table>{rows(module)}</table>")
    return "<h1>Public names</h1>" + "".join(sections)


def rows(module: ModuleType) -> str:
    cells = []
    for name in sorted(n for n in vars(module) if not n.startswith("_")):
        value = getattr(module, name)
        if not isinstance(value, ModuleType):
            cells.append(f"<tr><td><code>{name}{arguments(value)}</code></td><td>{first_line(value)}</td></tr>")
    return "".join(cells)


def arguments(value: object) -> str:
    try:
        given = inspect.signature(value) if callable(value) else None
    except (TypeError, ValueError):
        given = None
    return html.escape(f"({', '.join(given.parameters)})") if given else ""


def first_line(value: object) -> str:
    doc = inspect.getdoc(value) if isinstance(value, ModuleType) or callable(value) else None
    return html.escape((doc or "").partition("\n\n")[0].replace("\n", " "))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "_site")
