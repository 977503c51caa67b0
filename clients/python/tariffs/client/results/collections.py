"""Duty from the law to the treasury, by month, authority and origin."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tariffs.client.results import html
from tariffs.client.results.json_values import json_value
from tariffs.client.results.quote import Note, Provenance, part_of
from tariffs.client.results.report import Reported
from tariffs.client.results.tables import Section, ShortTable
from tariffs.client.results.view import Passage, View, inputs

STEPS = ("claims", "exemptions", "afloat", "rest")
"""Steps from `assessed` to `collected`."""
_AMOUNTS = ("imports", "assessed", *STEPS, "collected", "refunds")
_RATE = "collected_rate"
_SHOWN = 40
_BILLION = 1e9
_QUESTION = "How much customs duty comes in, and what becomes of the rest?"


@dataclass(frozen=True, slots=True)
class Collections(Reported):
    """Duty assessed and collected on US imports, and the steps between; docs/models/collections.md explains each.

    Attributes:
        rows: the keys, then `imports`, `assessed`, STEPS, `collected`, `refunds` (USD) and `collected_rate` (fraction
            of imports). `collected` is `assessed` and the steps, to the cent, without refunds. `imports` is that of the
            keys but authority.
        total: the same of all rows, one row without keys.
        frozen: day, months and last month of the estimates.
        notes: what to know.
        provenance: law version, digests.
    """

    rows: pl.DataFrame
    total: pl.DataFrame
    frozen: Mapping[str, str]
    notes: tuple[Note, ...]
    provenance: Provenance

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `collections --json`."""
        return {
            "rows": self.rows.to_dicts(),
            "total": self.total.row(0, named=True),
            "frozen": dict(self.frozen),
            "notes": json_value(self.notes),
            "provenance": dict(self.provenance),
        }

    def table(self) -> ShortTable:
        """Write the rows by name, all of a few months or the largest, and the total."""
        keys = [name for name in self.rows.columns if name not in (*_AMOUNTS, _RATE)]
        rows = self.rows if keys == ["month"] else self.rows.sort("collected", descending=True)
        numbers, total = [*_AMOUNTS, _RATE], self.total.row(0, named=True)
        heads = [*_AMOUNTS, "rate, %"]
        return Section("", rows if keys else rows.clear(), keys, numbers, _SHOWN, heads, total, "all").short()

    def to_view(self) -> View:
        """Describe the ladder in plain data for readers."""
        total = self.total.row(0, named=True)
        assessed, collected, refunds = (
            total[name] / _BILLION for name in ("assessed", "collected", "refunds")
        )
        answer = (
            f"Of {assessed:,.1f} billion USD of duty assessed, {collected:,.1f} are collected; {abs(refunds):,.1f} of "
            "void duty are refunded in these months."
        )
        return View(
            _QUESTION,
            [answer],
            passages=[Passage("From the law to the money", [], [self.table()])],
            assumed={"Collections": [note.message for note in self.notes]},
            inputs=inputs(self.provenance),
            repeat={"Command line": self._command()},
            law_line=html.law_line(self.provenance),
        )

    def _command(self) -> str:
        """Write the command that computes the rows again."""
        asked, scenarios = part_of(self.provenance, "details"), part_of(self.provenance, "scenarios")
        words = ["tariffs", "collections", "--from", asked["start"], "--to", asked["end"]]
        for name in ("by", "without"):
            words += [f"--{name}", ",".join(asked[name])] if asked.get(name) else []
        return shlex.join([*words, *(word for one in scenarios for word in ("-s", one["id"]))])
