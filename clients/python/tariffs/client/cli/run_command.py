"""Shared part of the commands of runs: options, trade table, files, and the print of the result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.client._verbs.run_handle import Run
from tariffs.client._wire.frames import Table, write_table
from tariffs.client.cli import options, outputs, table_options
from tariffs.client.cli.commands import Command, Output, option_parameter, signed, taking
from tariffs.client.cli.render.results import print_result, print_table
from tariffs.client.cli.render.table import console
from tariffs.client.client import Client
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.both_sides import TITLES, BothSides, Side
from tariffs.client.results.impact import ImpactResult
from tariffs.client.results.shown import TableResult
from tariffs.run_spec.spec import OPTIONS, taken

_SCORED = "Score"
_OF_IMPORTS, _OF_EXPORTS = (
    {one.name for one in OPTIONS.values() if one.side == side} for side in ("import", "export")
)
_OF_TABLE = frozenset({"table", "mapping", "sheet", "header_row"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Trade table of a run, and what is written and printed of its result; named as the options.

    Raises:
        InvalidRequest: a file cannot be written under its name.
    """

    table: options.TradeTable = None
    mapping: table_options.Mapping = ""
    sheet: table_options.Sheet = ""
    header_row: table_options.HeaderRow = 0
    output: options.Output = None
    report: options.Report = None
    refused: options.Refused = None
    top: options.Top = None
    wide: options.Wide = False
    brief: options.Brief = False

    def __post_init__(self) -> None:
        outputs.check_files(self.output, self.refused)
        if self.report is not None:
            options.report_file(self.report)

    def goods(self) -> Table | None:
        """Open the table; None for the embedded one."""
        return self.table and table_options.source(self.table, self.mapping, self.sheet, self.header_row)

    def answer(
        self,
        client: Client,
        kind: str,
        result: TableResult,
        rows: pl.DataFrame,
        *,
        lines: Path | None = None,
        sort: str = "",
        shown: TableResult | None = None,
    ) -> Output:
        """Write the files of a result, and make the output of the command, which prints `shown` in its place."""
        if lines is not None and isinstance(result, ImpactResult) and result.lines is not None:
            write_table(result.lines, lines, result.provenance)
        files, printed = (self.output, self.report), shown or result
        return outputs.written(
            client, kind, result, rows, files, self._refused(), lambda: self.show(printed, sort), printed
        )

    def both(
        self, client: Client, kind: str, result: BothSides[Side], *, lines: Path | None = None, sort: str = ""
    ) -> Output:
        """Write both sides to one report or workbook, or to a file a side with its name at the end of the stem."""
        for path in filter(None, (self.output, self.report)):
            if path.suffix.lower() == ".xlsx":
                result.to_excel(path)
            elif path.suffix.lower() == ".html":
                texts = {side: outputs.legal_text(client, one) for side, one in result.sides.items()}
                result.report(path, law={side: text for side, text in texts.items() if text is not None})
        for side, one in result.sides.items():
            self._write_side(client, side, one, lines)

        def show() -> None:
            print_table(result.sections[0].exact())
            for side, one in result.sides.items():
                console().print(f"\n[bold]{TITLES[side]}[/bold]")
                self.show(one, sort)

        plain = outputs.document(f"{kind}-both", result.to_json_dict())
        return Output(plain, show, 1 if result.refused_rows else 0)

    def _write_side(self, client: Client, side: str, one: Side, lines: Path | None) -> None:
        rows = one.groups if isinstance(one, ImpactResult) else one.segments
        if self.output is not None and self.output.suffix.lower() not in {".xlsx", ".html"}:
            outputs.write_result(client, one, rows, _of_side(self.output, side))
        if lines is not None and isinstance(one, ImpactResult) and one.lines is not None:
            write_table(one.lines, _of_side(lines, side), one.provenance)
        outputs.write_refused(one.refused, _of_side(self._refused(), side), one.provenance)

    def show(self, result: TableResult, sort: str = "") -> None:
        """Print a result.

        Raises:
            InvalidRequest: REQUEST_INVALID if the groups have no numbers to sort by of that name.
        """
        column = _sortable(result, sort) if isinstance(result, ImpactResult) else sort
        print_result(result, wide=self.wide, top=self.top, sort=column, brief=self.brief)

    def check_detached(self, detach: bool, cluster: str, lines: Path | None = None) -> None:
        """Check that a detached run names no file and no cluster; raises InvalidRequest."""
        refuse_cluster(cluster, "--detach", detach)
        if detach and any((self.output, self.report, self.refused, lines)):
            raise InvalidRequest(
                "REQUEST_INVALID",
                "A detached run writes no files.",
                field="--detach",
                fix="Leave out -o, --report, --lines and --refused; `tariffs runs result NAME -o FILE` writes the "
                "result.",
            )

    def _refused(self) -> Path:
        return self.refused or outputs.refused_path(self.table)


