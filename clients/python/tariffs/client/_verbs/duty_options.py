"""Client method that lists what can lawfully be done about the duty on a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Unpack

from tariffs.client._verbs.changes import LawCalls
from tariffs.client._wire import requests
from tariffs.client._wire.reading import provenance, read_all
from tariffs.client._wire.requests import ClaimValue, Money, ScenarioLike
from tariffs.client.results.duty_options import OptionFact, OptionsResult, ScenarioOptions
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import duty_service_pb2 as pb

OptionFactValue = str | date | Decimal | float | bool


class DutyOptionCalls(LawCalls):
    """Lawful ways to pay less duty on a line; mixed into `Client`."""

    def options(
        self,
        hts: str,
        origin: str,
        entry_date: Day | None = None,
        value: Money = "",
        *,
        facts: Mapping[str, OptionFactValue] | None = None,
        scenarios: ScenarioLike | Sequence[ScenarioLike] = (),
        claims: Mapping[str, ClaimValue] | None = None,
        quantity: Money | None = None,
        unit: str | None = None,
        mode: str | None = None,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> OptionsResult:
        """List lawful ways to pay less duty on a line, and later, with what each saves, its conditions and papers.

        Each is priced by quoting the line as it changes it, alone against the ordinary entry. The best set is priced as
        a whole, so no dollar counts twice. What needs a fact that is not given is named and not computed.

        Args:
            hts: HTS code, with or without dots.
            origin: ISO code of the country of origin.
            entry_date: day or instant of the ordinary entry; by default the law's as-of day.
            value: customs value, USD.
            facts: facts that options depend on, such as `{"admission": "2025-04-20", "export_share": 0.4, "rate":
                0.06}`; `OptionsResult.facts` lists them all.
            scenarios: one, or several: library names, `*.yaml` paths, or `Scenario`; by default the law as it is.
            claims: facts declared about the goods in the ordinary entry, such as `{"usmca_share": 1}`.
            quantity: quantity in `unit`; specific rates need it.
            unit: symbol such as kg, no or W.
            mode: ocean, air or land; it decides fees.
            timeout: seconds; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`, of imports.

        Raises:
            InvalidRequest: the line cannot be rated, or a fact or an option cannot be used.
            NotFound: no such scenario.
        """
        request = requests.law_request(
            "options",
            pb.CompareOptionsRequest,
            options,
            line=requests.duty_line(
                hts,
                origin,
                entry_date,
                value,
                claims=claims,
                quantity=quantity,
                unit=unit,
                mode=mode,
                freight=None,
                insurance=None,
            ),
            facts={name: _fact(fact) for name, fact in (facts or {}).items()},
            scenarios=requests.scenario_refs(scenarios),
        )
        answer = self._call(request, timeout, "impact")
        return OptionsResult(
            read_all(ScenarioOptions, answer.scenarios),
            read_all(OptionFact, answer.facts),
            provenance(answer.provenance),
        )


def _fact(value: OptionFactValue) -> str:
    """Write a fact as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format(Decimal(str(value)), "f") if isinstance(value, float) else str(value)
