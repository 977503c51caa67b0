"""Check the names of files that results are written to."""

from __future__ import annotations

from pathlib import Path

from tariffs.client.errors import InvalidRequest


def check_suffix(path: Path, *suffixes: str) -> None:
    """Check that a file's name says what is written into it.

    Raises:
        InvalidRequest: PARAMETER_INVALID if it ends in none of the suffixes.
    """
    if path.suffix.lower() not in suffixes:
        raise InvalidRequest(
            "PARAMETER_INVALID",
            f"Cannot write {path.name}.",
            field="output",
            fix=f"Name a {' or '.join(suffixes)} file.",
        )


def write_report(path: str | Path, text: str) -> None:
    """Write a report as an HTML file.

    Raises:
        InvalidRequest: the name of the file ends in neither .html nor .htm.
    """
    check_suffix(Path(path), ".html", ".htm")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
