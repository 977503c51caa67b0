"""Methods of `Client` for the questions: made from the declarations in `tariffs.questions` by `make gen`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

from tariffs.client._verbs.asking import OptionFactValue, asked
from tariffs.client._verbs.remote_calls import RemoteCalls
from tariffs.client._wire.frames import Table
from tariffs.client._wire.requests import ClaimValue, Money, ScenarioLike
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions

if TYPE_CHECKING:
    from tariffs.questions.options import OptionsResult
    from tariffs.questions.source import SourceResult


class QuestionCalls(RemoteCalls):
    """Questions that are no runs; mixed into `Client`."""

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
        """Rank the origins of a product by landed cost a unit, under the law and scenarios.

        The landed cost is price, freight, duty and fees. Amounts are for one unit of an entry of units. Over a period
        they are means by days, under a mixture expected values. A planning estimate from prices that you give; it
        does not say where goods can be bought.

        Args:
            hts: HTS code of 4 to 10 digits, with or without dots.
            unit_cost: Price of a unit, of origins without an offer.
            on: Day of entry. Default: the law's as-of day.
            start: First day of a period, in place of on.
            end: Last day of the period.
            scenarios: Scenario or *.yaml file; may be repeated. Default: base.
            origins: Origins to compare. Default: those of the offers, or all.
            offers: Prices: a table of origin, unit_cost, freight and insurance a unit. Columns: origin, unit_cost,
                freight, insurance.
            today: Origin the goods come from now, to compare with.
            units: Units of an entry, over which its fees are divided.
            claims: Declared fact about the goods, such as usmca_share=1.
            quantity: Quantity of a unit; required for specific rates.
            unit: Unit of the quantity: kg, no, W, ...
            mode: Mode of transport; decides fees.
            freight: Freight of a unit.
            insurance: Insurance of a unit.
            timeout: seconds; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`, of imports.

        Raises:
            InvalidRequest: a price or an option cannot be used, or no origin can be rated.
            NotFound: no such scenario.
        """
        from tariffs.questions.source import SOURCE

        given = {
            "hts": hts,
            "unit_cost": unit_cost,
            "on": on,
            "start": start,
            "end": end,
            "scenarios": scenarios,
            "origins": origins,
            "offers": offers,
            "today": today,
            "units": units,
            "claims": claims,
            "quantity": quantity,
            "unit": unit,
            "mode": mode,
            "freight": freight,
            "insurance": insurance,
        }
        return asked(self, SOURCE, given, options, timeout)

    def options(
        self,
        hts: str,
        origin: str,
        entry_date: Day | None = None,
        value: Money = "",
        *,
        scenarios: ScenarioLike | Sequence[ScenarioLike] = (),
        facts: Mapping[str, OptionFactValue] | None = None,
        claims: Mapping[str, ClaimValue] | None = None,
        quantity: Money | None = None,
        unit: str | None = None,
        mode: str | None = None,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> OptionsResult:
        """List lawful ways to pay less duty on a line, with their saving, catch and papers.

        Zones, bonded warehouses, drawback, first sale, chapter 98, preferences, refunds and days of payment: each
        priced alone by quoting the line, and the best set as a whole, so that no dollar counts twice. What needs a
        fact that is not given is named and not computed. A planning estimate; not a ruling or advice.

        Args:
            hts: HTS code of 4 to 10 digits, with or without dots.
            origin: Country of origin.
            entry_date: Day of the ordinary entry. Default: the law's as-of day.
            value: Customs value of the line.
            scenarios: Scenario or *.yaml file; may be repeated. Default: base.
            facts: Another fact, as the answer names it.
            claims: Declared fact of the ordinary entry.
            quantity: Quantity; required for specific rates.
            unit: Unit of the quantity: kg, no, W, ...
            mode: Mode of transport; decides fees.
            timeout: seconds; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`, of imports.

        Raises:
            InvalidRequest: the line cannot be rated, or a fact or an option cannot be used.
            NotFound: no such scenario.
        """
        from tariffs.questions.options import OPTIONS

        given = {
            "hts": hts,
            "origin": origin,
            "entry_date": entry_date,
            "value": value,
            "scenarios": scenarios,
            "facts": facts,
            "claims": claims,
            "quantity": quantity,
            "unit": unit,
            "mode": mode,
        }
        return asked(self, OPTIONS, given, options, timeout)
