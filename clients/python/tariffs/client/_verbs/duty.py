"""Client methods that compute the duty on entry lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Unpack

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.changes import LawCalls
from tariffs.client._wire import answers, entry_batches, entry_table, requests
from tariffs.client._wire.frames import Table, read_table
from tariffs.client._wire.progress import Progress, reporting
from tariffs.client._wire.requests import ChargeValue, ClaimValue, Money, ScenarioLike
from tariffs.client._wire.run_options import read_option
from tariffs.client.results.entries import EntriesResult
from tariffs.client.results.quote import Quote
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import duty_service_pb2


class DutyCalls(LawCalls):
    """Duties on entry lines; mixed into `Client`."""

    def duty(
        self,
        hts: str,
        origin: str,
        entry_date: Day | None = None,
        value: Money = "",
        claims: Mapping[str, ClaimValue] | None = None,
        *,
        quantity: Money | None = None,
        unit: str | None = None,
        mode: str | None = None,
        freight: Money | None = None,
        insurance: Money | None = None,
        charges: Mapping[str, ChargeValue] | None = None,
        scenario: ScenarioLike | None = None,
        ordinary_rate: Money | None = None,
        why: bool = False,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> Quote:
        """Compute the duty on one entry line, with every layer named and cited.

        For exports, the duty is that of the country that retaliates: days are in its local time,
        `value` is at the port of export, freight and insurance are part of the base.

        Args:
            hts: HTS code, with or without dots.
            origin: ISO 3166-1 alpha-2 code.
            entry_date: day or instant of entry; by default the law's as-of day, and the answer says so.
            value: customs value, USD.
            claims: facts declared about the goods, such as `{"usmca_share": 1}`.
            quantity: quantity in `unit`; specific rates need it.
            unit: symbol such as kg, no or W.
            mode: ocean, air or land; it decides fees.
            freight: USD, part of the landed cost.
            insurance: USD, part of the landed cost.
            charges: your own charges by kind (adcvd, excise, other), part of the landed cost and of no duty: `"12.5%"`
                of the entered value, `"1.07 USD/L"`, or an amount in USD; a list for several of one kind.
            scenario: library name, `*.yaml` path, or `Scenario`.
            ordinary_rate: the ordinary rate, `"9.8%"` or 0.098, where the schedule states it by formula or, for an
                export, the law data holds none; it is shown as stated.
            why: return the reasons too: `why` of each layer, and measures that matched but did not apply. Without
                it, `Quote.why()` fetches them.
            timeout: seconds; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`, but for `date_format`.

        Raises:
            InvalidRequest: the line or an option cannot be used; `reason` and `field` say why.
            NotFound: no such scenario.
            Unavailable: no server answers.
            DeadlineExceeded: the deadline passed.
        """
        request = requests.law_request(
            "duty",
            duty_service_pb2.CalculateDutyRequest,
            options,
            scenario=requests.scenario_ref(scenario),
            line=requests.duty_line(
                hts,
                origin,
                entry_date,
                value,
                claims=claims,
                quantity=quantity,
                unit=unit,
                mode=mode,
                freight=freight,
                insurance=insurance,
                charges=charges,
                ordinary_rate=ordinary_rate,
            ),
            explain=why,
        )
        return self._quote(request, arguments.seconds(timeout, self._config.deadlines.duty))

    def _quote(self, request: duty_service_pb2.CalculateDutyRequest, deadline: float) -> Quote:
        quote = answers.quote(self._backend.unary("CalculateDuty", request, deadline))
        if request.explain:
            return quote
        with_reasons = duty_service_pb2.CalculateDutyRequest()
        with_reasons.CopyFrom(request)
        with_reasons.explain = True
        return replace(quote, ask_why=lambda: self._quote(with_reasons, deadline))

    def duties(
        self,
        lines: Table,
        *,
        on: Day | None = None,
        scenario: ScenarioLike | None = None,
        progress: Progress = None,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> EntriesResult:
        """Compute duties and fees of entries: the duty of each line as by `duty`, fees once per entry.

        Args:
            lines: frame, lazy frame, or path of a Parquet, Arrow or CSV file with `hts, origin, customs_value` and
                whatever else of the trade table's columns is known; lines of one `entry_id` are one entry. The charges
                of `duty` are columns `adcvd, excise, other_charges`.
            on: day of entry of lines that name none; by default the law's as-of day.
            scenario: library name, `*.yaml` path, or `Scenario`.
            progress: True for a progress bar on a terminal, or a function that takes stage and fraction.
            timeout: seconds for each batch of 1,000 lines; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`, but for `direction` and `to`.

        Raises:
            InvalidRequest: the table or an option cannot be used. A row that cannot be used is in `refused`.
            NotFound: no such scenario.
            Unavailable: no server answers.
            DeadlineExceeded: the deadline passed.
        """
        day, form = arguments.day(on, "on"), read_option("date_format", options.pop("date_format", ""))
        table = entry_table.read_entries(read_table(lines), self.law(), day, form)
        message = duty_service_pb2.BatchCalculateDutiesRequest
        ref = requests.scenario_ref(scenario)
        request = requests.law_request("duties", message, options, scenario=ref, table=table.form)
        deadline = arguments.seconds(timeout, self._config.deadlines.batch)

        def send(rows: list[int]) -> duty_service_pb2.BatchCalculateDutiesResponse:
            del request.lines[:]
            request.lines.extend(table.messages[row] for row in rows)
            answer: duty_service_pb2.BatchCalculateDutiesResponse
            answer = self._backend.unary("BatchCalculateDuties", request, deadline)
            return answer

        with reporting(progress) as report:
            answered = entry_batches.in_batches(table, "computing duties", send, report)
            return entry_batches.rated_entries(table, answered)
