"""`tariffs test`: cases of expected duties and results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tariffs.client.cases.case_check import CaseResult, check_case
from tariffs.client.cases.case_file import Case, is_case_file, read_cases
from tariffs.client.cases.case_recording import record_cases
from tariffs.client.cases.junit import write_junit
from tariffs.client.cli import options, outputs
from tariffs.client.cli.commands import Output, command
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.errors import InvalidRequest

EXAMPLES = examples(
    "tariffs test cases.yaml",
    "tariffs test cases/ --junit cases.xml --target tariffs.example.org:50051",
    "tariffs test cases.yaml --record",
    "tariffs test cases.yaml --law law-2026.12.01.1.tar.zst --against law-2026.10.07.7.tar.zst",
)


@command
def check(
    cases: Annotated[
        list[Path],
        typer.Argument(
            metavar="CASES...", help="Files of cases, or folders with such files.", show_default=False
        ),
    ],
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the outcomes as JUnit XML.")
    ] = None,
    law: Annotated[
        str, typer.Option("--law", metavar="PACK|VERSION", help="Law to check the cases under.")
    ] = "",
    against: Annotated[
        str,
        typer.Option(
            "--against", metavar="PACK|VERSION", help="Second law: list the cases whose results move."
        ),
    ] = "",
    record: Annotated[
        bool, typer.Option("--record", help="Write what comes into the files, in place of what is wrong.")
    ] = False,
    target: options.Target = None,
    local: options.Local = False,
) -> Output:
    """Check cases of expected duties and results: entry lines and runs over tables. Exit 1 if one is wrong.

    Each wrong case is one line, with what was expected and what came. A file begins with `schema: tariffs.cases/v1`.
    With --record what came is written in its place, for cases without `expect` too; then read the difference.
    """
    read = [case for path in _files(cases) for case in read_cases(path)]
    results = _results(read, target, local, law)
    moved = _moved(_results(read, target, local, against), results) if against else []
    if junit is not None:
        write_junit(results, junit)
    recorded = record_cases(results) if record else []
    wrong = sum(_is_wrong(one, record) for one in results)
    document: dict[str, object] = {"cases": [one.to_json_dict() for one in results], "wrong": wrong}
    if record:
        document["recorded"] = [{"id": one.id, "file": one.file} for one in recorded]
    if against:
        document["moved"] = [
            {"id": after.id, "file": after.file, "before": before.came, "after": after.came}
            for before, after in moved
        ]
    return Output(
        outputs.document("cases", document),
        lambda: _print(results, moved, recorded, wrong),
        1 if wrong else 0,
    )


test = check
"""The command: a function that is called `test` would be one of pytest."""


def _files(given: Sequence[Path]) -> list[Path]:
    """List files of cases: those named, and those below the folders named."""
    found = [
        path
        for one in given
        for path in (sorted(filter(_holds_cases, one.rglob("*"))) if one.is_dir() else [one])
    ]
    if not found:
        raise InvalidRequest(
            "REQUEST_INVALID",
            "The folders have no files of cases.",
            field="CASES",
            fix="A file of cases is YAML that begins with `schema: tariffs.cases/v1`.",
        )
    return found


def _holds_cases(path: Path) -> bool:
    return path.is_file() and is_case_file(path)


def _results(cases: Sequence[Case], target: str | None, local: bool, law: str) -> list[CaseResult]:
    with options.connected(target, local, law) as client:
        return [check_case(client, case) for case in cases]


def _is_wrong(one: CaseResult, record: bool) -> bool:
    """Test whether a case is wrong, or still is after what came was recorded."""
    return any(part.place is None for part in one.differences) if record else bool(one.wrong)


def _moved(before: Sequence[CaseResult], after: Sequence[CaseResult]) -> list[tuple[CaseResult, CaseResult]]:
    return [(old, new) for old, new in zip(before, after, strict=True) if old.came != new.came]


def _print(
    results: Sequence[CaseResult],
    moved: Sequence[tuple[CaseResult, CaseResult]],
    recorded: Sequence[CaseResult],
    wrong: int,
) -> None:
    out = console()
    for one in results:
        if one.wrong:
            word = "[yellow]recorded[/yellow]" if one in recorded else "[red]wrong[/red]"
            out.print(
                f"{word}  {escape(one.file)} {escape(one.id)}: {escape('; '.join(one.wrong))}",
                soft_wrap=True,
            )
    if moved:
        rows = ([old.id, _words(old.came), _words(new.came)] for old, new in moved)
        out.print(text_table(["case", *right("before", "after")], rows))
    told = f"{len(results) - wrong} of {len(results)} cases are right"
    out.print(
        f"{told} in {sum(one.seconds for one in results):.1f} s."
        + (f" {len(moved)} moved." if moved else "")
        + (f" {len(recorded)} recorded." if recorded else "")
    )


def _words(came: object) -> str:
    return (
        ", ".join(f"{name} {value}" for name, value in came.items()) if isinstance(came, dict) else str(came)
    )
