"""Origins of a product by the landed cost of a unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from tariffs.names import fact_name, label_of
from tariffs.questions.answer import Answer, Failure, Fraction, Provenance, Told, UnitUsd, plain_fields
from tariffs.questions.common import (
    CLAIMS,
    FREIGHT,
    HTS,
    INSURANCE,
    MODE,
    ON,
    QUANTITY,
    SCENARIOS,
    UNIT,
    other,
)
from tariffs.questions.question import Asked, Column, Kind, Question
from tariffs.questions.view import GAP, Bars, Grid, Link, Named, Part, Said, Width, percent, usd

_SHOWN, _FACTS_SHOWN = 10, 3


@dataclass(frozen=True, slots=True)
class OriginCost(Told):
    """Cost of a unit from one origin, USD; amounts are None where the goods cannot be rated.

    Attributes:
        origin: ISO code.
        unit_cost: price of a unit.
        duty: duty assessed.
        owed: duty owed, invalidations biting from the beginning.
        landed: price, freight, insurance, duty and fees.
        landed_min: least landed cost over facts that are not declared.
        landed_max: most landed cost over them.
        rank: 1 for the lowest landed cost, equal for equal ones; None for goods that cannot enter or be rated.
        premium: how much dearer a unit may be than its price to land at the cost of today's origin, a fraction; None
            without today's origin.
        missing_claims: facts that are not declared and would move the duty.
        prohibited: measures that prohibit entry on some day.
        problem: why the goods cannot be rated; None if they can.
        imports: US imports of the product from there in 2024, USD.
    """

    origin: str
    unit_cost: UnitUsd
    duty: UnitUsd | None
    owed: UnitUsd | None
    landed: UnitUsd | None
    landed_min: UnitUsd | None
    landed_max: UnitUsd | None
    rank: int | None
    premium: Fraction | None
    missing_claims: tuple[str, ...]
    prohibited: tuple[str, ...]
    problem: Failure | None
    imports: float

    @property
    def if_declared(self) -> str:
        """Range of the landed cost over facts that are not declared, with their names; empty without any."""
        if self.landed_min == self.landed_max or not self.missing_claims:
            return ""
        facts = ", ".join(fact_name(name) for name in self.missing_claims[:_FACTS_SHOWN])
        return f"{usd(self.landed_min)} to {usd(self.landed_max)}: {facts}"


@dataclass(frozen=True, slots=True)
class OriginFlip(Told):
    """Day from which another origin is the cheapest.

    Attributes:
        day: the day.
        before: cheapest origin before.
        after: cheapest origin from that day on.
    """

    day: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ScenarioOrigins(Told):
    """Origins under one scenario.

    Attributes:
        id: id of the scenario.
        origins: the origins, the cheapest first.
        flips: days of the period on which the cheapest origin changes.
    """

    id: str
    origins: tuple[OriginCost, ...]
    flips: tuple[OriginFlip, ...]

    @property
    def best(self) -> OriginCost | None:
        """The cheapest origin; None if no goods can enter."""
        return self.origins[0] if self.origins and self.origins[0].rank else None

    def answer(self, today: str = "") -> str:
        """Say which origin is the cheapest, and what the one of `today` costs more."""
        best = self.best
        if best is None or best.landed is None:
            return "the goods can enter from none of these origins."
        alike = sorted((cost for cost in self.origins if cost.rank == 1), key=lambda cost: -cost.imports)
        name = label_of("origin", alike[0].origin)
        whose = name if len(alike) == 1 else f"{name} and {len(alike) - 1} more"
        text = f"a unit costs least from {whose}, {usd(best.landed)} landed."
        now = next((cost for cost in self.origins if cost.origin == today), None)
        if now is not None and now.landed is not None and now.rank != 1:
            text += f" From {label_of('origin', today)} it costs {usd(now.landed)}."
        return text

    @property
    def changes(self) -> list[str]:
        """Say on which days of a period the cheapest origin changes."""
        named = [
            (one.day, label_of("origin", one.after), label_of("origin", one.before)) for one in self.flips
        ]
        return [f"From {day} {after} is the cheapest, {before} no more." for day, after, before in named]

    def largest(self, today: str = "") -> list[OriginCost]:
        """Choose the ten largest suppliers, and the origin of `today`, in the order of their rank."""
        largest = sorted(self.origins, key=lambda cost: -cost.imports)[:_SHOWN]
        return [cost for cost in self.origins if cost in largest or cost.origin == today]


@dataclass(frozen=True, slots=True)
class OriginRegret(Told):
    """Largest loss of an origin over scenarios.

    Attributes:
        origin: ISO code.
        regret: landed cost of a unit less that of the best origin, USD, under the scenario where that is most.
    """

    origin: str
    regret: UnitUsd


@dataclass(frozen=True, slots=True)
class SourceResult(Answer):
    """Origins by landed cost a unit under each scenario.

    Attributes:
        scenarios: in the order asked.
        regrets: origins that can enter under every scenario, the least regret first; empty for one scenario.
        provenance: what it takes to get the answer again.
    """

    rows: ClassVar = (
        "scenarios.origins",
        ("scenario=/id", *(name for name in OriginCost.__dataclass_fields__ if name != "problem")),
    )

    scenarios: tuple[ScenarioOrigins, ...]
    regrets: tuple[OriginRegret, ...]
    provenance: Provenance

    @property
    def choice(self) -> str:
        """Say which origin loses least over all scenarios; empty for one scenario."""
        if not self.regrets:
            return ""
        name, regret = label_of("origin", self.regrets[0].origin), usd(self.regrets[0].regret)
        return f"Over all scenarios {name} loses least: at most {regret} a unit against the best origin."

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `source --json`: each scenario has the day or period of its costs."""
        details: Any = self.provenance.get("details") or {}
        on = details.get("on") or {name: details[name] for name in ("start", "end") if name in details}
        scenarios = [
            {"id": one.id, "on": on}
            | {name: value for name, value in plain_fields(one).items() if name != "id"}
            for one in self.scenarios
        ]
        return plain_fields(self) | {"scenarios": scenarios}


