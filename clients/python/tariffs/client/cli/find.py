"""`tariffs find`: codes by words, with the range of their duty."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column

from tariffs.client.cli import options, outputs
from tariffs.client.cli.commands import LAW, Output, Own, UnderLaw, command, with_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.results.find import FindCandidate, FindResult
from tariffs.client.results.short_names import fact_name, label_of

EXAMPLES = examples(
    "tariffs find 'cotton T-shirts'",
    "tariffs find smartphone --origin CN --date 2026-11-24",
    "tariffs find 'insulated water bottle' --origin VN --schedule schedule.parquet",
)
_SCHEDULE = "Your copy of the schedule, made by `tariffs data import hts`: searches texts of 8 and 10 digits."


@command
@with_options(
    Own("--origin", "CC", "Country of origin, for the range of the duty.", ""),
    Own("--date", "DAY", "Day of entry. Default: the law's as-of day.", argument="entry_date"),
    ...,
    Own("--schedule", "FILE", _SCHEDULE, kind=Path | None, more={"envvar": "TARIFFS_SCHEDULE"}),
    Own("--top", "N", "Show the first N codes.", 5, argument="limit", more={"min": 1, "max": 20}),
    "parameters",
    *LAW,
)
def find(
    client: UnderLaw,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="Words that name the goods.")],
    scenario: options.Scenario = None,
    **given: Any,
) -> Output:
    """Find codes that goods of some words may have, with the range of their duty.

    Words are searched in short names of headings and in words that people use for them. The answer is no
    classification: read the notes of the schedule, or ask for a ruling, before you declare one of these codes.
    """
    result = client.find(" ".join(words), scenario=scenario, **given)
    return Output(outputs.document("find", result.to_json_dict()), lambda: _print(result, given["origin"]))


def _print(result: FindResult, origin: str) -> None:
    out = console()
    for word, near in result.corrected.items():
        out.print(f"No text has {word!r}; searched {near!r}.", markup=False)
    if result.unknown:
        out.print(f"No text has {', '.join(map(repr, result.unknown))}, nor a word like it.", markup=False)
    if not result.candidates:
        out.print("No name of a heading has these words; try more common ones.")
    else:
        columns: list[str | Column] = ["code", "goods", "found by", *right("duty")]
        out.print(text_table([*columns, "depends on"], map(_row, result.candidates)))
    if result.rates is not None:
        low, high = result.rates
        whence = escape(label_of("origin", origin.upper()))
        out.print(f"\nDuty on goods of {whence} over these codes: {_percent(low)} to {_percent(high)}.")
    out.print(f"\nSearched: {result.searched}.", markup=False)
    out.print("[dim]Codes to look into, not a classification.[/dim]")
    if result.provenance is not None:
        print_footer(out, result.provenance)


def _row(one: FindCandidate) -> list[str]:
    duty = "" if one.low is None or one.high is None else _percent(one.low)
    if one.high is not None and one.low != one.high:
        duty += f" to {_percent(one.high)}"
    found = "" if one.matched == one.text else one.matched
    return [one.hts, one.text, found, duty, _depends(one)]


def _depends(one: FindCandidate) -> str:
    """Name what moves the duty: facts, codes charged by quantity, the code below the heading, and prohibitions."""
    parts = [fact_name(fact) for fact in one.facts]
    if one.covers > 1 and one.low != one.high:
        parts.append(f"which of {one.covers} codes")
    if one.refused:
        parts.append(f"{sum(one.refused.values())} codes by quantity or formula, not in the range")
    if one.prohibited:
        parts.append("prohibitions")
    if one.problem is not None:
        parts.append(str(one.problem))
    return ", ".join(parts)


def _percent(rate: object) -> str:
    return f"{100 * float(str(rate)):.6g} %"
