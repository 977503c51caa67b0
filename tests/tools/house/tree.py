"""Files of the checkout with their text, as the rules of the house read them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOURCE_ROOTS = ("engine", "service", "clients/python", "proto")
ENGINE, SERVICE, CLIENT = (
    "engine/tariffs/engine/",
    "service/tariffs/service/",
    "clients/python/tariffs/client/",
)


@dataclass(frozen=True)
class Fault:
    """Place that breaks a rule, with what was found there."""

    path: str
    line: int
    found: str


@dataclass(frozen=True)
class Tree:
    """Files that git holds or would take; `edited` has texts that stand for those on disk."""

    paths: frozenset[str]
    edited: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_checkout(cls) -> Tree:
        """List the files of the checkout."""
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        return cls(frozenset(name for name in listed.split("\0") if name and (ROOT / name).is_file()))

    def with_file(self, path: str, text: str) -> Tree:
        """Copy the tree with another text of one file."""
        return replace(self, paths=self.paths | {path}, edited={**self.edited, path: text})

    def text(self, path: str) -> str:
        """Read a file."""
        return self.edited[path] if path in self.edited else _text(path)

    def matching(self, *patterns: str) -> list[str]:
        """List the files that one of the patterns fits; `*` fits folders too."""
        return sorted(path for path in self.paths if any(fnmatchcase(path, one) for one in patterns))

    def python(self, *folders: str) -> list[str]:
        """List the modules below folders, generated ones apart."""
        found = self.matching(*(f"{folder.rstrip('/')}/*.py" for folder in folders))
        return [path for path in found if "_pb2" not in path]

    def parsed(self, path: str) -> ast.Module:
        """Parse a module."""
        return _parsed(self.text(path))

    def entries(self, folder: str) -> set[str]:
        """List the names of files and folders with files directly below a folder."""
        return {path.removeprefix(folder).split("/")[0] for path in self.paths if path.startswith(folder)}

    @property
    def pages(self) -> list[str]:
        """The pages of documentation."""
        return [
            path for path in self.matching("docs/*.md", "*.md") if path.startswith("docs/") or "/" not in path
        ]


@cache
def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)
