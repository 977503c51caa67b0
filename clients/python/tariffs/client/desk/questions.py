"""Turn the values of a form into a call of the client; every number on the page comes from one of these calls."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from tariffs.client._wire.frames import read_mapped
from tariffs.client._wire.progress import Report
from tariffs.client.client import Client
from tariffs.client.desk.forms import YOUR_SCENARIO
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.quote import Quote
from tariffs.client.results.scenario_check import CheckResult, Difference
from tariffs.client.results.sweep import Sweep
from tariffs.client.results.table_check import TableCheck
from tariffs.client.scenario import Scenario
from tariffs.run_spec.option import IMPACT, SWEEP, TIMELINE, Kind
from tariffs.run_spec.spec import taken

Values = Mapping[str, Any]


class Upload(Protocol):
    """File that was uploaded."""

    @property
    def name(self) -> str:
        """Name on the user's machine."""

    @property
    def contents(self) -> bytes:
        """Bytes of the file."""


@dataclass(frozen=True, slots=True)
class OwnTable:
    """Uploaded table.

    Attributes:
        table: its rows.
        baseline: day that its values belong to; empty if none was given.
        date_format: format of its days; empty where they tell it themselves.
        check: how it is read.
        result: its impact under the law as it is; None if no row can be used.
    """

    table: pl.DataFrame
    baseline: str
    date_format: str
    check: TableCheck
    result: ImpactResult | None


@dataclass(frozen=True, slots=True)
class Inputs:
    """Inputs that the parts of the page share; parts with other inputs are computed again.

    Attributes:
        text: scenario of the builder, as YAML.
        own: uploaded table; None is the embedded one.
        is_refused: whether a file is uploaded that cannot be used.
    """

    text: str = ""
    own: OwnTable | None = None
    is_refused: bool = False

    def scenario(self, name: str) -> Scenario:
        """Make the scenario that a choice names."""
        if name == YOUR_SCENARIO:
            return Scenario.from_text(self.text, YOUR_SCENARIO)
        return Scenario.named(name)

    def of_table(self) -> dict[str, Any]:
        """Make the arguments that name the table, its day and the format of its days.

        Raises:
            InvalidRequest: TABLE_UNREADABLE if the uploaded file cannot be used.
        """
        if self.is_refused:
            raise InvalidRequest(
                "TABLE_UNREADABLE",
                "Your table cannot be used; its part says why.",
                field="table",
                fix="Mend the file, or remove it to compute US imports of 2024.",
            )
        if self.own is None:
            return {}
        return {
            "lines": self.own.table,
            "baseline": self.own.baseline or None,
            "date_format": self.own.date_format,
        }


def quote(client: Client, values: Values, inputs: Inputs) -> Quote:
    """Compute the duty of one line with its reasons."""
    return client.duty(
        values["hts"],
        values["origin"],
        values["entry_date"] or None,
        values["value"],
        named(values["claims"], "claims"),
        quantity=values["quantity"] or None,
        unit=values["unit"] or None,
        mode=values["mode"] or None,
        scenario=inputs.scenario(values["scenario"]),
        why=True,
    )


def compare(client: Client, values: Values, inputs: Inputs, progress: Report) -> ImpactResult:
    """Compute the scenarios of the form beside each other."""
    return client.impact(
        scenarios=_chosen(values, inputs), progress=progress, **_run(IMPACT, values), **inputs.of_table()
    )


def timeline(client: Client, values: Values, inputs: Inputs, progress: Report) -> TimelineResult:
    """Compute the scenarios of the form on every day of its period."""
    return client.timeline(
        scenarios=_chosen(values, inputs),
        start=values["start"],
        end=values["end"],
        progress=progress,
        **_run(TIMELINE, values),
        **inputs.of_table(),
    )


def sweep(client: Client, values: Values, inputs: Inputs, progress: Report) -> Sweep:
    """Compute the scenario of the form at each value of its parameter."""
    return client.sweep(
        scenario=inputs.scenario(values["scenario"]),
        vary={values["parameter"]: values["values"]},
        progress=progress,
        **_run(SWEEP, values),
        **inputs.of_table(),
    )


def _run(verb: str, values: Values) -> dict[str, Any]:
    """Read the options of a run from the values of its form; empty fields have their defaults."""
    given = {one: values[one.name] for one in taken(verb) if values.get(one.name) not in ("", None)}
    readers: Mapping[Kind, Callable[[str, str], object]] = {
        Kind.KEYS: lambda text, name: re.split(r"[,\s]+", text.strip()),
        Kind.PAIRS: named,
        Kind.VALUES: named,
    }
    return {
        one.name: readers[one.kind](value, one.name) if one.kind in readers else value
        for one, value in given.items()
    }


def check(client: Client, text: str) -> tuple[CheckResult, tuple[Difference, ...]]:
    """Check a scenario, and compare the law under it with the law as it is."""
    scenario = Scenario.from_text(text, YOUR_SCENARIO)
    answer = client.check(scenario)
    return answer, client.diff("base", scenario) if answer.ok else ()


def own_table(client: Client, file: Upload, options: Values, progress: Report) -> OwnTable:
    """Read an uploaded file, say how it is read, and compute it under the law as it is.

    Args:
        client: answers.
        file: the upload.
        options: mapping of columns, format of days, and day that the values belong to.
        progress: takes stage and fraction.

    Raises:
        InvalidRequest: the table cannot be used as a whole; the message names the file as the user knows it.
    """
    with _stored(file) as path:
        check = client.check_table(path, mapping=options["mapping"], date_format=options["date_format"])
        table = read_mapped(path, options["mapping"]).frame
    computed = None
    if check.usable:
        computed = client.impact(
            table, response="none", date_format=options["date_format"], progress=progress
        )
    return OwnTable(table, options["baseline"], options["date_format"], check, computed)


@contextmanager
def _stored(file: Upload) -> Iterator[Path]:
    """Store an upload under a name with its suffix, by which it is read; errors name it as the user does."""
    with tempfile.TemporaryDirectory(prefix="tariffs-desk-") as folder:
        path = Path(folder) / f"table{Path(file.name).suffix.lower()}"
        path.write_bytes(file.contents)
        try:
            yield path
        except InvalidRequest as error:
            message = error.message.replace(str(path), file.name)
            raise InvalidRequest(error.reason, message, field=error.field, fix=error.fix) from error


def named(text: str, field: str) -> dict[str, str]:
    """Read `name=value` pairs, separated by commas or spaces.

    Raises:
        InvalidRequest: a part has no name or no value.
    """
    pairs = [part.partition("=") for part in re.split(r"[,\s]+", text.strip()) if part]
    for name, sign, value in pairs:
        if not (name and sign and value):
            raise InvalidRequest(
                "REQUEST_INVALID", f"{name}{sign}{value} is not NAME=VALUE.", field=field, fix="Write cn=20%."
            )
    return {name: value for name, _, value in pairs}


def _chosen(values: Values, inputs: Inputs) -> Sequence[Scenario]:
    return [inputs.scenario(name) for name in values["scenarios"]]
