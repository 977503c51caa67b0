"""Client method that computes refunds of entries."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Unpack

import polars as pl

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.changes import LawCalls
from tariffs.client._wire import entry_batches, entry_table, requests
from tariffs.client._wire.entry_batches import typed
from tariffs.client._wire.frames import Table, read_table
from tariffs.client._wire.progress import Progress, reporting
from tariffs.client._wire.requests import Money, ScenarioLike
from tariffs.client._wire.run_options import read_option
from tariffs.client.results.refund import AMOUNTS, ENTRY_SCHEMA, HEADING_SCHEMA, RefundsResult
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import refund_service_pb2

_COLUMNS = ("liquidation", "liquidation_date", "deposit_date", "drawback", "reliquidation_date")


class RefundCalls(LawCalls):
    """Refunds of entries; mixed into `Client`."""

    def refund(
        self,
        lines: Table,
        *,
        authorities: Sequence[str] = (),
        interest_rate: Money | None = None,
        paid_on: Day | None = None,
        scenario: ScenarioLike | None = None,
        progress: Progress = None,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> RefundsResult:
        """Compute refunds of duty assessed under a void authority, by entry, heading and collection window.

        Args:
            lines: frame, lazy frame or path with the columns of `duties`, and as far as known `liquidation`
                (unliquidated, liquidated, protestable, protested, reconciliation, final), `liquidation_date`,
                `deposit_date` (the entry day if empty), `drawback` (USD already recovered) and `reliquidation_date`
                (the day of the liquidation or reliquidation without the duty).
            authorities: nodes to count; by default that of the refund program, IEEPA.
            interest_rate: `"corporate"` or `"other"`, the payer of the quarterly rates of the law, or a yearly rate,
                `"7%"` or 0.07; compounded daily from deposit to reliquidation; by default no interest.
            paid_on: day of the reliquidation of rows without `reliquidation_date`; by default the law's as-of day.
            scenario: library name, `*.yaml` path, or `Scenario`.
            progress: True for a progress bar on a terminal, or a function that takes stage and fraction.
            timeout: seconds for each batch of 1,000 lines; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`: `known_on`, the day whose acts
                are assessed, `switches`, `min_confidence`, `law_version` and `date_format`.

        Raises:
            InvalidRequest: the table or an option cannot be used. A row that cannot be used is in `refused`.
        """
        form = read_option("date_format", options.pop("date_format", ""))
        table = entry_table.read_entries(read_table(lines), self.law(), "", form, _COLUMNS)
        request = requests.law_request(
            "refund",
            refund_service_pb2.CalculateRefundsRequest,
            options,
            scenario=requests.scenario_ref(scenario),
            authorities=arguments.names(authorities, "authorities"),
            interest_rate=_interest(interest_rate),
            paid_on=arguments.day(paid_on, "paid_on"),
            table=table.form,
        )
        messages = entry_table.row_messages(table, refund_service_pb2.RefundLine, _COLUMNS)
        seconds = arguments.seconds(timeout, self._config.deadlines.batch)

        def send(rows: list[int]) -> refund_service_pb2.CalculateRefundsResponse:
            del request.lines[:]
            request.lines.extend(messages[row] for row in rows)
            answer: refund_service_pb2.CalculateRefundsResponse
            answer = self._backend.unary("CalculateRefunds", request, seconds)
            return answer

        with reporting(progress) as report:
            return _refunds(table, entry_batches.in_batches(table, "computing refunds", send, report))


def _interest(given: Money | None) -> str:
    """A payer by name as given, in lower case; a rate as a fraction."""
    name = given.strip().lower() if isinstance(given, str) else ""
    return name if name.isalpha() else requests.rate_text(given, "interest_rate")


def _refunds(
    table: entry_table.EntryTable,
    answered: entry_batches.Answers[refund_service_pb2.CalculateRefundsResponse],
) -> RefundsResult:
    found = [(entry, rows[entry.indices[0]]) for rows, answer in answered for entry in answer.entries]
    entries = [entry_batches.entry_row(entry, ENTRY_SCHEMA, row) for entry, row in found]
    headings = [
        entry_batches.row_of(
            one, HEADING_SCHEMA, entry_id=entry.entry_id or None, row=row, heading=one.heading
        )
        for entry, row in found
        for one in entry.headings
    ]
    return RefundsResult(
        entries=pl.DataFrame(entries, schema=typed(ENTRY_SCHEMA)).sort("row"),
        headings=pl.DataFrame(headings, schema=typed(HEADING_SCHEMA)).sort("row", maintain_order=True),
        refused=entry_batches.refused_of(table, answered),
        total={
            name: sum((Decimal(answer.total.get(name, "0.00")) for _, answer in answered), Decimal("0.00"))
            for name in AMOUNTS
        },
        authorities=tuple(answered[0][1].authorities),
        provenance=entry_batches.joined_provenance(answered),
        notes=entry_batches.notes_of(answered),
    )
