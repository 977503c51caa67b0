"""`tariffs law lint`: check law data for mistakes before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from tariffs.client._wire.channel import engine_errors
from tariffs.client.cli.commands import Output
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.table import console
from tariffs.client.errors import module_of

_FAULT = 4

EXAMPLES = examples(
    "tariffs law lint",
    """cp -r "$(python -c 'from tariffs.engine.law.files import HERE; print(HERE)')" my-law""",
    "tariffs law lint my-law --json",
)


def lint(
    directory: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR|PACK",
            help="Folder of law data: measures/, lists/, groups.yaml ..., or a law pack. Default: that of this "
            "installation.",
            exists=True,
        ),
    ] = None,
) -> Output:
    """Check law data: each finding with its file, its path in the file, and what to do.

    Finds what the loader refuses (unknown countries, groups, lists, claims, measures and switches with the nearest
    spelling, malformed headings, dates and rates) and what loads but is probably a mistake: missing citations, periods
    that are never in force or leave a gap, names and lists that nothing uses, documents whose day, volume, number and
    address contradict each other, late publication without a note or a day, rows never reached, partner rows dearer
    than the general one, codes that the schedule does not have, headings of others, wrong offsets, and families of
    measures that a stacking rule forgets. Names are checked once every measure reads, so run it again after mending.
    docs/law-data.md describes the files.

    Needs the engine in this installation; no server is asked. Exit code 0 without findings, 4 with some.
    """
    engine = module_of("server", "tariffs.engine.law.lint")
    with engine_errors():
        found: dict[str, Any] = engine.lint_law(str(directory or "")).to_dict()
    return Output(found, lambda: _print(console(), found), _FAULT if found["findings"] else 0)


def _print(out: Console, found: Mapping[str, Any]) -> None:
    for one in found["findings"]:
        place = ": ".join(filter(None, (one["file"], one["path"])))
        out.print(f"{escape(place)}: {escape(one['message'])}", soft_wrap=True)
        out.print(f"  [dim]{escape(one['fix'])}[/dim]", soft_wrap=True)
    count = len(found["findings"])
    size = f"{found['measures']} measures, {found['rows']} rows, " if found["measures"] else ""
    out.print(f"{found['directory']}: {size}{count} finding{'' if count == 1 else 's'}", soft_wrap=True)