_SHARED: Mapping[str, Parameter] = signature(Asked, eval_str=True).parameters


def _sortable(result: ImpactResult, column: str) -> str:
    numbers = [name for name, dtype in result.groups.schema.items() if dtype.is_numeric()]
    if not column or not numbers or column in numbers:
        return column if numbers else ""
    raise InvalidRequest(
        "REQUEST_INVALID",
        f"The groups have no column {column!r} of numbers.",
        field="--sort",
        fix=f"Give one of {', '.join(numbers)}.",
    )


def started(run: Run) -> Output:
    """Make the output of a detached run."""
    return Output({"name": run.name}, lambda: print(run.name))


def with_run_options(verb: str, *without: str) -> Callable[[Command], Command]:
    """Give a command of runs options of a verb, `--usmca-claims`, and those of `Asked`, taken as `asked`.

    Options that are named in `without` are left out, and the help of other commands leaves out those of a score.

    An option whose name on the command line is that of a parameter of the command stays the command's; a command with
    a client has the law of its connection.
    """

    def decorated(command: Command) -> Command:
        own = signature(command, eval_str=True).parameters
        hidden = command.__name__ != _SCORED.lower()
        of_connection = {"law_version"} if "client" in own else set()
        described = [
            one
            for one in taken(verb)
            if one.flag[2:] not in own and one.name not in {*without, *of_connection}
        ]
        made = [option_parameter(one, hidden=hidden and one.group == _SCORED) for one in described]
        shared = [name for name in _SHARED if name not in own and name not in without]
        claims = Parameter("usmca_claims", Parameter.KEYWORD_ONLY, default="", annotation=options.Claims)
        return taking(_asking(command, shared), described, [*made, claims])

    return decorated


def with_result_options(command: Command) -> Command:
    """Give a command the options of `Asked` but those of a table, taken as `asked`."""
    return _asking(command, _SHARED.keys() - _OF_TABLE)


def _asking(command: Command, names: Collection[str]) -> Command:
    was = signature(command, eval_str=True)
    asks = [one for name, one in _SHARED.items() if name in names]

    @wraps(command)
    def called(*client: Any, **given: Any) -> Any:
        asked = Asked(**{name: given.pop(name) for name in _SHARED if name in given})
        return command(*client, asked=asked, **given)

    own = [one for name, one in was.parameters.items() if name != "asked"]
    rest = [one for one in own if one.kind is Parameter.VAR_KEYWORD]
    return signed(called, [*own[: len(own) - len(rest)], *asks, *rest], was.return_annotation)


def both_sides(
    verb: Callable[..., Side],
    goods: Table | None,
    scenarios: Sequence[str],
    exports: Path | None,
    run: Mapping[str, Any],
    **days: str,
) -> BothSides[Side]:
    """Compute a run over imports and one over exports, each with the options that concern its side.

    Args:
        verb: method of the client.
        goods, exports: tables; None is the embedded one.
        scenarios: scenarios of both.
        run: options of both; `by` groups both sides where it is given.
        days: days of a timeline.

    Raises:
        InvalidRequest: REQUEST_INVALID with `--direction export`.
    """
    if run["direction"] != "import":
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--both computes imports and exports; it takes no --direction.",
            field="--direction",
            fix="Leave out --direction, or --both.",
        )
    by = run["by"]
    imported = {name: value for name, value in run.items() if name not in {*_OF_EXPORTS, "direction", "by"}}
    exported = {name: value for name, value in run.items() if name not in {*_OF_IMPORTS, "direction", "by"}}
    table = exports and table_options.source(exports)
    return BothSides(
        verb(goods, scenarios, by=by or ["origin"], **days, **imported),
        verb(table, scenarios, by=by or ["destination"], direction="export", **days, **exported),
    )


def check_sides(both: bool, exports: Path | None, cluster: str, detach: bool) -> None:
    """Check that a run over both sides is neither detached nor on a cluster, and one over a side has one table.

    Raises:
        InvalidRequest: REQUEST_INVALID.
    """
    refuse_cluster(cluster, "--both", both)
    if both and detach:
        raise InvalidRequest(
            "REQUEST_INVALID",
            "A run over both sides cannot be detached: it is two runs.",
            field="--detach",
            fix="Start one with --detach, and one with --detach --direction export.",
        )
    if exports is not None and not both:
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--exports is the second table of a run over both sides.",
            field="--exports",
            fix="Add --both, or give the table as TABLE with --direction export.",
        )


def refuse_cluster(cluster: str, name: str, is_given: bool) -> None:
    """Check that no cluster is named for a run that does not go to one; raises InvalidRequest."""
    if cluster and is_given:
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"--cluster does not go with {name}.",
            field="--cluster",
            fix=f"Leave out {name}; a server sends its long runs to the cluster of its setting TARIFFS_CLUSTER.",
        )


def _of_side(path: Path, side: str) -> Path:
    return path.with_stem(f"{path.stem}-{side}")
