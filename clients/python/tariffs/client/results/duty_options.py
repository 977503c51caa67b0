"""Lawful ways to pay less duty on a line."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from tariffs.client.results.amounts import usd
from tariffs.client.results.json_values import Plain
from tariffs.client.results.quote import Provenance

OPTION_TITLES = ("option", "state", "pays", "saves", "paid later", "why")
"""Titles of the cells of `DutyOption.cells`."""
_STATES = {
    "saves": "saves",
    "no_gain": "saves nothing",
    "needs_fact": "needs a fact",
    "closed": "not open",
}


@dataclass(frozen=True, slots=True)
class OptionCost(Plain):
    """Cost of a line, USD.

    Attributes:
        duty: duty paid.
        fees: merchandise processing and harbor maintenance fee.
        refunded: void duty that comes back.
        drawback: drawback; with `refunded` never above duty and fees.
        cash: worth of paying later than the ordinary entry what does not come back; None without a rate of interest.
        day: day whose rates hold, where the option chooses it; else empty.
    """

    duty: Decimal
    fees: Decimal
    refunded: Decimal
    drawback: Decimal
    cash: Decimal | None
    day: str


@dataclass(frozen=True, slots=True)
class DutyOption(Plain):
    """Option as it meets the line.

    Attributes:
        id: name.
        title: short name in plain words.
        state: saves, no_gain, needs_fact (nothing is computed) or closed.
        cost: what the line costs with it alone; None where it is not computed.
        saving: how much less than the ordinary entry, USD; negative if it costs more; None where it is not computed.
        saving_if: saving if the missing facts hold, for facts that hold or do not.
        missing_facts: facts without which nothing is computed.
        would_change: facts that are not given and would change the amount.
        why: reason for the state, and what is left out.
        catch: conditions and costs.
        papers: documents that it needs.
        citations: legal sources.
        confidence: confidence in the reading, A to C.
    """

    id: str
    title: str
    state: str
    cost: OptionCost | None
    saving: Decimal | None
    saving_if: Decimal | None
    missing_facts: tuple[str, ...]
    would_change: tuple[str, ...]
    why: str
    catch: str
    papers: tuple[str, ...]
    citations: tuple[str, ...]
    confidence: str

    @property
    def cells(self) -> list[str]:
        """Write it as a row of a table: `OPTION_TITLES`."""
        cost = self.cost
        net = None if cost is None else cost.duty + cost.fees - cost.refunded - cost.drawback
        saving = usd(self.saving) if self.saving_if is None else f"{usd(self.saving_if)} if so"
        later = usd(cost.cash) if cost is not None and cost.cash else ""
        return [self.title, _STATES[self.state], usd(net), saving, later, self.why]


@dataclass(frozen=True, slots=True)
class BestOptions(Plain):
    """Options that together save most, the cost of the line with them, and the saving, USD."""

    options: tuple[str, ...]
    cost: OptionCost
    saving: Decimal


@dataclass(frozen=True, slots=True)
class ScenarioOptions(Plain):
    """Ordinary entry of a line under one scenario, its options, and the best lawful set of them."""

    id: str
    ordinary: OptionCost
    options: tuple[DutyOption, ...]
    best: BestOptions

    @property
    def sentences(self) -> list[str]:
        """Say what the ordinary entry pays, and what the best lawful set of options saves."""
        ordinary, best = self.ordinary, self.best
        paid = f"An ordinary entry pays {usd(ordinary.duty)} duty and {usd(ordinary.fees)} fees."
        if not best.options:
            return [paid, "No option pays less on the facts given."]
        names = "; ".join(self[name].title for name in best.options)
        later = f", and {usd(best.cost.cash)} for paying later" if best.cost.cash else ""
        return [paid, f"The best lawful set saves {usd(best.saving)}{later}: {names}."]

    def __getitem__(self, name: str) -> DutyOption:
        """Return an option by its id; raises KeyError."""
        for one in self.options:
            if one.id == name:
                return one
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class OptionFact(Plain):
    """Fact that options depend on: its name, the kind of its value, and its meaning."""

    name: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class OptionsResult(Plain):
    """Lawful ways to pay less duty on a line, under each scenario.

    Attributes:
        scenarios: in the order asked.
        facts: facts that the options name.
        provenance: what it takes to get the answer again.
    """

    scenarios: tuple[ScenarioOptions, ...]
    facts: tuple[OptionFact, ...]
    provenance: Provenance

    @property
    def open_facts(self) -> list[OptionFact]:
        """Facts that are not given and would change the answer."""
        options = (option for one in self.scenarios for option in one.options)
        named = dict.fromkeys(name for one in options for name in (*one.missing_facts, *one.would_change))
        known = {fact.name: fact for fact in self.facts}
        return [known[name] for name in named]

    @property
    def frame(self) -> pl.DataFrame:
        """A row a scenario and option: `scenario, id, title, state, duty, fees, refunded, drawback, cash, saving,
        saving_if, why`, USD as float."""
        rows = [
            {"scenario": one.id, "id": option.id, "title": option.title, "state": option.state}
            | {
                name: _float(getattr(option.cost, name, None))
                for name in ("duty", "fees", "refunded", "drawback", "cash")
            }
            | {"saving": _float(option.saving), "saving_if": _float(option.saving_if), "why": option.why}
            for one in self.scenarios
            for option in one.options
        ]
        return pl.DataFrame(rows, infer_schema_length=None)


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
