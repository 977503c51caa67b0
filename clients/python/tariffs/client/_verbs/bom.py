"""Client method that rates a bill of materials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.changes import LawCalls
from tariffs.client._wire import bom_table, requests
from tariffs.client._wire.frames import Table, read_table
from tariffs.client._wire.reading import provenance, read_all
from tariffs.client._wire.requests import Money, ScenarioLike
from tariffs.client.errors import from_status
from tariffs.client.results.bom import BomResult, BomScenario
from tariffs.client.results.quote import Note
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import duty_service_pb2 as pb


class BomCalls(LawCalls):
    """Bills of materials; mixed into `Client`."""

    def bom(
        self,
        table: Table,
        *,
        on: Day | None = None,
        scenarios: ScenarioLike | Sequence[ScenarioLike] = (),
        units: Money = 1,
        until: Day = "",
        origins: Sequence[str] = (),
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> BomResult:
        """Compute the landed cost and duty of a bill of materials, its exposure to changes of the law, and what to buy.

        Each row that buys a part is an entry of one line of all its units, with the amounts of `duty`. Rows of the same
        part and parent are substitutes: the first is what is bought today.

        Args:
            table: frame, lazy frame or path of a table with `part, parent, quantity, yield, hts, origin, supplier,
                unit_cost`, claims, and limits of what a row sells: `capacity, min_order, min_share, max_share`; its
                other columns come back.
            on: day of entry; by default the law's as-of day.
            scenarios: one, or several: library names, `*.yaml` paths, or `Scenario`; by default the law as it is.
            units: units of the finished goods.
            until: last day on which changes of the law are looked for; by default the last of the law data.
            origins: origins from which the duty on all parts is computed besides; `"all"` is every one.
            timeout: seconds; by default the config's deadline of a timeline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`, of imports.

        Raises:
            InvalidRequest: the table or an option cannot be used. A row that cannot be used is in `refused`.
            NotFound: no such scenario.
        """
        bill = bom_table.read_bom(read_table(table), self.law())
        request = requests.law_request(
            "bom",
            pb.CalculateBomRequest,
            options,
            rows=bill.messages,
            on=arguments.day(on, "on"),
            units=arguments.money(units, "units"),
            until=arguments.day(until, "until"),
            origins=arguments.names(origins, "origins"),
            scenarios=requests.scenario_refs(scenarios),
        )
        answer = self._call(request, timeout, "timeline")
        found = read_all(BomScenario, answer.scenarios)
        failures = ((row, from_status(status)) for row, status in answer.failures.items())
        return BomResult(
            scenarios=tuple(replace(one, parts=bill.with_own_columns(one.parts)) for one in found),
            refused=bill.refused(failures),
            notes=read_all(Note, answer.notes),
            provenance=provenance(answer.provenance),
        )
