"""Origins of a product by the landed cost of a unit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from tariffs.client.errors import TariffsError
from tariffs.client.results.amounts import usd as usd
from tariffs.client.results.json_values import Plain
from tariffs.client.results.quote import Provenance, part_of
from tariffs.client.results.short_names import fact_name, label_of

_SHOWN, _FACTS_SHOWN = 10, 3


@dataclass(frozen=True, slots=True)
class OriginCost(Plain):
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
    unit_cost: Decimal
    duty: Decimal | None
    owed: Decimal | None
    landed: Decimal | None
    landed_min: Decimal | None
    landed_max: Decimal | None
    rank: int | None
    premium: Decimal | None
    missing_claims: tuple[str, ...]
    prohibited: tuple[str, ...]
    problem: TariffsError | None
    imports: float

    @property
    def if_declared(self) -> str:
        """Range of the landed cost over facts that are not declared, with their names; empty without any."""
        if self.landed_min == self.landed_max or not self.missing_claims:
            return ""
        facts = ", ".join(fact_name(name) for name in self.missing_claims[:_FACTS_SHOWN])
        return f"{usd(self.landed_min)} to {usd(self.landed_max)}: {facts}"

    def to_json_dict(self) -> dict[str, object]:
        """Convert to plain data: money as decimal text, a problem as its reason and message."""
        told = self.problem
        problem = None if told is None else {"reason": told.reason, "message": str(told)}
        # A class with slots is made anew, so that `super()` without arguments would not find it.
        return Plain.to_json_dict(self) | {"problem": problem}


@dataclass(frozen=True, slots=True)
class OriginFlip(Plain):
    """Day from which another origin is the cheapest."""

    day: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ScenarioOrigins:
    """Origins under one scenario, the cheapest first, and the days on which the cheapest one changes."""

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
class OriginRegret(Plain):
    """Largest loss of an origin over scenarios: its landed cost less that of the best origin, USD a unit."""

    origin: str
    regret: Decimal


@dataclass(frozen=True, slots=True)
class SourceResult:
    """Origins by landed cost a unit under each scenario.

    Attributes:
        scenarios: in the order asked.
        regrets: origins that can enter under every scenario, the least regret first; empty for one scenario.
        provenance: what it takes to get the answer again.
    """

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

    @property
    def frame(self) -> pl.DataFrame:
        """A row a scenario and origin: `scenario`, then the fields of `OriginCost` but its problem, USD as float."""
        rows = [
            {"scenario": one.id}
            | {
                name: float(value) if isinstance(value, Decimal) else value
                for name in OriginCost.__dataclass_fields__
                if name != "problem"
                for value in (getattr(cost, name),)
            }
            for one in self.scenarios
            for cost in one.origins
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `source --json`: amounts a unit as decimal text."""
        details = part_of(self.provenance, "details")
        on = details.get("on") or {name: details[name] for name in ("start", "end") if name in details}
        return {
            "scenarios": [
                {
                    "id": one.id,
                    "on": on,
                    "origins": [cost.to_json_dict() for cost in one.origins],
                    "flips": [flip.to_json_dict() for flip in one.flips],
                }
                for one in self.scenarios
            ],
            "regrets": [one.to_json_dict() for one in self.regrets],
            "provenance": dict(self.provenance),
        }
