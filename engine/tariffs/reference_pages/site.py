"""Build the site of the documentation: `python -m tariffs.reference_pages.site`, run by `make docs`.

Pages keep their places in the checkout, so that their links hold; what is generated lies under `reference`. Links to
files that are not part of the site become plain text, all others are checked by the build, which fails on a broken one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from tariffs.reference_pages import wire

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "build" / "site-source"
_TOP = {"README.md": "index.md", "CHANGELOG.md": "CHANGELOG.md", "CONTRIBUTING.md": "CONTRIBUTING.md"}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
_SECONDS = 300


def stage(root: Path, out: Path) -> None:
    """Lay out the pages of the site under `out`, those that are generated too."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(root / "docs", out / "docs", ignore=shutil.ignore_patterns("__pycache__", "__marimo__"))
    for source, target in _TOP.items():
        (out / target).write_text((root / source).read_text(encoding="utf-8"), encoding="utf-8")
    origins = {out / target: root / source for source, target in _TOP.items()}
    for page in out.rglob("*.md"):
        origin = origins.get(page, root / page.relative_to(out))
        page.write_text(with_links(page.read_text(encoding="utf-8"), origin, root), encoding="utf-8")
    for name, text in wire.pages(root).items():
        _write(out / "reference" / "wire" / name, text)
    _write(out / "reference" / "python.md", python_page())


def with_links(text: str, page: Path, root: Path) -> str:
    """Rewrite the links of a page for the site.

    A folder becomes its README, the README the front page, and a file outside the site plain text.
    """

    def rewritten(found: re.Match[str]) -> str:
        image, words, target, anchor = found[1], found[2], found[3], found[4] or ""
        path = (page.parent / target).resolve()
        inside = path.is_relative_to(root / "docs") or (path.parent == root and path.name in _TOP)
        if path.exists() and not inside:
            return words
        if path.is_dir():
            path = path / "README.md"
        if path == root / "README.md":
            path = root / "index.md"
        shown = os.path.relpath(path, page.parent)
        return f"{image}[{words}]({shown}{anchor})"

    return _LINK.sub(rewritten, text)


def python_page() -> str:
    """Write the page from which the docstrings of the client are drawn."""
    public = import_module("tariffs.client")
    lines = ["# Python", "", "The client, from its docstrings: `from tariffs.client import Client`.", ""]
    for name in sorted(public.__all__, key=lambda name: (name != "Client", name)):
        found = getattr(public, name)
        if getattr(found, "__module__", "").startswith("tariffs.client"):
            lines += [f"::: {found.__module__}.{found.__qualname__}", ""]
    return "\n".join(lines)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> int:
    """Build the site into `build/site`; returns the exit code of the build."""
    stage(ROOT, SOURCE)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    return subprocess.run(command, cwd=ROOT, timeout=_SECONDS, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