def view(found: SourceResult, asked: Mapping[str, Any], width: Width) -> Iterator[Part]:
    """Show the cheapest origin, the largest suppliers or all, and when that changes."""
    today = str(asked["today"] or "").upper()
    units = Decimal(str(asked["units"] or 1))
    if width == "page":
        yield from _page(found, today, units)
        return
    for one in found.scenarios:
        shown = one.origins if width == "wide" else one.largest(today)
        yield Said([one.answer(today)], one.id)
        yield GAP
        yield _bars(one, today)
        heads = ["origin", "rank", "price", "duty", "landed", "landed if claimed"]
        heads += ["premium to today's"] if today else []
        yield Grid(
            heads, [_row(cost, today, units) for cost in shown], (1, 2, 3, 4, 6), "Origins, USD a unit"
        )
        if len(shown) < len(one.origins):
            text = f"The largest suppliers of 2024; --wide prints all {len(one.origins)} origins."
            yield Said([text], is_dim=True)
        if one.changes:
            yield Said(one.changes)
        yield GAP
    if found.choice:
        yield Said([found.choice])


def _page(found: SourceResult, today: str, units: Decimal) -> Iterator[Part]:
    """Show all origins of the first scenario, the landed cost under the others beside them, and imports."""
    first, *others = found.scenarios
    for one in found.scenarios:
        yield Said([one.answer(today), *one.changes], one.id)
    if found.choice:
        yield Said([found.choice])
    yield _bars(first, today)
    named = [(label_of("origin", one.origin), one) for one in first.largest(today)]
    yield Named(
        "Landed cost if a fact is declared",
        [f"{name}: {one.if_declared}" for name, one in named if one.if_declared],
    )
    landed = [{cost.origin: usd(cost.landed) for cost in one.origins} for one in others]
    ordered = sorted(first.origins, key=lambda one: (one.rank or len(first.origins), -one.imports))
    rows: list[list[str | Link]] = [
        [
            _quoted(one, units),
            str(one.rank or "-"),
            *map(usd, (one.unit_cost, one.duty, one.landed)),
            *([percent(one.premium)] if today else []),
            *(amounts.get(one.origin, "") for amounts in landed),
            f"{one.imports / 1e6:,.1f}" if one.imports else "-",
        ]
        for one in ordered
    ]
    heads = ["origin", "rank", "price", "duty", "landed", *(["premium to today's"] if today else [])]
    heads += [*(one.id for one in others), "imports 2024, USD m"]
    yield Grid(heads, rows, tuple(range(1, len(heads))), "All origins, USD a unit")
    unrated = [f"{label_of('origin', one.origin)}: {one.problem}" for one in first.origins if one.problem]
    yield Named("Origins whose duty cannot be computed", unrated)


