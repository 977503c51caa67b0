"""Turn the values of a form into a call of the client; every number on the page comes from one of these calls."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from tariffs.client._wire.frames import read_table
from tariffs.client._wire.progress import Report
from tariffs.client.client import Client
from tariffs.client.desk.forms import YOUR_SCENARIO
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.law import CheckResult, Difference
from tariffs.client.results.quote import Quote
from tariffs.client.results.sweep import Sweep
from tariffs.client.scenario import Scenario

Values = Mapping[str, Any]


class Upload(Protocol):
    """File that was uploaded."""

    @property
    def name(self) -> str:
        """Name on the user's machine."""

    @property
    def contents(self) -> bytes:
        """Bytes of the file."""


@dataclass(slots=True)
class Inputs:
    """Inputs that the parts of the page share in one session, as they are when a form is submitted.

    Attributes:
        text: scenario of the builder, as YAML.
        table: uploaded table; None is the embedded one.
        baseline: day that its values belong to.
    """

    text: str = ""
    table: pl.DataFrame | None = None
    baseline: str = ""

    def scenario(self, name: str) -> Scenario:
        """Make the scenario that a choice names."""
        if name == YOUR_SCENARIO:
            return Scenario.from_text(self.text, YOUR_SCENARIO)
        return Scenario.named(name)

    def of_table(self) -> dict[str, Any]:
        """Make the arguments that name the table and its day."""
        return {} if self.table is None else {"lines": self.table, "baseline": self.baseline or None}


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
        scenarios=_chosen(values, inputs),
        on=values["on"] or None,
        by=[values["by"]],
        response=values["response"],
        horizon=values["horizon"],
        parameters=named(values["parameters"], "parameters"),
        progress=progress,
        **inputs.of_table(),
    )


def timeline(client: Client, values: Values, inputs: Inputs, progress: Report) -> TimelineResult:
    """Compute the scenarios of the form on every day of its period."""
    return client.timeline(
        scenarios=_chosen(values, inputs),
        start=values["start"],
        end=values["end"],
        by=[values["by"]],
        response=values["response"],
        parameters=named(values["parameters"], "parameters"),
        progress=progress,
        **inputs.of_table(),
    )


def sweep(client: Client, values: Values, inputs: Inputs, progress: Report) -> Sweep:
    """Compute the scenario of the form at each value of its parameter."""
    return client.sweep(
        scenario=inputs.scenario(values["scenario"]),
        vary={values["parameter"]: values["values"]},
        on=values["on"] or None,
        response=values["response"],
        progress=progress,
        **inputs.of_table(),
    )


def check(client: Client, text: str) -> tuple[CheckResult, tuple[Difference, ...]]:
    """Check a scenario, and compare the law under it with the law as it is."""
    scenario = Scenario.from_text(text, YOUR_SCENARIO)
    answer = client.check(scenario)
    return answer, client.diff("base", scenario) if answer.ok else ()


def own_table(
    client: Client, file: Upload, inputs: Inputs, progress: Report
) -> tuple[ImpactResult, pl.DataFrame]:
    """Take an uploaded file as the table of all parts, and compute it under the law as it is."""
    inputs.table = None
    table = read_upload(file.name, file.contents)
    result = client.impact(table, response="none", progress=progress)
    inputs.table = table
    return result, table


def read_upload(name: str, contents: bytes) -> pl.DataFrame:
    """Read an uploaded file by the suffix of its name.

    Raises:
        InvalidRequest: TABLE_UNREADABLE, which names the file as the user knows it.
    """
    with tempfile.TemporaryDirectory(prefix="tariffs-desk-") as folder:
        path = Path(folder) / f"table{Path(name).suffix.lower()}"
        path.write_bytes(contents)
        try:
            return read_table(path)
        except InvalidRequest as error:
            raise InvalidRequest(
                error.reason, error.message.replace(str(path), name), field=error.field, fix=error.fix
            ) from error


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
