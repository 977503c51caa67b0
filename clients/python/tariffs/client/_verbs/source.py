"""Client method that compares origins of a product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.changes import LawCalls
from tariffs.client._wire import requests
from tariffs.client._wire.frames import Table, read_table
from tariffs.client._wire.reading import provenance, read, read_all
from tariffs.client._wire.requests import ClaimValue, Money, ScenarioLike
from tariffs.client.errors import InvalidRequest, from_status
from tariffs.client.results.source import (
    OriginCost,
    OriginFlip,
    OriginRegret,
    ScenarioOrigins,
    SourceResult,
)
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import duty_service_pb2 as pb

_OFFER = ("origin", "unit_cost", "freight", "insurance")


class SourceCalls(LawCalls):
    """Origins of a product by landed cost; mixed into `Client`."""

    def source(
        self,
        hts: str,
        unit_cost: Money | None = None,
        *,
        on: Day | None = None,
        start: Day = "",
        end: Day = "",
        scenarios: ScenarioLike | Sequence[ScenarioLike] = (),
        origins: Sequence[str] = (),
        offers: Table | None = None,
        today: str = "",
        units: Money = 1,
        claims: Mapping[str, ClaimValue] | None = None,
        quantity: Money | None = None,
        unit: str | None = None,
        mode: str | None = None,
        freight: Money | None = None,
        insurance: Money | None = None,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> SourceResult:
        """Rank the origins of a product by the landed cost of a unit, under the law and under scenarios.

        Costs are those of `duty` for an entry of `units`, divided by them. Over a period they are means by days; under
        a mixture of scenarios they are expected values.

        Args:
            hts: HTS code, with or without dots.
            unit_cost: customs value of a unit, USD; of origins that `offers` has no price of.
            on: day or instant of entry; by default the law's as-of day.
            start: first day of a period, in place of `on`.
            end: last day of the period.
            scenarios: one, or several: library names, `*.yaml` paths, or `Scenario`; by default the law as it is.
            origins: ISO codes; by default those of `offers`, else all.
            offers: frame or file with `origin, unit_cost` and, if known, `freight, insurance` a unit, USD.
            today: origin the goods come from now, with whose landed cost the others are compared (`premium`).
            units: units of an entry, over which its fees are divided.
            claims: facts declared about the goods, such as `{"usmca_share": 1}`.
            quantity: quantity of a unit in `unit`; specific rates need it.
            unit: symbol such as kg, no or W.
            mode: ocean, air or land; it decides fees.
            freight: freight of a unit, USD.
            insurance: insurance of a unit, USD.
            timeout: seconds; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`, of imports.

        Raises:
            InvalidRequest: a price or an option cannot be used, or no origin can be rated.
            NotFound: no such scenario.
        """
        line = requests.duty_line(
            hts, today, on, "" if unit_cost is None else unit_cost, claims=claims, quantity=quantity, unit=unit,
            mode=mode, freight=freight, insurance=insurance,
        )  # fmt: skip
        request = requests.law_request(
            "source",
            pb.CompareOriginsRequest,
            options,
            line=line,
            offers=_offers(offers),
            origins=arguments.names(origins, "origins"),
            units=arguments.money(units, "units"),
            start=arguments.day(start, "start"),
            end=arguments.day(end, "end"),
            scenarios=requests.scenario_refs(scenarios),
        )
        answer = self._call(request, timeout, "impact")
        return SourceResult(
            scenarios=tuple(
                ScenarioOrigins(one.id, tuple(map(_cost, one.origins)), read_all(OriginFlip, one.flips))
                for one in answer.scenarios
            ),
            regrets=read_all(OriginRegret, answer.regrets),
            provenance=provenance(answer.provenance),
        )


def _offers(table: Table | None) -> list[pb.OriginOffer]:
    if table is None:
        return []
    frame = read_table(table)
    missing = [name for name in _OFFER[:2] if name not in frame.columns]
    if missing:
        raise InvalidRequest(
            "COLUMN_MISSING",
            f"The prices have no column {missing[0]}.",
            field=missing[0],
            fix="Give columns origin and unit_cost, and freight and insurance a unit if they are known.",
        )
    rows: list[dict[str, Any]] = frame.select([one for one in _OFFER if one in frame.columns]).to_dicts()
    return [
        pb.OriginOffer(
            origin=str(row["origin"] or ""),
            **{name: arguments.money(row.get(name), name) for name in _OFFER[1:]},
        )
        for row in rows
    ]


def _cost(message: pb.OriginCost) -> OriginCost:
    problem = from_status(message.failure) if message.HasField("failure") else None
    return read(OriginCost, message, problem=problem)