def _bars(one: ScenarioOrigins, today: str) -> Bars:
    drawn = [
        (label_of("origin", cost.origin), float(cost.landed), usd(cost.landed))
        for cost in one.largest(today)
        if cost.landed and cost.rank
    ]
    return Bars("Landed cost of a unit from the largest suppliers, USD", drawn)


def _quoted(cost: OriginCost, units: Decimal) -> Link:
    own = {**dict.fromkeys(("unit_cost", "today", "units", "origins"), ""), "origin": cost.origin}
    return Link(label_of("origin", cost.origin), "/quote", own | {"value": str(cost.unit_cost * units)})


def _row(cost: OriginCost, today: str, units: Decimal) -> list[str | Link]:
    name = _quoted(cost, units)
    if cost.problem is not None or cost.landed is None:
        return [name, "", usd(cost.unit_cost), "", "", str(cost.problem or ""), *([""] if today else [])]
    rank = str(cost.rank) if cost.rank else "cannot enter"
    amounts = (usd(cost.unit_cost), usd(cost.duty), usd(cost.landed), cost.if_declared)
    return [name, rank, *amounts, *([percent(cost.premium)] if today else [])]


SOURCE = Question(
    "source", "DutyService/CompareOrigins", "tariffs.firm.origins:source", SourceResult,
    "Rank the origins of a product by landed cost a unit, under the law and scenarios.",
    about="The landed cost is price, freight, duty and fees. Amounts are for one unit of an entry of --units. Over a "
    "period they are means by days, under a mixture expected values. A planning estimate from prices that you give; it "
    "does not say where goods can be bought.",
    asked=(
        HTS,
        Asked("unit_cost", Kind.MONEY, "Price of a unit, of origins without an offer.", at="line.customs_value",
              title="Price of a unit, USD", needed="Give the price of a unit in US dollars, such as 10.", is_place=True,
              metavar="USD"),
        ON,
        Asked("start", Kind.DAY, "First day of a period, in place of --on.", "", metavar="DAY"),
        Asked("end", Kind.DAY, "Last day of the period.", "", metavar="DAY"),
        SCENARIOS,
        Asked("origins", Kind.COUNTRIES, "Origins to compare. Default: those of the offers, or all.", (),
              title="Only these origins", hint="CN, VN; empty for all", is_folded=True, metavar="CC,CC,...|all"),
        Asked("offers", Kind.TABLE, "Prices: a table of origin, unit_cost, freight and insurance a unit.",
              metavar="FILE", tool=False, row="OriginOffer", columns=(
                  Column("origin", Kind.COUNTRY, "Country of origin."),
                  Column("unit_cost", Kind.MONEY, "Price of a unit.", "CUSTOMS_VALUE_INVALID",
                         "Give the price of a unit in US dollars."),
                  Column("freight", Kind.MONEY, "Freight of a unit.", "CHARGE_INVALID"),
                  Column("insurance", Kind.MONEY, "Insurance of a unit.", "CHARGE_INVALID"),
              )),
        Asked("today", Kind.COUNTRY, "Origin the goods come from now, to compare with.", "", at="line.origin",
              title="Origin today", hint="To compare with", metavar="CC"),
        Asked("units", Kind.MONEY, "Units of an entry, over which its fees are divided.", 1, title="Units of an entry",
              hint="Its fees are divided by them; 1 if empty", is_folded=True, metavar="N", above=0.0),
        CLAIMS,
        other(QUANTITY, "Quantity of a unit; required for specific rates."),
        UNIT, MODE,
        other(FREIGHT, "Freight of a unit."), other(INSURANCE, "Insurance of a unit."),
    ),
    view=view,
    examples=(
        "tariffs source 9503.00.0073 --unit-cost 10 --origins CN,VN,MX,ID --today CN",
        "tariffs source 9503.00.0073 --unit-cost 10 -s base -s ieepa-upheld-truce-lapsed --today CN --units 5000",
        "tariffs source 9503.00.0073 --unit-cost 10 --start 2025-01-01 --end 2025-12-31 --origins CN,VN,MX",
        "tariffs source 9503.00.0073 --offers prices.csv --mode ocean",
    ),
    page=("Origins", "Origins by landed cost", "Give the product and the price of a unit; the answer is price, duty "
          "and fees from every origin, the cheapest first."),
    heading="Where {hts} lands at the least cost",
    # All origins on the days of a year take seconds.
    lane="sweep", scenarios_most=100, tool="compare_origins",
    order=10,
    raises=("InvalidRequest: a price or an option cannot be used, or no origin can be rated.",
            "NotFound: no such scenario."),
)  # fmt: skip
