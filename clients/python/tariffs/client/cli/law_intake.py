"""`tariffs law intake`: compare releases of the schedule with the law, and write a draft of law data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from tariffs.client._wire.channel import engine_errors
from tariffs.client.cli.commands import Output
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.errors import InvalidRequest, module_of

_SHOWN = 20


def intake(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Release before, JSON or CSV of the USITC.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Release after.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder for the draft; it must not be there."),
    ],
    on: Annotated[
        str,
        typer.Option("--on", metavar="DAY", help="Day of the law to compare with. Default: its last day."),
    ] = "",
) -> Output:
    """Compare two releases of the tariff schedule with each other and with the law, and write a draft of law data.

    Lists headings of chapters 98 and 99 that were added, ended, re-rated, suspended or reworded, lines of goods that
    changed or moved, and statistical codes with those that took their goods. The draft is the law data of this
    installation with an announced measure for each heading that it lacks, and the questions that a person settles
    before `tariffs law build` makes a pack of it: a release says neither since when by law nor on which goods a duty is
    charged.

    Needs the engine in this installation; no server is asked.
    """
    if output.exists():
        raise InvalidRequest(
            "REQUEST_INVALID", f"{output} is there.", field="output", fix="Name a new folder."
        )
    with engine_errors():
        engine = module_of("server", "tariffs.engine.validation.schedule_intake")
        found: dict[str, Any] = engine.take_in_files(old, new, output, on)
    return Output({**found, "draft": str(output)}, lambda: _print(found, output))


def _print(found: Mapping[str, Any], output: Path) -> None:
    out = console()
    out.print(
        f"[bold]{escape(found['new'])} beside {escape(found['old'])} and the law of {found['on']}[/bold]"
    )
    rows = []
    for name, what in (("headings", "headings of chapters 98 and 99"), ("lines", "lines of goods")):
        changes = Counter(one["change"] for one in found[name])
        agreed = Counter(one["change"] for one in found[name] if one["verdict"] == "agrees")
        rows += [[what, kind, str(count), str(agreed[kind])] for kind, count in changes.most_common()]
    rows += [
        ["codes of 10 digits", how, str(count), ""]
        for how, count in Counter(one["how"] for one in found["codes"]).items()
    ]
    out.print(text_table(["", "change", *right("number", "agree with the law")], rows))
    for question in found["questions"][:_SHOWN]:
        out.print(f"? {escape(question)}", soft_wrap=True)
    more = len(found["questions"]) - _SHOWN
    if more > 0:
        out.print(f"... and {more:,} more questions")
    out.print(
        f"{escape(str(output))}: QUESTIONS.md, headings.csv, lines.csv, codes.csv, and law/ to complete and build"
    )
