"""The part of the client that compliance asks for: what changes in the law, and what comes back of entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from tariffs.client import _arguments as arguments
from tariffs.client._wire import answers as _answers
from tariffs.client._wire import entry_batches, entry_table, requests
from tariffs.client._wire.channel import Backend
from tariffs.client._wire.frames import Table, from_arrow, read_table
from tariffs.client._wire.progress import Progress, reporting
from tariffs.client._wire.requests import Day, Money, ScenarioLike
from tariffs.client.config import Config
from tariffs.client.results import law as lawinfo
from tariffs.client.results.entries import REFUSED_SCHEMA
from tariffs.client.results.law_changes import LawChange, LawChanges
from tariffs.client.results.refund import AMOUNTS, ENTRY_SCHEMA, HEADING_SCHEMA, RefundsResult
from tariffs.v1 import law_service_pb2, refund_service_pb2

EMBEDDED = "embedded"
_COLUMNS = ("liquidation", "liquidation_date", "deposit_date", "drawback")


class LawCalls:
    """What changed, and what comes back; mixed into `Client`."""

    _backend: Backend
    _config: Config

    def law(self, *, timeout: float | None = None) -> lawinfo.Law:
        """The version of the law, its switches and the claims it knows."""
        request = law_service_pb2.GetLawRequest()
        return _answers.law(self._backend.unary("GetLaw", request, timeout or self._config.deadlines.lists))

    def changes(
        self,
        start: Day,
        end: Day,
        lines: Table | None = None,
        *,
        hts: str = "",
        origin: str = "",
        known_on: Day | None = None,
        scenario: ScenarioLike | None = None,
        switches: Mapping[str, str] | None = None,
        min_confidence: str = "",
        direction: str = "import",
        timeout: float | None = None,
    ) -> LawChanges:
        """What takes effect, ends or is published from `start` to `end`, and which lines of a table it hits.

        Args:
            start: first day.
            end: last day.
            lines: frame, lazy frame or path of a trade table, "embedded" for the one that ships, None for none. Each
                step is valued as if all lines entered at its instant; a line's own entry date does not count.
            hts: only what reaches this code.
            origin: only what reaches this country.
            known_on: count only acts published by this day.
            scenario: library name, `*.yaml` path, or `Scenario`.
            switches: doubtful facts set otherwise than by default.
            min_confidence: least confidence an act must have to count: A, B or C.
            direction: import, or export: duties of the country that answers, on its clock.
            timeout: seconds; by default the config's deadline.

        Raises:
            InvalidRequest: the window, the table or an option cannot be used.
        """
        request = law_service_pb2.ListChangesRequest(
            start=arguments.day(start, "start"),
            end=arguments.day(end, "end"),
            hts=arguments.text(hts, "hts"),
            origin=arguments.text(origin, "origin"),
            known_on=arguments.day(known_on, "known_on"),
            scenario=requests.scenario_ref(scenario),
            switches=arguments.texts_by_name(switches, "switches"),
            min_confidence=arguments.text(min_confidence, "min_confidence"),
            direction=requests.direction_value(direction),
        )
        table: Table | None = lines
        if isinstance(lines, str) and lines == EMBEDDED:
            request.embedded, table = True, None
        return _changes(self._backend.changes(request, table, timeout or self._config.deadlines.impact))

    def refund(
        self,
        lines: Table,
        *,
        authorities: Sequence[str] = (),
        interest_rate: Money | None = None,
        paid_on: Day | None = None,
        known_on: Day | None = None,
        scenario: ScenarioLike | None = None,
        switches: Mapping[str, str] | None = None,
        min_confidence: str = "",
        date_format: str = "",
        progress: Progress = None,
        timeout: float | None = None,
    ) -> RefundsResult:
        """What comes back of entries: duty assessed under a void authority, by entry, heading and collection window.

        Args:
            lines: frame, lazy frame or path with the columns of `duties`, and as far as known `liquidation`
                (unliquidated, liquidated, reconciliation, final), `liquidation_date`, `deposit_date` (the entry day if
                empty) and `drawback` (USD already recovered).
            authorities: nodes to count; by default that of the refund program, IEEPA.
            interest_rate: yearly interest, `"7%"` or 0.07, compounded daily from deposit; by default none.
            paid_on: day interest runs to; by default the law's as-of day.
            known_on: the day whose acts are assessed; by default the law's as-of day.
            scenario: library name, `*.yaml` path, or `Scenario`.
            switches: doubtful facts set otherwise than by default.
            min_confidence: least confidence an act must have to count: A, B or C.
            date_format: as of `impact`.
            progress: True for a bar on a terminal, or a function of stage and fraction.
            timeout: seconds for each batch of 1,000 lines; by default the config's deadline.

        Raises:
            InvalidRequest: the table or an option cannot be used. A row that cannot be rated is in `refused`.
        """
        frame = read_table(lines)
        table = entry_table.read_entries(
            frame, self.law(), "", arguments.text(date_format, "date_format"), _COLUMNS
        )
        request = refund_service_pb2.CalculateRefundsRequest(
            scenario=requests.scenario_ref(scenario),
            known_on=arguments.day(known_on, "known_on"),
            switches=arguments.texts_by_name(switches, "switches"),
            min_confidence=arguments.text(min_confidence, "min_confidence"),
            authorities=arguments.names(authorities, "authorities"),
            interest_rate=requests.rate_text(interest_rate, "interest_rate"),
            paid_on=arguments.day(paid_on, "paid_on"),
            table=table.form,
        )
        answers: list[tuple[list[int], refund_service_pb2.CalculateRefundsResponse]] = []
        messages = _messages(table)
        with reporting(progress) as report:
            for rows in entry_table.batches(table):
                report("rating lines", rows[0] / frame.height)
                del request.lines[:]
                request.lines.extend(messages[row] for row in rows)
                answer = self._backend.unary(
                    "CalculateRefunds", request, timeout or self._config.deadlines.batch
                )
                answers.append((rows, answer))
            report("rating lines", 1.0)
        return _refunds(table, answers)


def _messages(table: entry_table.EntryTable) -> list[refund_service_pb2.RefundLine]:
    found = [refund_service_pb2.RefundLine(line=line) for line in table.messages]
    for name in _COLUMNS:
        if name in table.frame.columns:
            for message, value in zip(found, table.frame[name].to_list(), strict=True):
                setattr(message, name, entry_table.text_of(value))
    return found


def _refunds(
    table: entry_table.EntryTable,
    answers: list[tuple[list[int], refund_service_pb2.CalculateRefundsResponse]],
) -> RefundsResult:
    entries: list[dict[str, Any]] = []
    headings: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    total = dict.fromkeys(AMOUNTS, Decimal("0.00"))
    for rows, answer in answers:
        for entry in answer.entries:
            row = rows[entry.indices[0]]
            entries.append(_entry(entry, row))
            headings += [_heading(one, entry.entry_id, row) for one in entry.headings]
        failed = ((rows[index], entry_batches.fault_of(status)) for index, status in answer.failures.items())
        refused += [entry_batches.refusal(table, row, fault) for row, fault in failed]
        for name in AMOUNTS:
            total[name] += Decimal(answer.total[name])
    refused += entry_batches.unsent(table)
    return RefundsResult(
        entries=pl.DataFrame(entries, schema=ENTRY_SCHEMA).sort("row"),
        headings=pl.DataFrame(headings, schema=HEADING_SCHEMA).sort("row", maintain_order=True),
        refused=pl.DataFrame(refused, schema=REFUSED_SCHEMA).sort("row"),
        total=total,
        authorities=tuple(answers[0][1].authorities),
        provenance=entry_batches.joined_provenance(
            [dict(_answers.provenance(answer.provenance)) for _, answer in answers]
        ),
        notes=tuple(dict.fromkeys(note for _, answer in answers for note in _answers.notes(answer.notes))),
    )


def _entry(entry: refund_service_pb2.EntryRefund, row: int) -> dict[str, Any]:
    return {
        "entry_id": entry.entry_id or None,
        "row": row,
        "day": entry.day or None,
        "lines": len(entry.indices),
        "refused": entry.refused_count,
        "liquidation": entry.liquidation or None,
        "route": entry.route or None,
        "route_from": entry.route_from or None,
        **{name: Decimal(getattr(entry, name)) for name in AMOUNTS},
        "notes": [f"{note.reason}: {note.message}" for note in entry.notes],
    }


def _heading(one: refund_service_pb2.HeadingRefund, entry_id: str, row: int) -> dict[str, Any]:
    return {
        "entry_id": entry_id or None,
        "row": row,
        "measure": one.measure,
        "heading": one.heading,
        "start": one.start or None,
        "end": one.end or None,
        **{name: Decimal(getattr(one, name)) for name in ("deposited", "assessed", "owed", "refundable")},
    }


def _changes(answer: law_service_pb2.ListChangesResponse) -> LawChanges:
    return LawChanges(
        changes=tuple(_change(one) for one in answer.changes),
        effects=from_arrow(answer.effects),
        lines=from_arrow(answer.lines),
        lines_left_off=answer.lines_left_off,
        refused=from_arrow(answer.refused),
        provenance=_answers.provenance(answer.provenance),
        effects_left_off=answer.effects_left_off,
        refused_left_off=answer.refused_left_off,
    )


def _change(one: law_service_pb2.LawChange) -> LawChange:
    return LawChange(
        id=one.id,
        kind=one.kind,
        when=tuple(one.when),
        measures=tuple(one.measures),
        effect_time=one.effect_time,
        known_from=one.known_from,
        text=one.text,
        citations=tuple(one.citations),
        confidence=_answers.confidence(one.confidence),
        step=one.step if one.HasField("step") else None,
    )
